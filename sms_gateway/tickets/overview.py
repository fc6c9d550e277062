"""What the operators' pages ask of tickets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from .models import Ticket


async def find_by_number(session: AsyncSession, number: str) -> Ticket | None:
    """The ticket with that number."""
    return await session.scalar(select(Ticket).where(Ticket.number == number))


async def list_closed(session: AsyncSession, *, limit: int = 100) -> Sequence[Ticket]:
    """Tickets nobody works on any more, the newest first."""
    wanted = select(Ticket).where(Ticket.closed_at.is_not(None)).options(joinedload(Ticket.contact))
    return (await session.scalars(wanted.order_by(Ticket.closed_at.desc()).limit(limit))).all()
