"""What somebody changes in a matter of their own by text: they take it back, or add to it ("要改、要撤，直接写一句")."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from . import concluding, handling, lifecycle
from .actors import PERSON
from .lifecycle import Status
from .models import Ticket
from .record import record_event


class Outcome(StrEnum):
    WITHDRAWN = "withdrawn"
    NOTED = "wish_noted"
    """Suspected harm is nobody's to take back: the wish is noted, the matter goes on (PRACTICE section 8)."""
    ADDED = "more"


async def find_changeable(session: AsyncSession, *, contact_id: int, tails: tuple[str, ...] = ()) -> list[Ticket]:
    """This contact's open tickets, the newest first, locked; only those whose number ends so when `tails` are named."""
    wanted = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.closed_at.is_(None))
    found = await session.scalars(wanted.order_by(Ticket.id.desc()).with_for_update(key_share=True))
    return [ticket for ticket in found if not tails or ticket.number.endswith(tails)]


async def note_asked(session: AsyncSession, ticket_ids: Iterable[int], *, message_id: int) -> None:
    """Note on matters whose state is not told by text that the person asked for it: somebody may tell them safely."""
    wanted = select(Ticket).where(Ticket.id.in_(list(ticket_ids))).order_by(Ticket.id)
    for ticket in await session.scalars(wanted.with_for_update(key_share=True)):
        await record_event(session, ticket, "asked_progress", who=str(PERSON), detail={"message": message_id})


async def take_back(session: AsyncSession, ticket: Ticket, *, message_id: int) -> Outcome:
    """Withdraw the ticket where that is the person's to do, else note that they wished it."""
    allowed = lifecycle.may_withdraw(ticket.kind, ticket.lane)
    if allowed and lifecycle.can_move(ticket.status, Status.WITHDRAWN):
        await concluding.withdraw(session, ticket, actor=PERSON, message_id=message_id)
        return Outcome.WITHDRAWN
    await record_event(session, ticket, Outcome.NOTED, who=str(PERSON), detail={"message": message_id})
    return Outcome.NOTED


async def add_words(session: AsyncSession, ticket: Ticket, *, message_id: int) -> Outcome:
    """Note on the ticket that message `message_id` adds to it or mends it; the words stay in the talk.

    Where the desk or a unit was waiting for them, the clock runs on.
    """
    if ticket.status == Status.CLARIFYING:
        await handling.resume(session, ticket, actor=PERSON, message_id=message_id)
        return Outcome.ADDED
    await record_event(session, ticket, Outcome.ADDED, who=str(PERSON), detail={"message": message_id})
    return Outcome.ADDED
