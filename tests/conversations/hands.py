"""A call for a person in somebody's hands, as several tests need it."""

from __future__ import annotations

from sqlalchemy import select

from sms_gateway.conversations import service
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Operator
from tests.telling import Person


async def call_of(person: Person) -> Escalation:
    """The newest call of that person's talk."""
    async with transaction() as session:
        wanted = select(Escalation).where(Escalation.thread_id == person.thread_id).order_by(Escalation.id.desc())
        return (await session.scalars(wanted.limit(1))).one()


async def events_of(call: Escalation) -> list[str]:
    """What happened to it, oldest first."""
    async with transaction() as session:
        return [event.what for event in await escalations.list_events(session, call.id)]


async def take(person: Person, operator: Operator) -> None:
    """They take the talk."""
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
