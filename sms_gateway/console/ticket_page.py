"""One ticket before the desk: its page, with everything that may be done. Opening it is written into the audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators import roster
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import (
    accused,
    attachments,
    copies,
    dispatching,
    extending,
    near_ones,
    near_ones_rules,
    ruling,
    scope,
    service,
)  # fmt: skip
from sms_gateway.tickets.file_types import MIME
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket, TicketEvent, TicketLink

from . import (
    holds,
    pages,
    reasons,
    sealed_page,
    ticket_ask,
    ticket_children,
    ticket_duty,
    ticket_opening,
    ticket_transfer,
)
from .ids import Id
from .seat import Seat, SeeingTickets
from .ticket_opening import TicketIsShut
from .ticket_room import note, read_ticket
from .ticket_view import TicketView

router = APIRouter(prefix="/tickets/{ticket_id}")

OTHERS_SHOWN = 12


@router.get("")
async def show_ticket(ticket_id: Id, seat: SeeingTickets) -> Response:
    """The whole page; the audit keeps why, which is asked where neither danger nor their work says it."""
    try:
        return await _show_ticket(ticket_id, seat)
    except TicketIsShut as shut:
        async with transaction() as session:
            ticket = await read_ticket(session, seat, ticket_id)
        return pages.render(
            "ticket_shut.html", seat=seat, ticket=ticket, sentence=shut.sentence, choices=reasons.FOR_A_TICKET
        )


@router.post("/open")
async def open_ticket(
    ticket_id: Id, seat: SeeingTickets, why: Annotated[str, Form(max_length=16)] = "", words: Annotated[str, Form(max_length=400)] = ""
) -> Response:  # fmt: skip
    """For two hours; the audit keeps why. Raises `SayWhy` (422)."""
    reason = reasons.said_why(why, words, among=reasons.FOR_A_TICKET)
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await note(session, seat, ticket_opening.OPENED, ticket_id, reason)
    return RedirectResponse(f"/tickets/{ticket_id}", status_code=303)


async def _show_ticket(ticket_id: int, seat: Seat) -> Response:
    async with transaction() as session:
        view = await load_view(session, seat, ticket_id)
        why = await ticket_opening.reason_of(session, seat, view.ticket, view.events)
        follow = await ticket_ask.load(session, view.ticket)
        passed_on = await ticket_transfer.load(session, view.ticket)
        family = await ticket_children.load(session, seat, view.ticket)
        duty = await ticket_duty.load(session, view.ticket)
        held, may_hold = await holds.load_over(session, seat, view.ticket.contact_id)
        await note(session, seat, "open_ticket", ticket_id, why)
    return pages.render(
        "ticket.html",
        seat=seat,
        view=view,
        ticket=view.ticket,
        follow=follow,
        passed_on=passed_on,
        pictures=sealed_page.part_of(view.files),
        family=family,
        duty=duty,
        held=held,
        may_hold=may_hold,
    )


async def load_view(session: AsyncSession, seat: Seat, ticket_id: int) -> TicketView:
    """Everything the page asks. Raises `TicketNotFound`."""
    ticket = await read_ticket(session, seat, ticket_id)
    events = list(await service.list_events(session, ticket_id))
    region = region_of(seat.operator.unit)
    others = [
        row
        for row in await recusing.open_of(
            session, seat.operator.id, await service.list_tickets(session, contact_id=ticket.contact_id)
        )
        if row.id != ticket_id and scope.lies_in(row.place, region)
    ]
    people = {int(event.who[9:]) for event in events if event.who.startswith("operator:")}
    return TicketView(
        ticket, seat, events, others=others[:OTHERS_SHOWN], named=await roster.name_operators(session, people),
        hands=await dispatching.open_dispatches(session, ticket_id), accused=await accused.list_accused(session, ticket_id),
        files=await attachments.list_for(session, ticket_id), extension=await extending.find_request(session, ticket_id),
        returned=await ruling.find_return(session, ticket_id) if ticket.status == Status.RETURNED else None,
        copy=await copies.reworded(session, ticket), numbers=await _numbers(session, events), calls=await _calls(session, ticket),
        near=await _near(session, ticket),
    )  # fmt: skip


async def _near(session: AsyncSession, ticket: Ticket) -> list[tuple[str, str]]:
    if not await near_ones.asks(session, ticket):
        return []
    return near_ones_rules.choices(guardian_harms=await near_ones.guardian_harms(session, ticket.contact_id))


async def _numbers(session: AsyncSession, events: list[TicketEvent]) -> dict[int, str]:
    """Numbers of the tickets that merges name."""
    ids = {value for event in events for key in ("into", "ticket") if isinstance(value := event.detail.get(key), int)}
    if not ids:
        return {}
    found = await session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))
    return {row.id: row.number for row in found}


async def _calls(session: AsyncSession, ticket: Ticket) -> list[tuple[int, str]]:
    """Talks beside its own: those that were merged into it, and those its escalations rang in."""
    links = list(await session.scalars(select(TicketLink).where(TicketLink.ticket_id == ticket.id)))
    rang = [link.ref for link in links if link.kind == "escalation"]
    found: list[Any] = []
    if rang:
        wanted = select(Escalation.thread_id, Escalation.id).where(Escalation.id.in_(rang)).order_by(Escalation.id)
        found = list((await session.execute(wanted)).all())
    merged = [(link.ref, "并入的会话") for link in links if link.kind == "thread" and link.ref != ticket.thread_id]
    return [*((row.thread_id, f"呼叫 {row.id}") for row in found), *merged]


@router.get("/files/{file_id}")
async def download(ticket_id: Id, file_id: Id, seat: SeeingTickets) -> Response:
    """A file as a download, never shown in a page."""
    async with transaction() as session:
        ticket = await read_ticket(session, seat, ticket_id)
        await ticket_opening.reason_of(session, seat, ticket, await service.list_events(session, ticket_id))
        kept = await attachments.get(session, ticket_id=ticket_id, attachment_id=file_id)
        await note(session, seat, "open_file", ticket_id)
    return Response(kept.content, media_type=MIME[kept.kind], headers=attachments.headers_for(kept))
