"""An operator whose console is gone gives danger back to the queue, before the person waits for nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings

from . import talk
from .ownership import Owner

log = logs.get("conversations")
DANGER = ("red", "orange")


async def sweep() -> int:
    """Each second: give back what operators hold whose console is silent too long; returns how many talks."""
    async with transaction() as session:
        gone = [(thread, holder) for thread, holder in await session.execute(_gone()) if holder is not None]
    given = 0
    for thread_id, operator_id in gone:
        async with transaction() as session:
            if await give_back(session, thread_id, operator_id=operator_id, why="gone"):
                given += 1
                log.warning("talk_given_back", thread=thread_id, operator=operator_id)
    return given


def _gone() -> Select[int, int | None]:
    silent_since = clock.now() - timedelta(seconds=get_settings().give_back_seconds)
    held = select(Thread.id, Thread.operator_id).join(Operator, Operator.id == Thread.operator_id)
    held = held.join(Escalation, (Escalation.thread_id == Thread.id) & Escalation.closed_at.is_(None))
    return held.where(
        Thread.owner == Owner.OPERATOR, Escalation.lane.in_(DANGER),
        or_(Operator.last_seen_at.is_(None), Operator.last_seen_at < silent_since, Operator.disabled_at.is_not(None)),
    )  # fmt: skip


async def give_back(session: AsyncSession, thread_id: int, *, operator_id: int, why: str) -> bool:
    """The talk waits for a person again and rings if it is danger; False when it is no longer that operator's."""
    thread = await talk.get_talk(session, thread_id, for_update=True)
    if thread.owner != Owner.OPERATOR or thread.operator_id != operator_id:
        return False
    thread.waiting_since = clock.now()
    if not await talk.move(session, thread, Owner.WAITING, who="system", detail={"gone": operator_id, "why": why}):
        return False
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is not None:
        await escalations.give_back(session, escalation, operator_id=operator_id, why=why)
    return True
