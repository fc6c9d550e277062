"""Names of children and of those complained of stay shut on a ticket's page until somebody opens them; the audit keeps why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.operators import presence

from . import pages, reasons, ticket_children
from .ids import Id
from .seat import OpeningChild
from .ticket_room import read_ticket

log = logs.get("console")
router = APIRouter()


@router.post("/tickets/{ticket_id}/children/names")
async def open_names(
    ticket_id: Id,
    seat: OpeningChild,
    why: Annotated[str, Form(max_length=16)] = "",
    words: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """The same part of the page with the names in it; nothing stays open. Raises `SayWhy` where danger is no reason by itself."""
    async with transaction() as session:
        ticket = await read_ticket(session, seat, ticket_id)
        family = await ticket_children.load(session, seat, ticket, shown=True)
        reason = family.reason or reasons.said_why(why, words, among=reasons.FOR_A_CHILD)
        subject = f"ticket:{ticket_id}"
        await presence.note(session, operator_id=seat.operator.id, what="open_names", subject=subject, detail=reason)
    log.info("names_opened", ticket=ticket_id, operator=seat.operator.id)
    return pages.render("_ticket_children.html", seat=seat, ticket=ticket, family=family)
