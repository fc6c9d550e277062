"""The copy of a matter that a unit reads: reworded so that nothing in it gives the reporter away."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.departments import rewording, units
from sms_gateway.departments.visibility import HARM_LANES, POLICE

from .models import Ticket

LEFT_OUT = frozenset({"contact", "again", "secret", "unit", "county_said"})
"""Answers that say something about the reporter only."""
AS_IT_IS = frozenset({"reference", "police", "danger", "still"})
"""A case number, and answers that were chosen and not written."""


async def reworded(session: AsyncSession, ticket: Ticket, *, unit: str | None = None) -> dict[str, str]:
    """What goes to a unit, by the form's question.

    The police get the times of a matter of harm as they were told: they have to find out what happened when.
    """
    said = ticket.answers or {}
    reporter = await _reporter(session, ticket)
    keep_times = unit is not None and units.parse(unit)[0] == POLICE and ticket.lane in HARM_LANES
    return {
        name: words if name in AS_IT_IS else rewording.reword(words, reporter, keep_times=keep_times)
        for name, words in said.items()
        if name not in LEFT_OUT
    }


async def _reporter(session: AsyncSession, ticket: Ticket) -> rewording.Reporter:
    """What is known of who told it, so that it can be taken out wherever it stands."""
    contact = await session.get(Contact, ticket.contact_id)
    numbers = (contact.address,) if contact is not None and contact.channel == Channel.SMS else ()
    post = (ticket.answers or {}).get("unit")
    return rewording.Reporter(numbers=numbers, words=(post,) if post else ())
