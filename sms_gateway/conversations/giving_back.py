"""A talk goes back to the queue: its operator's console is gone, they step back, or know the family. The one way to do so."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator
from sms_gateway.operators.seats import DANGER
from sms_gateway.settings import get_settings

from . import talk
from .ownership import Owner

log = logs.get("conversations")


async def sweep() -> int:
    """Each second: give back the danger that operators hold whose console is silent too long; returns how many talks."""
    async with transaction() as session:
        gone = [(thread, holder) for thread, holder in await session.execute(_gone()) if holder is not None]
    given = 0
    for thread_id, operator_id in gone:
        async with transaction() as session:
            thread = await talk.get_talk(session, thread_id, for_update=True)
            if await give_back(session, thread, holder=operator_id, why="gone"):
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


async def give_back(
    session: AsyncSession, thread: Thread, *, holder: int | None, why: str, who: str = "system",
    waiting_since: datetime | None = None,
) -> bool:  # fmt: skip
    """The locked talk waits for a person again, danger rings, the rest waits in line; False when it is no longer `holder`'s.

    `waiting_since`: when a text came that nobody will read (then every step that is due comes at once); without one the
    ladder begins anew from now.
    """
    if thread.owner != Owner.OPERATOR or thread.operator_id != holder:
        return False
    thread.waiting_since = waiting_since or clock.now()
    if not await talk.move(session, thread, Owner.WAITING, who=who, detail={"gone": holder, "why": why}):
        return False
    escalation = await escalations.find_open(session, thread.id, for_update=True)
    if escalation is not None:
        await escalations.give_back(session, escalation, operator_id=holder, why=why, anew=waiting_since is None)
    elif (message := await inbox.find_newest(session, thread.id)) is not None:
        await escalations.open_or_raise(session, message=message, cause="asked_for_person", lane="blue")
    return True
