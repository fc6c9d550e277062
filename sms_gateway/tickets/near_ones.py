"""Whether a matter is one of self-harm in red, and whether the guardian is the harm: what `near_ones_rules` asks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments import categories
from sms_gateway.departments.categories import Sensitivity
from sms_gateway.messages.models import Message
from sms_gateway.triage.judgement import Harm

from .models import Accused, Ticket


async def asks(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether ending this ticket asks who was told."""
    if ticket.lane != "red":
        return False
    category = categories.load().categories.get(ticket.category or "")
    if Sensitivity.SELF_HARM in (ticket.sensitivity, category.sensitivity if category else None):
        return True
    said = await session.get(Message, ticket.asked_in)
    return said is not None and said.harm == Harm.SELF_HARM


async def guardian_harms(session: AsyncSession, contact_id: int) -> bool:
    """Whether any matter of this person is kept from the guardian, or somebody of the household is complained of."""
    at_home: ColumnElement[bool] = or_(Accused.relation == "guardian", Accused.lives_with.is_(True))
    named = (
        select(Accused.id).join(Ticket, Ticket.id == Accused.ticket_id).where(Ticket.contact_id == contact_id, at_home)
    )
    sealed = select(Ticket.id).where(Ticket.contact_id == contact_id, Ticket.sealed)
    return bool(await session.scalar(select(or_(named.exists(), sealed.exists()))))
