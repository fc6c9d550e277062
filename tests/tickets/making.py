"""Tickets as tests need them: opened by the real room from a real text."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.tickets import dispatching, moves, service
from sms_gateway.tickets.actors import Actor, of_unit, operator
from sms_gateway.tickets.models import Ticket, TicketEvent

DESK = operator(1)
LEAD = operator(2, lead=True)
SCHOOLS = "edu@530627"
POLICE = "police@530627"
UNIT = of_unit(SCHOOLS, 12)
COUNTY = "530627"

_texts = count(1)


async def text_in(words: str = "孩子在学校被欺负", *, number: str = "+8613800000077") -> tuple[int, int]:
    """A text reaches the door: the ids of its talk and message."""
    inbound = inbox.Inbound(Channel.SMS, number, words, "simulator", f"made-{next(_texts)}", clock.now())
    async with transaction() as session:
        recorded = await inbox.receive(session, inbound)
    assert recorded is not None
    return recorded.thread_id, recorded.message_id


async def open_one(*, kind: str = "complaint", lane: str = "blue", urgent: bool = False) -> int:
    """An open ticket; its id."""
    thread_id, message_id = await text_in()
    async with transaction() as session:
        contact_id = await contact_of(session, message_id)
        ticket = await service.open_ticket(
            session, thread_id=thread_id, contact_id=contact_id, asked_in=message_id, kind=kind, lane=lane, county=COUNTY,
            answers={"what": "孩子在学校被欺负"},
        )  # fmt: skip
        if urgent:
            from sms_gateway.tickets.deadlines import due_at

            ticket.urgent, ticket.due_at = True, due_at(lane, ticket.received_at, kind=kind, urgent=True)
        return ticket.id


async def contact_of(session: object, message_id: int) -> int:
    from sms_gateway.messages.models import Message

    return (await session.scalars(select(Message.contact_id).where(Message.id == message_id))).one()  # type: ignore[attr-defined]


async def the_desk() -> None:
    """The accounts of DESK and LEAD."""
    async with transaction() as session:
        for login, role in (("desk", Role.OPERATOR), ("lead", Role.SUPERVISOR)):
            await accounts.add(session, login=login, name=login, role=role, password=None, trained=True)


async def dispatched(ticket_id: int, *, unit: str = SCHOOLS) -> None:
    async with transaction() as session:
        await dispatching.dispatch(session, await moves.lock(session, ticket_id), unit=unit, actor=DESK)


async def signed(ticket_id: int, *, by: Actor = UNIT) -> None:
    async with transaction() as session:
        await dispatching.sign(session, await moves.lock(session, ticket_id), actor=by)


async def read(ticket_id: int) -> Ticket:
    async with transaction() as session:
        return (await session.scalars(select(Ticket).where(Ticket.id == ticket_id))).one()


async def events_of(ticket_id: int) -> list[TicketEvent]:
    async with transaction() as session:
        return list(await service.list_events(session, ticket_id))


async def said(ticket_id: int) -> list[str]:
    """What the clocks have said so far: `warning due`, `supervision 2 prefecture`."""
    return [
        f"supervision {event.detail['step']} {event.detail['level']}"
        if event.what == "supervision"
        else f"warning {' '.join(event.detail['about'])}"
        for event in await events_of(ticket_id)
        if event.what in ("warning", "supervision")
    ]


def at(day: str, hour: int = 10, minute: int = 0) -> datetime:
    """A moment in Shanghai."""
    year, month, date = map(int, day.split("-"))
    return datetime(year, month, date, hour, minute, tzinfo=clock.SHANGHAI)
