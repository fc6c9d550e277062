"""What a ticket belongs to: the call for a person it came from, bridge calls, further talks about the same matter."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import Ticket, TicketLink


class Linked(StrEnum):
    ESCALATION = "escalation"
    BRIDGE = "bridge"
    THREAD = "thread"


async def link(session: AsyncSession, *, ticket_id: int, kind: Linked, ref: int) -> None:
    """Note that the ticket belongs to `ref` of that kind; noted once, however often it is said."""
    row = insert(TicketLink).values(ticket_id=ticket_id, kind=kind.value, ref=ref, at=clock.now())
    await session.execute(row.on_conflict_do_nothing())


async def list_of(session: AsyncSession, ticket_id: int) -> list[TicketLink]:
    """Everything the ticket is linked to, oldest first."""
    wanted = select(TicketLink).where(TicketLink.ticket_id == ticket_id)
    return list(await session.scalars(wanted.order_by(TicketLink.id)))


async def tickets_of(session: AsyncSession, *, kind: Linked, ref: int) -> list[Ticket]:
    """The tickets that belong to this escalation, bridge call or talk."""
    wanted = select(Ticket).join(TicketLink, TicketLink.ticket_id == Ticket.id)
    return list(await session.scalars(wanted.where(TicketLink.kind == kind.value, TicketLink.ref == ref)))
