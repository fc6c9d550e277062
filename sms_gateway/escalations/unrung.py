"""Red that rings at nobody is found again: a job that fails for good takes the ladder's next timer with it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import exists, select

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.timers import Timer, set_timer

from .ladder import State
from .models import Escalation, EscalationEvent


async def sweep(*, quiet: timedelta = timedelta(minutes=3)) -> int:
    """Red that rings at nobody: its timer was lost with a job that failed for good. Each second; returns how many are set again."""
    now = clock.now()
    waiting = exists().where(
        Timer.job == "escalations.step", Timer.subject_id == Escalation.id, Timer.done_at.is_(None)
    )
    rung = exists().where(
        EscalationEvent.escalation_id == Escalation.id,
        EscalationEvent.what == "rung",
        EscalationEvent.at >= now - quiet,
    )
    lost = select(Escalation.id).where(
        Escalation.closed_at.is_(None), Escalation.lane == "red", Escalation.state == State.RINGING, ~waiting, ~rung,
        Escalation.opened_at < now - quiet,
    )  # fmt: skip
    async with transaction() as session:
        found = list(await session.scalars(lost.limit(50)))
        for escalation_id in found:
            await set_timer(session, job="escalations.step", subject_id=escalation_id, due_at=now)
    return len(found)
