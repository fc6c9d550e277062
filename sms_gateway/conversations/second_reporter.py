"""A second person reports the same child: the matter goes up one step, and the reports are laid side by side."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.escalations import service as escalations
from sms_gateway.messages.models import Direction, Message
from sms_gateway.tickets import child_merging, children, duty_arising, same_child
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.actors import SYSTEM
from sms_gateway.tickets.models import Child, Ticket, TicketEvent
from sms_gateway.tickets.record import record_event
from sms_gateway.tickets.same_child import Report
from sms_gateway.triage.judgement import Lane

from . import alarm, talk
from .harm_talks import one_step_up

CAUSE = EVENT = "same_child"


async def look(session: AsyncSession, ticket_id: int) -> None:
    """The ticket's children, after one was recorded, linked or merged. Twice is as good as once."""
    for child in await children.list_children(session, ticket_id):
        certain = await same_child.find_certain(session, child)
        older = [other for other in certain if other.id < child.id]
        if older:  # surely one child: its record is taken over, and that looks again
            await child_merging.merge(
                session, ticket_id=ticket_id, version=None, child_id=child.id, into_id=older[0].id, actor=SYSTEM
            )
            return
        await _weigh(session, child)


async def _weigh(session: AsyncSession, child: Child) -> None:
    told_before = await _told_before(session, child)
    found = same_child.raises_by(await same_child.reports_of(session, child.id), told_before=told_before)
    if found is None:
        return
    thread_id = await session.scalar(select(Ticket.thread_id).where(Ticket.id == found.ticket_id))
    assert thread_id is not None
    thread = await talk.get_talk(session, thread_id, for_update=True)  # the talk first, as everywhere
    reports = await same_child.reports_of(session, child.id)
    locked = await children.lock_tickets(
        session, found.ticket_id, None, [one.ticket_id for one in reports if one.is_open]
    )
    ticket = locked[found.ticket_id]
    if ticket.closed_at is not None or await _told_before(session, child) != told_before:
        return
    await _lay_side_by_side(session, child, reports, locked)
    lane = one_step_up(ticket.lane)
    others = [one.ticket_id for one in reports if one.ticket_id != ticket.id]
    detail = {"child": child.id, "tickets": others}
    await tickets.raise_one(session, ticket, lane=lane, who="system", reason=CAUSE, detail=detail)
    message = await _last_text(session, ticket)
    reason = f"同一个孩子又有人反映，共 {same_child.reporters(reports)} 人，前面的单都列在工单里"
    harm = await duty_arising.harm_of(session, ticket)
    if lane is Lane.RED:
        await alarm.raise_to_red(session, thread, message, reason=reason, harm=harm, cause=CAUSE, since=clock.now())
        return
    await escalations.open_or_raise(
        session, message=message, cause=CAUSE, lane=lane, harm=harm, reasons=[reason], since=clock.now()
    )
    talk.raise_lane(thread, lane)


async def _told_before(session: AsyncSession, child: Child) -> int:
    """With how many reporters the child's matter was raised last; 1 when it never was."""
    merged = select(Child.id).where(or_(Child.id == child.id, Child.merged_into == child.id))
    count = func.max(TicketEvent.detail["reporters"].as_integer())
    said = select(count).where(
        TicketEvent.what == EVENT, TicketEvent.ticket_id.in_(await children.ticket_ids(session, child.id)),
        TicketEvent.detail["child"].as_integer().in_(merged),
    )  # fmt: skip
    return await session.scalar(said) or 1


async def _lay_side_by_side(
    session: AsyncSession, child: Child, reports: Sequence[Report], locked: dict[int, Ticket]
) -> None:
    """Every open ticket of the child names the others."""
    for ticket in locked.values():
        others = [one.ticket_id for one in reports if one.ticket_id != ticket.id]
        detail = {"child": child.id, "reporters": same_child.reporters(reports), "tickets": others}
        await record_event(session, ticket, EVENT, who=str(SYSTEM), detail=detail)


async def _last_text(session: AsyncSession, ticket: Ticket) -> Message:
    """What the matter's own person wrote last."""
    wanted = select(Message).where(Message.thread_id == ticket.thread_id, Message.direction == Direction.IN)
    return (await session.scalars(wanted.order_by(Message.id.desc()).limit(1))).one()
