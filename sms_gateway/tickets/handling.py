"""办理、答复: a unit works on the matter, asks the person, answers; the desk asks too, and sends a reply back."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from . import dispatching, moves
from .actors import Actor
from .lifecycle import Status
from .models import Ticket, TicketEvent


async def begin(session: AsyncSession, ticket: Ticket, *, actor: Actor) -> TicketEvent:
    """办理中."""
    return await moves.move(session, ticket, Status.HANDLING, actor=actor)


async def ask(session: AsyncSession, ticket: Ticket, *, actor: Actor, question: str) -> TicketEvent:
    """补充: the person has to say more; the clock of a blue matter stands. The desk reads the question before it goes out."""
    return await moves.move(session, ticket, Status.CLARIFYING, actor=actor, why=question)


async def resume(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, message_id: int | None = None, why: str | None = None
) -> TicketEvent:
    """The person has answered (or need not): back to where the question came from, the clock runs on."""
    back = Status(ticket.paused_from or Status.ACCEPTED)
    detail = {"message": message_id} if message_id is not None else None
    return await moves.move(session, ticket, back, actor=actor, why=why, what="resumed", detail=detail)


async def reply(session: AsyncSession, ticket: Ticket, *, actor: Actor, words: str) -> TicketEvent:
    """答复: what was done, in the unit's words, for the desk to read. A unit that replies has signed for it."""
    event = await moves.move(session, ticket, Status.REPLIED, actor=actor, why=words)
    for row in await dispatching.open_dispatches(session, ticket.id):
        if row.unit == actor.unit:
            row.signed_at, row.replied_at = row.signed_at or clock.now(), clock.now()
    return event


async def send_back(session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str) -> TicketEvent:
    """The desk does not accept the reply: the unit goes on handling."""
    return await moves.move(session, ticket, Status.HANDLING, actor=actor, why=why, what="reply_refused")
