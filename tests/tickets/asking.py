"""How a test brings a matter to its end, or to a question, and lets time pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.tickets import concluding, moves, service
from sms_gateway.tickets.actors import operator
from sms_gateway.tickets.models import FollowUp, Ticket, TicketEvent
from tests.telling import Person

MORNING = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
"""Ten o'clock on a Tuesday in Yunnan."""
EVENING = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
"""Nine in the evening."""
COMPLAINT = "我要投诉学校天天占体育课"


def at(clock: HeldClock, moment: datetime) -> None:
    """Put the clock to that moment."""
    clock.advance(moment - clock.now())


async def registered(person: Person, words: str = COMPLAINT, **changed: Any) -> Ticket:
    """A matter of this person's, with `changed` columns."""
    message_id = await person.hand_in(words)
    async with transaction() as session:
        thread = (await session.scalars(select(Thread).where(Thread.id == person.thread_id))).one()
        ticket = await service.open_ticket(
            session, thread_id=thread.id, contact_id=thread.contact_id, asked_in=message_id,
            kind=changed.pop("kind", "complaint"), answers=changed.pop("answers", {"what": words}),
        )  # fmt: skip
        for name, value in changed.items():
            setattr(ticket, name, value)
    return ticket


async def concluded(ticket: Ticket, by: int = 1) -> None:
    """办结."""
    async with transaction() as session:
        await concluding.conclude(session, await moves.lock(session, ticket.id), actor=operator(by), why="已答复")


async def later(person: Person, clock: HeldClock, by: timedelta) -> list[str]:
    """That time passes, timer by timer; what came to the person."""
    until = clock.now() + by
    while True:
        async with transaction() as session:
            due = select(timers.Timer.due_at).where(timers.Timer.done_at.is_(None), timers.Timer.due_at <= until)
            following = await session.scalar(due.order_by(timers.Timer.due_at).limit(1))
        if following is None:
            break
        clock.advance(max(following - clock.now(), timedelta(0)))
        await timers.sweep()
        await person.run()
    clock.advance(until - clock.now())
    return person.news()


async def again(ticket: Ticket) -> Ticket:
    """The ticket as it is now."""
    async with transaction() as session:
        return await service.get_ticket(session, ticket.id)


async def happened(ticket: Ticket) -> list[TicketEvent]:
    """Its events."""
    async with transaction() as session:
        return list(await service.list_events(session, ticket.id))


async def follow_ups(ticket: Ticket) -> list[FollowUp]:
    async with transaction() as session:
        return list(await session.scalars(select(FollowUp).where(FollowUp.ticket_id == ticket.id).order_by(FollowUp.id)))  # fmt: skip


async def somebody_at_the_desk(login: str = "zhiban") -> Operator:
    async with transaction() as session:
        return await accounts.add(
            session, login=login, name="值班员甲", role=Role.OPERATOR, password=None, trained=True
        )
