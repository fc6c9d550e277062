"""已核实、已处理: who reported suspected harm hears that it was looked into, once it is concluded and only where that is safe."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Thread
from sms_gateway.timers import set_timer

from . import duty, follow_up, follow_up_rules, moves, reporter_rules
from .actors import SYSTEM
from .decent_hours import by_day, is_decent
from .duty_arising import HARM_LANES
from .follow_up_rules import Reason
from .lifecycle import Status
from .models import Ticket, TicketEvent
from .record import record_event

JOB = "tickets.tell_reporter"
TEXT_KEY = "reporter.result"
TOLD, NOT_TOLD = "reporter_told", "reporter_not_told"
CONCLUDED = frozenset({Status.CONCLUDED, Status.FOLLOWED_UP, Status.EVALUATED})
GIVES_UP_AFTER = timedelta(days=30)
"""Duties still open so long after the end are the lead's matter, not a text's."""


async def plan(session: AsyncSession, ticket: Ticket) -> None:
    """The locked ticket was concluded: look whether to tell the reporter when it is day."""
    if ticket.lane in HARM_LANES:
        await set_timer(session, job=JOB, subject_id=ticket.id, due_at=follow_up_rules.survey_due(clock.now()))


async def tell(session: AsyncSession, ticket_id: int) -> str | None:
    """Tell the reporter, put it off, or keep why not; what was done: "told", "later", a reason, or None. Twice is as good as once."""
    thread, ticket = await _locked(session, ticket_id)
    if ticket.status not in CONCLUDED or ticket.closed_at is None or await _is_decided(session, ticket):
        return None
    facts = await follow_up.facts_of(session, ticket)
    reason = reporter_rules.why_not(facts, other_danger=await _has_other_danger(session, ticket))
    if reason is not None:
        await record_event(session, ticket, NOT_TOLD, who=str(SYSTEM), detail={"reason": reason.value})
        return reason.value
    with_a_person = thread.owner in ("operator", "waiting")
    if not is_decent(clock.now()) or with_a_person or await duty.list_unsettled(session, ticket.id):
        return await _later(session, ticket)
    message_id = await outbox.queue_fixed(session, thread=thread, key=TEXT_KEY)
    for row in await duty.list_duties(session, ticket.id):
        row.reporter_told_at = clock.now()
    await record_event(session, ticket, TOLD, who=str(SYSTEM), detail={"message": message_id})
    return "told"


async def _locked(session: AsyncSession, ticket_id: int) -> tuple[Thread, Ticket]:
    """The talk first, as everywhere."""
    wanted = select(Thread).join(Ticket, Ticket.thread_id == Thread.id).where(Ticket.id == ticket_id)
    wanted = wanted.options(joinedload(Thread.contact, innerjoin=True)).with_for_update(of=Thread, key_share=True)
    thread = await session.scalar(wanted)
    if thread is None:
        raise moves.TicketNotFound
    return thread, await moves.lock(session, ticket_id)


async def _later(session: AsyncSession, ticket: Ticket) -> str:
    """Not by night, not into a talk with a person, not before it is reported to whom it must."""
    assert ticket.closed_at is not None
    now = clock.now()
    if now - ticket.closed_at > GIVES_UP_AFTER:
        await record_event(session, ticket, NOT_TOLD, who=str(SYSTEM), detail={"reason": Reason.NO_MOMENT.value})
        return Reason.NO_MOMENT.value
    again = by_day(now) if not is_decent(now) else follow_up_rules.survey_again(now)
    await set_timer(session, job=JOB, subject_id=ticket.id, due_at=again)
    return "later"


async def _is_decided(session: AsyncSession, ticket: Ticket) -> bool:
    said = select(TicketEvent.id).where(TicketEvent.ticket_id == ticket.id, TicketEvent.what.in_((TOLD, NOT_TOLD)))
    return await session.scalar(said.where(TicketEvent.at >= ticket.closed_at).limit(1)) is not None


async def _has_other_danger(session: AsyncSession, ticket: Ticket) -> bool:
    others = select(Ticket.id).where(Ticket.contact_id == ticket.contact_id, Ticket.id != ticket.id)
    others = others.where(Ticket.closed_at.is_(None), Ticket.lane.in_(HARM_LANES))
    return await session.scalar(others.limit(1)) is not None
