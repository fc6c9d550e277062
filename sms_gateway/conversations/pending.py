"""The one question a person may still answer with a digit, kept as a row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.messages.models import PendingQuestion


async def ask(
    session: AsyncSession, *, contact_id: int, kind: str, valid_for: timedelta, detail: dict[str, Any] | None = None
) -> None:
    """Let `kind` be the contact's pending question; it takes the place of any other."""
    now = clock.now()
    values = {"kind": kind, "asked_at": now, "valid_until": now + valid_for, "detail": detail or {}}
    row = insert(PendingQuestion).values(contact_id=contact_id, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["contact_id"], set_=values))


async def find(session: AsyncSession, contact_id: int) -> PendingQuestion | None:
    """The contact's pending question, also one that has expired (an expired digit is asked again, not guessed)."""
    return await session.scalar(select(PendingQuestion).where(PendingQuestion.contact_id == contact_id))


async def drop(session: AsyncSession, contact_id: int) -> None:
    """Nothing is asked any more."""
    await session.execute(delete(PendingQuestion).where(PendingQuestion.contact_id == contact_id))
