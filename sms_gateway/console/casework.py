"""Tickets, read only (the loop itself is casework's), and the supervisor's page: who is there, what they hold."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from sms_gateway import clock
from sms_gateway.conversations import overview
from sms_gateway.database import transaction
from sms_gateway.operators import presence, roster
from sms_gateway.tickets import overview as tickets
from sms_gateway.tickets import service
from sms_gateway.tickets.draft import LABELS, ORDER
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.numbers import find_number

from . import pages
from .ids import Id
from .seat import SeeingTeam, SeeingTickets

router = APIRouter()

FILTERS = {"open": "在办", "danger": "红和橙", "late": "超时", "closed": "已结"}
"""What the list may show, by its word in the address."""


@router.get("/tickets")
async def show_tickets(seat: SeeingTickets, show: str = "open", number: str = "") -> Response:
    """The list; a number leads to its ticket."""
    show = show if show in FILTERS else "open"
    async with transaction() as session:
        wanted = find_number(number) if number else None
        found = await tickets.find_by_number(session, wanted) if wanted else None
        if found is not None:
            return RedirectResponse(f"/tickets/{found.id}", status_code=303)
        closed = show == "closed"
        rows = list(await tickets.list_closed(session) if closed else await service.list_open(session))
    counts = {} if closed else {name: len(_only(rows, name)) for name in ("open", "danger", "late")}
    return pages.render(
        "tickets.html", seat=seat, rows=_only(rows, show), show=show, filters=FILTERS, counts=counts,
        missing=number.strip()[:20] if number.strip() else "",
    )  # fmt: skip


def _only(rows: list[Ticket], show: str) -> list[Ticket]:
    if show == "danger":
        return [row for row in rows if row.lane in ("red", "orange")]
    if show == "late":
        return [row for row in rows if row.due_at < clock.now()]
    return rows


@router.get("/tickets/{ticket_id}")
async def show_ticket(ticket_id: Id, seat: SeeingTickets) -> Response:
    """One ticket; opening it is written into the audit."""
    async with transaction() as session:
        ticket = await service.get_ticket(session, ticket_id)
        events = await service.list_events(session, ticket_id)
        others = [
            row for row in await service.list_tickets(session, contact_id=ticket.contact_id) if row.id != ticket.id
        ]
        people = {int(event.who[9:]) for event in events if event.who.startswith("operator:")}
        named = await roster.name_operators(session, people)
        await presence.note(session, operator_id=seat.operator.id, what="open_ticket", subject=f"ticket:{ticket_id}")
    return pages.render(
        "ticket.html", seat=seat, ticket=ticket, events=events, others=others, named=named, lines=answers_of(ticket)
    )


def answers_of(ticket: Ticket) -> list[tuple[str, str]]:
    """(label, answer) in the form's order; what no form asked comes last."""
    said = dict(ticket.answers or {})
    order = [name for form in ORDER.values() for name in form]
    known = sorted(said, key=lambda name: order.index(name) if name in order else len(order))
    shown = [name for name in known if name != "county"]
    return [(LABELS.get(name, name), said[name]) for name in shown]


@router.get("/team")
async def show_team(seat: SeeingTeam) -> Response:
    """Who is on, what they hold, what waits, and the newest audit rows."""
    async with transaction() as session:
        people = list(await roster.list_operators(session))
        found = await overview.load_board(session, operator_id=seat.operator.id)
        audit = await roster.list_audit(session)
    held = [*found.mine, *found.others]
    return pages.render(
        "team.html", seat=seat, people=people, board=found, held=held, audit=audit,
        there={one.id: roster.is_there(one) for one in people}, named={one.id: one for one in people},
    )  # fmt: skip
