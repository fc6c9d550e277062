"""What somebody changes in a matter of their own by text: they take it back, or add to it ("要改、要撤，直接写一句")."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify

from . import lifecycle
from .models import Ticket, TicketEvent


class Outcome(StrEnum):
    WITHDRAWN = "withdrawn"
    NOTED = "wish_noted"
    """Suspected harm is nobody's to take back: the wish is noted, the matter goes on (PRACTICE section 8)."""
    ADDED = "more"


async def find_changeable(session: AsyncSession, *, contact_id: int, tails: tuple[str, ...] = ()) -> list[Ticket]:
    """This contact's open tickets, the newest first, locked; only those whose number ends so when `tails` are named."""
    wanted = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.closed_at.is_(None))
    found = await session.scalars(wanted.order_by(Ticket.id.desc()).with_for_update())
    return [ticket for ticket in found if not tails or ticket.number.endswith(tails)]


async def take_back(session: AsyncSession, ticket: Ticket, *, message_id: int) -> Outcome:
    """Withdraw the ticket where that is the person's to do, else note that they wished it."""
    allowed = lifecycle.may_withdraw(ticket.kind, ticket.lane)
    if allowed and lifecycle.can_move(ticket.status, lifecycle.Status.WITHDRAWN):
        ticket.status, ticket.closed_at = lifecycle.Status.WITHDRAWN.value, clock.now()
        return await _note(session, ticket, Outcome.WITHDRAWN, message_id)
    return await _note(session, ticket, Outcome.NOTED, message_id)


async def add_words(session: AsyncSession, ticket: Ticket, *, message_id: int) -> Outcome:
    """Note on the ticket that message `message_id` adds to it or mends it; the words stay in the talk."""
    return await _note(session, ticket, Outcome.ADDED, message_id)


async def _note(session: AsyncSession, ticket: Ticket, outcome: Outcome, message_id: int) -> Outcome:
    noted = TicketEvent(
        ticket_id=ticket.id, what=outcome.value, who="person", at=clock.now(), detail={"message": message_id}
    )
    session.add(noted)
    await notify(session, "hotline_ticket", str(ticket.id))
    return outcome
