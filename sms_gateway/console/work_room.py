"""What every page of the departments shares: the unit behind a seat, its tickets and nobody else's, its acts."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.errors import Conflict
from sms_gateway.operators import presence
from sms_gateway.tickets import actors, moves, seen
from sms_gateway.tickets.actors import Actor
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.seen import Seen

from .seat import Seat


class MatterIsClosed(Conflict):
    sentence = "这一单已经结束了，不能再办。还要办的，请联系热线重办。"


def unit_of(seat: Seat) -> str:
    """The unit an account works for; "" sees nothing."""
    return seat.operator.unit or ""


def worker(seat: Seat) -> Actor:
    """The unit's act, by this account."""
    return actors.of_unit(unit_of(seat), seat.operator.id)


async def read_work(session: AsyncSession, seat: Seat, ticket_id: int) -> Seen:
    """The ticket as the unit sees it; `TicketNotFound` (404) for one that is not its to see, as if there were none."""
    return await seen.get_seen(session, unit_of(seat), ticket_id=ticket_id)


async def lock_work(session: AsyncSession, seat: Seat, ticket_id: int, version: int) -> Ticket:
    """`read_work` for an act: the row locked first, so that nothing is taken from the unit in between.

    409 for a matter that has ended, and for an older version.
    """
    ticket = await moves.lock(session, ticket_id)
    await read_work(session, seat, ticket_id)
    if ticket.closed_at is not None:
        raise MatterIsClosed
    if ticket.version != version:
        raise moves.SomebodyWasQuicker
    return ticket


async def note(session: AsyncSession, seat: Seat, what: str, subject: str, why: str | None = None) -> None:
    """An audit row."""
    await presence.note(session, operator_id=seat.operator.id, what=what, subject=subject, detail=why)
