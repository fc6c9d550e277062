"""The copy of a matter that a unit reads: reworded so that nothing in it gives the reporter away."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from .models import Ticket

LEFT_OUT = frozenset({"contact", "again", "secret", "unit", "county_said"})
"""Answers that say something about the reporter only."""


async def reworded(session: AsyncSession, ticket: Ticket) -> dict[str, str]:  # noqa: ARG001 - children will be read too
    """What goes to a unit, by the form's question."""
    from sms_gateway.departments import rewording

    said = ticket.answers or {}
    return {name: rewording.reword(words) for name, words in said.items() if name not in LEFT_OUT}
