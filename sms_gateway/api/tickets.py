"""REST for departments: a unit's own tickets, and the moves that are a unit's to make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.tickets import attachments, dispatching, extending, handling, moves, seen, service, told
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket

from .keys import Called, Caller, note
from .schemas import (
    Ask,
    Bulk,
    BulkOut,
    BulkReply,
    BulkResult,
    EventsOut,
    MoreTime,
    Move,
    Page,
    Reply,
    Requested,
    Return,
    TicketNumber,
    TicketOut,
)
from .telling import event_out, ticket_out

router = APIRouter(prefix="/tickets", tags=["tickets"])
Number = Annotated[TicketNumber, Path(description="8 位单号")]
Act = Callable[[AsyncSession, Ticket], Awaitable[object]]
MOVED = "api_move_ticket"
"""As the audit calls every move; which one it was stands in the ticket's own record."""


@router.get("", summary="本单位看得到的工单，最新的在前")
async def list_tickets(
    caller: Called, *, status: Annotated[list[Status] | None, Query()] = None, in_hand: bool = False, overdue: bool = False,
    before: Annotated[TicketNumber | None, Query(description="上一页的 next")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:  # fmt: skip
    now = clock.now()
    conditions: list[ColumnElement[bool]] = []
    if status:
        conditions.append(Ticket.status.in_(status))
    if in_hand:
        conditions.append(Ticket.unit == caller.unit.code)
    if overdue:
        conditions += [Ticket.closed_at.is_(None), Ticket.due_at < now]
    async with transaction() as session:
        start = await seen.get_seen(session, caller.unit.code, number=before) if before else None
        found = await seen.list_seen(
            session, caller.unit.code, conditions=conditions, before_id=start.ticket.id if start else None, limit=limit
        )
        await note(session, caller, "api_list_tickets", f"key:{caller.key_id}")
    more = found[-1].ticket.number if len(found) == limit else None
    return Page(tickets=[ticket_out(one, now) for one in found], next=more)


@router.get("/{number}", summary="一单")
async def get_ticket(number: Number, caller: Called) -> TicketOut:
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        await note(session, caller, "api_open_ticket", f"ticket:{found.ticket.id}")
        return ticket_out(found, clock.now())


@router.get("/{number}/events", summary="一单的经过")
async def list_events(number: Number, caller: Called) -> EventsOut:
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        events = await service.list_events(session, found.ticket.id)
        await note(session, caller, "api_open_events", f"ticket:{found.ticket.id}")
        told_to = told.told_to(caller.unit.code, events)
        return EventsOut(events=[event_out(line, caller.unit.code) for line in told_to])


async def _move(number: str, caller: Caller, version: int, act: Act) -> TicketOut:
    """Lock the ticket at the version that was read, do `act`, tell the ticket as it is then; one transaction."""
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        ticket = await moves.lock(session, found.ticket.id, version=version)
        await act(session, ticket)
        await note(session, caller, MOVED, f"ticket:{ticket.id}")
        after = await seen.get_seen(session, caller.unit.code, ticket_id=ticket.id)
        return ticket_out(after, clock.now())


@router.post("/{number}/sign", summary="签收")
async def sign(number: Number, caller: Called, move: Move) -> TicketOut:
    return await _move(number, caller, move.version, lambda s, t: dispatching.sign(s, t, actor=caller.actor))


@router.post("/{number}/begin", summary="开始办理")
async def begin(number: Number, caller: Called, move: Move) -> TicketOut:
    return await _move(number, caller, move.version, lambda s, t: handling.begin(s, t, actor=caller.actor))


@router.post("/{number}/ask", summary="要来信人补充；值班员看过才发")
async def ask(number: Number, caller: Called, move: Ask) -> TicketOut:
    return await _move(
        number, caller, move.version, lambda s, t: handling.ask(s, t, actor=caller.actor, question=move.question)
    )


@router.post("/{number}/return", summary="退单：不归本单位", status_code=204)
async def give_back(number: Number, caller: Called, move: Return) -> None:
    """No ticket comes back: after it the unit may not see it any more."""
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        ticket = await moves.lock(session, found.ticket.id, version=move.version)
        await dispatching.give_back(session, ticket, actor=caller.actor, why=move.why, duty=move.duty)
        await note(session, caller, MOVED, f"ticket:{ticket.id}")


@router.post("/{number}/extensions", summary="申请延期；值班长批", status_code=202)
async def ask_for_time(number: Number, caller: Called, move: MoreTime) -> Requested:
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        ticket = await moves.lock(session, found.ticket.id, version=move.version)
        asked = await extending.ask(session, ticket, actor=caller.actor, until=move.until, reason=move.reason)
        await note(session, caller, MOVED, f"ticket:{ticket.id}")
        return Requested(id=asked.id, until=asked.until)


@router.post("/{number}/reply", summary="答复")
async def reply(number: Number, caller: Called, move: Reply) -> TicketOut:
    async def act(session: AsyncSession, ticket: Ticket) -> None:
        event = await handling.reply(session, ticket, actor=caller.actor, words=move.words)
        await attachments.belong_to(session, ticket, event, ids=move.attachments, who=str(caller.actor))

    return await _move(number, caller, move.version, act)


async def _each(bulk: Bulk, caller: Caller, act: Act) -> BulkOut:
    """Every ticket in a transaction of its own: what one cannot do does not hold the others up."""
    results = []
    for item in bulk.tickets:
        try:
            told = await _move(item.number, caller, item.version, act)
        except HotlineError as error:
            results.append(BulkResult(number=item.number, ok=False, status=error.status_code, error=error.sentence))
        else:
            results.append(BulkResult(number=item.number, ok=True, status=200, version=told.version))
    return BulkOut(results=results)


bulk_router = APIRouter(prefix="/bulk", tags=["bulk"])


@bulk_router.post("/sign", summary="成批签收")
async def sign_many(caller: Called, bulk: Bulk) -> BulkOut:
    return await _each(bulk, caller, lambda s, t: dispatching.sign(s, t, actor=caller.actor))


@bulk_router.post("/begin", summary="成批开始办理")
async def begin_many(caller: Called, bulk: Bulk) -> BulkOut:
    return await _each(bulk, caller, lambda s, t: handling.begin(s, t, actor=caller.actor))


@bulk_router.post("/reply", summary="成批答复同样的话")
async def reply_many(caller: Called, bulk: BulkReply) -> BulkOut:
    return await _each(bulk, caller, lambda s, t: handling.reply(s, t, actor=caller.actor, words=bulk.words))
