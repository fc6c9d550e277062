"""The one question a person may still answer with a digit, kept as a row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.messages.models import PendingQuestion as Row

from .questions import ASKS, VALID_FOR, Kind, Standing, may_replace


async def ask(
    session: AsyncSession,
    *,
    contact_id: int,
    kind: Kind,
    valid_for: timedelta | None = None,
    detail: dict[str, Any] | None = None,
    in_reply_to: datetime | None = None,
) -> bool:
    """Let `kind` be the contact's pending question; False when a danger question stands that it may not replace.

    `in_reply_to`: when the text came in that this question answers. A danger question from before it was passed over
    by that text: a digit means the last question on the phone (PRACTICE section 5), and that is the new one.
    """
    now = clock.now()
    standing = await find(session, contact_id)
    passed_over = standing is not None and in_reply_to is not None and standing.asked_at <= in_reply_to
    if not passed_over and not may_replace(kind, as_standing(standing), now):
        return False
    values = {
        "kind": kind,
        "asked_at": now,
        "valid_until": now + (valid_for or VALID_FOR[kind]),
        "detail": detail or {},
    }
    made = insert(Row).values(contact_id=contact_id, **values)
    await session.execute(made.on_conflict_do_update(index_elements=["contact_id"], set_=values))
    return True


async def ask_what_text_asks(
    session: AsyncSession, *, contact_id: int, key: str, detail: dict[str, Any] | None = None
) -> None:
    """The fixed text `key` was sent: the question it ends in stands now. A red text without one drops what stood."""
    kind = ASKS.get(key)
    if kind is not None:
        await ask(session, contact_id=contact_id, kind=kind, detail={"key": key, **(detail or {})})
    elif key.startswith("red."):
        await drop(session, contact_id)


def as_standing(row: Row | None) -> Standing | None:
    """The row as the pure rules read it."""
    return Standing(Kind(row.kind), row.detail.get("key", ""), row.valid_until) if row is not None else None


async def find(session: AsyncSession, contact_id: int) -> Row | None:
    """The contact's pending question, also one that has expired (an expired digit is asked again, not guessed)."""
    found = select(Row).where(Row.contact_id == contact_id).execution_options(populate_existing=True)
    return await session.scalar(found)


async def drop(session: AsyncSession, contact_id: int) -> None:
    """Nothing is asked any more."""
    await session.execute(delete(Row).where(Row.contact_id == contact_id))
