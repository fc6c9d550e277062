"""What has stopped is found again: a job that fails for good takes its next timer with it. Each second, beside the timers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Exists, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from sms_gateway import clock
from sms_gateway.bridge.models import BridgeCall, BridgeEvent
from sms_gateway.bridge.service import BY_JOB
from sms_gateway.database import transaction
from sms_gateway.timers import Timer, set_timer

from .ladder import State
from .models import Escalation, EscalationEvent

QUIET = timedelta(minutes=3)
"""Longer than a job's own tries (eight, the last a minute apart) may leave it silent."""
ONCE_IN = timedelta(seconds=30)
"""One that was set going again is left alone for so long: where no worker runs, jobs must not pile up."""
AT_ONCE = 50


async def sweep(*, quiet: timedelta = QUIET) -> int:
    """Set going again what has been silent for `quiet`; returns how many."""
    async with transaction() as session:
        return await _ring(session, quiet) + await _ask(session, quiet)


async def _ring(session: AsyncSession, quiet: timedelta) -> int:
    """Red that rings at nobody."""
    job, since = "escalations.step", clock.now() - quiet
    rung = exists().where(
        EscalationEvent.escalation_id == Escalation.id, EscalationEvent.what == "rung", EscalationEvent.at >= since
    )
    lost = select(Escalation.id).where(
        Escalation.closed_at.is_(None), Escalation.lane == "red", Escalation.state == State.RINGING,
        ~_has_timer(job, Escalation.id), ~rung, Escalation.opened_at < since,
    )  # fmt: skip
    return await _again(session, job, list(await session.scalars(lost.limit(AT_ONCE))))


async def _ask(session: AsyncSession, quiet: timedelta) -> int:
    """A desk that is asked no more, though the matter is open and it has not accepted."""
    job, since = "bridge.send", clock.now() - quiet
    heard = exists().where(BridgeEvent.call_id == BridgeCall.id, BridgeEvent.at >= since)
    lost = select(BridgeCall.id).join(Escalation, Escalation.id == BridgeCall.escalation_id).where(
        BridgeCall.state == "requested", BridgeCall.driver.not_in(BY_JOB), BridgeCall.requested_at < since,
        Escalation.closed_at.is_(None), ~_has_timer(job, BridgeCall.id), ~heard,
    )  # fmt: skip
    return await _again(session, job, list(await session.scalars(lost.limit(AT_ONCE))))


def _has_timer(job: str, subject: InstrumentedAttribute[int]) -> Exists:
    live = or_(Timer.done_at.is_(None), Timer.done_at >= clock.now() - ONCE_IN)
    return exists().where(Timer.job == job, Timer.subject_id == subject, live)


async def _again(session: AsyncSession, job: str, subjects: list[int]) -> int:
    for subject in subjects:
        await set_timer(session, job=job, subject_id=subject, due_at=clock.now())
    return len(subjects)
