"""What every route about a ticket shares: whose act it is, which tickets a seat may open, and the answer after an act."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.operators import presence
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import actors, moves, scope, service
from sms_gateway.tickets.actors import Actor
from sms_gateway.tickets.models import Ticket

from .ids import LARGEST
from .seat import Seat

Version = Annotated[int, Form(ge=1, le=LARGEST)]
"""The version the page showed: who acts on an older one hears that somebody was quicker."""


def actor_of(seat: Seat) -> Actor:
    """The desk's act: an operator's, or a shift lead's."""
    return actors.operator(seat.operator.id, lead=seat.is_supervisor)


async def read_ticket(session: AsyncSession, seat: Seat, ticket_id: int) -> Ticket:
    """The ticket, for a desk account whose region it lies in; `TicketNotFound` for all others, as if there were none."""
    ticket = await service.get_ticket(session, ticket_id)
    _check_region(seat, ticket)
    return ticket


async def lock_ticket(session: AsyncSession, seat: Seat, ticket_id: int, version: int | None = None) -> Ticket:
    """`read_ticket` for an act: the row is locked, and `version` must still be the ticket's (409)."""
    ticket = await moves.lock(session, ticket_id, version=None)
    _check_region(seat, ticket)
    if version is not None and version != ticket.version:
        raise moves.SomebodyWasQuicker
    return ticket


def _check_region(seat: Seat, ticket: Ticket) -> None:
    if not scope.lies_in(ticket.place, region_of(seat.operator.unit)):
        raise moves.TicketNotFound


async def note(session: AsyncSession, seat: Seat, what: str, ticket_id: int, why: str | None = None) -> None:
    """An audit row about a ticket."""
    await presence.note(session, operator_id=seat.operator.id, what=what, subject=f"ticket:{ticket_id}", detail=why)


def done(request: Request, path: str) -> Response:
    """After an act: the page anew, for a script or a plain form."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)
