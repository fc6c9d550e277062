"""When the hotline's duty to report arises, changes hands with a merge, and which harm it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.messages.models import Message
from sms_gateway.timers import drop_timers, set_timer
from sms_gateway.triage.judgement import Harm

from . import accused, children, duty_rules, same_child
from .actors import SYSTEM
from .duty import LATE_JOB, OF_ONE_MATTER, list_duties
from .models import DutyReport, Ticket
from .record import record_event

HARM_LANES = ("red", "orange")


async def arise(session: AsyncSession, ticket: Ticket, *, since: datetime) -> list[DutyReport]:
    """Rows for every body that must be told of the locked ticket and is not yet; nothing where no harm is suspected.

    `since`: when the text that told of it, or what raised it, came. In red what is open falls due earlier. Twice is as good as once.
    """
    if ticket.lane not in HARM_LANES:
        return []
    harm = await harm_of(session, ticket)
    if not duty_rules.is_suspected_harm(harm):
        return []
    avoid = await accused.units_complained_of(session, ticket.id)
    told = await _whom(session, ticket, harm, avoid)
    rows = await _readdressed(session, ticket, told, avoid)
    due = duty_rules.due_at(ticket.lane, since)
    for row in rows:
        if row.settled_at is None and due < row.due_at:
            await _fall_due(session, row, due)
    held = {_department(row.body) for row in rows}
    new = [
        DutyReport(ticket_id=ticket.id, body=code, arose_at=since, due_at=due, overdue_steps=0)
        for code in told
        if _department(code) not in held
    ]
    session.add_all(new)
    await session.flush()
    for row in new:
        await set_timer(session, job=LATE_JOB, subject_id=row.id, due_at=row.due_at)
    if new:
        detail = {"bodies": [row.body for row in new], "lane": ticket.lane}
        await record_event(session, ticket, "duty_arose", who=str(SYSTEM), detail=detail)
    _count_down(ticket, harm, [*rows, *new])
    await session.flush()
    return new


async def harm_of(session: AsyncSession, ticket: Ticket) -> str | None:
    """What triage found in the talk's texts of this matter: sexual harm before all else, then the newest; None: nothing."""
    wanted = select(Message.harm, Message.sexual).where(Message.thread_id == ticket.thread_id)
    wanted = wanted.where(Message.lane.in_(HARM_LANES), Message.at >= ticket.received_at - OF_ONE_MATTER)
    found = [(harm, sexual) for harm, sexual in await session.execute(wanted.order_by(Message.id.desc()).limit(50))]
    if any(sexual for _harm, sexual in found):
        return Harm.SEXUAL
    return next((harm for harm, _sexual in found if harm and harm not in duty_rules.ACCIDENTS), None) or next(
        (harm for harm, _sexual in found if harm and harm != Harm.NONE), None
    )


async def _whom(session: AsyncSession, ticket: Ticket, harm: str | None, avoid: Iterable[str]) -> list[str]:
    ages = [
        age
        for child in await children.list_children(session, ticket.id)
        if (age := same_child.age_now(child)) is not None
    ]
    relations = [row.relation for row in await accused.list_accused(session, ticket.id)]
    told = duty_rules.whom_to_tell(
        harm, ticket.category, ticket.place, age=min(ages, default=None), avoid=avoid,
        at_school=duty_rules.happens_at_school(ticket.category, relations),
    )  # fmt: skip
    return [unit.code for unit in told]


def _department(code: str) -> str:
    return code.partition("@")[0]


async def _readdressed(
    session: AsyncSession, ticket: Ticket, told: Sequence[str], avoid: frozenset[str]
) -> list[DutyReport]:
    """The rows there are. Open ones go to where the matter is known to be by now, and never to a body complained of."""
    rows = []
    for row in await list_duties(session, ticket.id):
        instead = next((code for code in told if _department(code) == _department(row.body)), None)
        rows.append(row)
        if row.settled_at is not None or row.body == instead or (instead is None and row.body not in avoid):
            continue
        detail = {"duty": row.id, "body": row.body, "instead": instead}
        if instead is None:
            await drop_timers(session, job=LATE_JOB, subject_id=row.id)
            await session.delete(rows.pop())
        else:
            row.body, row.why_not, row.excused_by = instead, None, None
        await record_event(session, ticket, "duty_moved", who=str(SYSTEM), detail=detail)
    return rows


async def _fall_due(session: AsyncSession, row: DutyReport, due: datetime) -> None:
    row.due_at, row.overdue_steps = due, 0
    await drop_timers(session, job=LATE_JOB, subject_id=row.id)
    await set_timer(session, job=LATE_JOB, subject_id=row.id, due_at=due)


def _count_down(ticket: Ticket, harm: str | None, rows: Sequence[DutyReport]) -> None:
    """The 72 hours stand with the report to the police; told once, they are a person's to mend."""
    if not duty_rules.is_sexual(harm, ticket.category, ticket.sensitivity):
        return
    police = [row for row in rows if row.body.startswith(f"{duty_rules.POLICE}@")]
    if police and all(row.evidence_until is None for row in police):
        words = "，".join((ticket.answers or {}).get(name, "") for name in ("when", "what", "more"))
        police[0].evidence_until, police[0].evidence_from = duty_rules.evidence_until(words, ticket.received_at)


async def take_over(session: AsyncSession, ticket: Ticket, *, into: Ticket) -> None:
    """The locked `ticket` is merged into the locked `into`: what is still to be told is told from there."""
    held = {row.body for row in await list_duties(session, into.id)}
    for row in await list_duties(session, ticket.id):
        if row.settled_at is not None:
            continue
        if row.body in held:
            await drop_timers(session, job=LATE_JOB, subject_id=row.id)
            await session.delete(row)
        else:
            row.ticket_id = into.id
    await session.flush()
