"""Matters for the tests of ticket pages: opened, dispatched, in a unit's hands."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.departments import categories
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditRow
from sms_gateway.tickets import actors, dispatching, moves, service
from sms_gateway.tickets.models import Accused, Ticket, TicketEvent
from tests.telling import Person

EDU, CIVIL, EDU_ABOVE = "edu@530627", "civil@530627", "edu@530600"
ANSWERS = {
    "what": "我是他家邻居，昨天晚上八点看到镇雄一小的老师打学生", "wish": "请学校别再打娃娃", "contact": "打电话", "secret": "要",
}  # fmt: skip
DESK = actors.operator(77)
NOT_SCHOOLS = next(code for code in categories.load().categories if code not in categories.duties_of("edu", "county"))
"""A category in which the schools' department has no part."""


async def open_matter(
    person: Person, text: str = "我要投诉 老师打学生", *, kind: str = "complaint", county: str | None = "530627", lane: str = "blue",
    category: str | None = None,
) -> Ticket:  # fmt: skip
    """A ticket as the assistant opens it."""
    message_id = await person.hand_in(text)
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        ticket = await service.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind=kind,
            county=county, answers=ANSWERS, lane=lane,
        )  # fmt: skip
        ticket.category = category
        return ticket


async def dispatch(ticket: Ticket, unit: str = EDU, co: Sequence[str] = (), why: str | None = None) -> Ticket:
    """The desk hands it on."""
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await dispatching.dispatch(session, locked, unit=unit, actor=DESK, co=co, why=why)
        return locked


async def accuse(ticket: Ticket, unit: str) -> None:
    """The matter is about that unit."""
    async with transaction() as session:
        from sms_gateway import clock

        session.add(Accused(ticket_id=ticket.id, unit=unit, relation="body", made_at=clock.now()))


async def read(ticket_id: int) -> Ticket:
    async with transaction() as session:
        return (await session.scalars(select(Ticket).where(Ticket.id == ticket_id))).one()


async def version(ticket: Ticket) -> str:
    return str((await read(ticket.id)).version)


async def events(ticket: Ticket) -> list[TicketEvent]:
    async with transaction() as session:
        return list(await service.list_events(session, ticket.id))


async def audited(what: str) -> list[str]:
    """Subjects of the audit rows of that act, oldest first."""
    async with transaction() as session:
        return list(await session.scalars(select(AuditRow.subject).where(AuditRow.what == what).order_by(AuditRow.id)))
