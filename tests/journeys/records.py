"""What the hotline has written down about a person, for the ends of journeys."""

from __future__ import annotations

from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message
from sms_gateway.tickets.models import Ticket
from tests.telling import Person


async def tickets_of(person: Person) -> list[Ticket]:
    async with transaction() as session:
        wanted = select(Ticket).where(Ticket.thread_id == person.thread_id).order_by(Ticket.id)
        return list(await session.scalars(wanted))


async def calls_for(person: Person) -> list[Escalation]:
    """The calls for a human about this person, oldest first."""
    async with transaction() as session:
        wanted = select(Escalation).where(Escalation.thread_id == person.thread_id).order_by(Escalation.id)
        return list(await session.scalars(wanted))


async def texts_from(person: Person) -> list[str]:
    async with transaction() as session:
        wanted = select(Message).where(Message.thread_id == person.thread_id, Message.direction == Direction.IN)
        return [message.body for message in await session.scalars(wanted.order_by(Message.id))]
