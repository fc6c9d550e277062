"""Reading a talk needs a reason (未保法 63: a minor's messages are not read without need): a call for a person, or having it in hand,
is one; for any other talk it is said in words and holds for a while."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError

from .models import TalkOpening, TalkTransfer

OPEN_FOR = timedelta(hours=2)
"""As long as an idle session: an engineering default."""
RENEW_AFTER = timedelta(minutes=10)


class TalkIsShut(HotlineError):
    status_code = 403
    sentence = "这个会话不在你手上，也不是你值班时的红色、橙色。要看，先写一句理由。"


def has_reason(*, mine: bool, offered: bool, danger: bool, on_duty: bool) -> bool:
    """Whether the talk itself is the reason (未保法 63): in their hand, passed on to them, or red or orange while they are on duty.

    One that waits for a person is taken over, which is the reason; reading it without that asks one. Pure.
    """
    return mine or offered or (danger and on_duty)


async def check(session: AsyncSession, *, operator_id: int, thread_id: int, reason: bool) -> None:
    """Raises `TalkIsShut` unless the talk gives the `reason` by itself, did so within two hours, or one was said."""
    found = await session.get(TalkOpening, (operator_id, thread_id))
    age = clock.now() - found.at if found is not None else None
    if reason:
        if age is None or age > RENEW_AFTER:
            await open_up(session, operator_id=operator_id, thread_id=thread_id)
    elif age is None or age > OPEN_FOR:
        raise TalkIsShut


async def is_offered(session: AsyncSession, *, operator_id: int, thread_id: int) -> bool:
    """Whether a colleague is passing that talk on to them."""
    mine = TalkTransfer.thread_id == thread_id, TalkTransfer.to_operator == operator_id
    return await session.scalar(select(TalkTransfer.id).where(*mine, TalkTransfer.state == "offered")) is not None


async def open_up(session: AsyncSession, *, operator_id: int, thread_id: int) -> None:
    """From now on for two hours."""
    made = insert(TalkOpening).values(operator_id=operator_id, thread_id=thread_id, at=clock.now())
    keys = [TalkOpening.operator_id, TalkOpening.thread_id]
    await session.execute(made.on_conflict_do_update(index_elements=keys, set_={"at": clock.now()}))


async def sweep() -> None:
    """Remove those that hold no longer."""
    async with transaction() as session:
        await session.execute(delete(TalkOpening).where(TalkOpening.at < clock.now() - OPEN_FOR))
