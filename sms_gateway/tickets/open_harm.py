"""Whoever told of a matter of harm gets no outreach while it is open: the flag of `contacts`, raised here, lowered by `escalations`.

A report merged into another's matter goes on being part of it: its person is left out as long as that one is open.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments.visibility import HARM_LANES
from sms_gateway.jobs import defer

from .models import Ticket

SETTLE = "escalations.settle_open_case"
_MARK = text("""
WITH RECURSIVE here AS (
    SELECT id, contact_id FROM tickets WHERE id = :ticket
    UNION SELECT t.id, t.contact_id FROM tickets t JOIN here ON t.merged_into = here.id
)
UPDATE contacts SET open_case = true FROM here WHERE contacts.id = here.contact_id AND NOT open_case
""")
_CONTACTS = text("""
WITH RECURSIVE here AS (
    SELECT id, contact_id FROM tickets WHERE id = :ticket
    UNION SELECT t.id, t.contact_id FROM tickets t JOIN here ON t.merged_into = here.id
)
SELECT DISTINCT contact_id FROM here ORDER BY contact_id
""")
_IS_OPEN = text("""
WITH RECURSIVE theirs AS (
    SELECT id, merged_into, lane, closed_at FROM tickets WHERE contact_id = :contact
    UNION SELECT t.id, t.merged_into, t.lane, t.closed_at FROM tickets t JOIN theirs ON t.id = theirs.merged_into
)
SELECT EXISTS (SELECT 1 FROM theirs WHERE closed_at IS NULL AND lane IN ('red', 'orange'))
""")


async def mark(session: AsyncSession, ticket: Ticket) -> None:
    """An open matter of harm: its people, those of reports merged into it too, are left out of outreach."""
    if ticket.lane in HARM_LANES and ticket.closed_at is None:
        await session.flush()
        await session.execute(_MARK, {"ticket": ticket.id})


async def ended(session: AsyncSession, ticket: Ticket) -> None:
    """It is closed: whether something else is open for its people is looked up in a job of its own."""
    if ticket.lane in HARM_LANES:
        await defer(session, SETTLE, ticket_id=ticket.id)


async def list_contacts(session: AsyncSession, ticket_id: int) -> list[int]:
    """Who told of that matter, by this ticket or by one that was merged into it."""
    return list(await session.scalars(_CONTACTS, {"ticket": ticket_id}))


async def is_open(session: AsyncSession, contact_id: int) -> bool:
    """Whether a matter of harm that this person told of is open, under its own number or one it was merged into."""
    return bool(await session.scalar(_IS_OPEN, {"contact": contact_id}))
