"""Persons and bodies complained of: kept apart from the child and the reporter, and never given the matter."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Accused


async def units_complained_of(session: AsyncSession, ticket_id: int) -> frozenset[str]:
    """Codes of our units that the matter is about: no copy of it goes to them."""
    wanted = select(Accused.unit).where(Accused.ticket_id == ticket_id, Accused.unit.is_not(None))
    return frozenset(code for code in await session.scalars(wanted) if code)


async def list_accused(session: AsyncSession, ticket_id: int) -> list[Accused]:
    """Everybody complained of in the matter."""
    return list(await session.scalars(select(Accused).where(Accused.ticket_id == ticket_id).order_by(Accused.id)))
