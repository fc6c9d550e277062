"""Clocks of the duty to report: what is late is put before the shift lead, and the police are asked for word after three days.

Called by timers (`tasks.py`); a timer that comes twice, or hours late, does its work once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.timers import set_timer

from . import duty, duty_rules, moves
from .actors import SYSTEM
from .models import DutyReport, Ticket
from .record import record_event

EVIDENCE_SHOWN_FOR = timedelta(hours=24)
"""After they have ended, the 72 hours are still said to be over for so long."""


async def put_before_lead(session: AsyncSession, duty_id: int) -> bool:
    """督办: a report that is late and neither made nor excused; whether something was put before the lead.

    However many moments went by while nothing ran, it is said once, with the last of them.
    """
    found = await _locked(session, duty_id)
    if found is None:
        return False
    ticket, row = found
    if row.settled_at is not None:
        return False
    steps = duty_rules.steps_due(row.due_at, clock.now())
    spoken = steps > row.overdue_steps
    if spoken:
        row.overdue_steps = steps
        detail = {"duty": row.id, "body": row.body, "step": steps}
        await record_event(session, ticket, "duty_overdue", who=str(SYSTEM), detail=detail)
    again = duty_rules.put_again_at(row.due_at, steps)
    if again is not None:
        await set_timer(session, job=duty.LATE_JOB, subject_id=row.id, due_at=again)
    return spoken


async def urge_police(session: AsyncSession, duty_id: int) -> bool:
    """The police owe us word since three days (强制报告意见 第10条): urged, and again three days later; whether it was now."""
    found = await _locked(session, duty_id)
    if found is None:
        return False
    ticket, row = found
    now = clock.now()
    if row.feedback_due_at is None or row.feedback_at is not None or now < row.feedback_due_at:
        return False
    row.feedback_due_at = now + duty_rules.FEEDBACK_WITHIN
    await set_timer(session, job=duty.FEEDBACK_JOB, subject_id=row.id, due_at=row.feedback_due_at)
    detail = {"duty": row.id, "body": row.body}
    await record_event(session, ticket, "police_urged", who=str(SYSTEM), detail=detail)
    return True


async def _locked(session: AsyncSession, duty_id: int) -> tuple[Ticket, DutyReport] | None:
    ticket_id = await session.scalar(select(DutyReport.ticket_id).where(DutyReport.id == duty_id))
    if ticket_id is None:
        return None
    ticket = await moves.lock(session, ticket_id)
    wanted = select(DutyReport).where(DutyReport.id == duty_id).with_for_update()
    row = await session.scalar(wanted.execution_options(populate_existing=True))
    return (ticket, row) if row is not None else None


# ---- what pages show on top ----


@dataclass(frozen=True)
class Banner:
    """What presses in a matter of harm. `evidence_until`: of sexual harm, with what it counts from; `overdue`: late reports."""

    lane: str
    open: Sequence[DutyReport]
    overdue: Sequence[DutyReport]
    due_at: datetime | None
    evidence_until: datetime | None
    evidence_from: str | None
    feedback_late: Sequence[DutyReport]

    @property
    def evidence_is_over(self) -> bool:
        return self.evidence_until is not None and self.evidence_until <= clock.now()


def banner(ticket: Ticket, rows: Sequence[DutyReport]) -> Banner | None:
    """What a page says on top of the ticket; None when nothing presses. Pure but for the clock."""
    now = clock.now()
    open_rows = [row for row in rows if row.settled_at is None]
    evidence = next((row for row in rows if row.evidence_until is not None), None)
    until = evidence.evidence_until if evidence else None
    if until is not None and now > until + EVIDENCE_SHOWN_FOR:
        until = None
    late = [
        row for row in rows if row.filed_at and not row.feedback_at and now >= row.filed_at + duty_rules.FEEDBACK_WITHIN
    ]
    if not open_rows and until is None and not late:
        return None
    return Banner(
        lane=ticket.lane, open=open_rows, overdue=[row for row in open_rows if row.due_at <= now],
        due_at=min((row.due_at for row in open_rows), default=None), evidence_until=until,
        evidence_from=evidence.evidence_from if evidence and until else None, feedback_late=late,
    )  # fmt: skip
