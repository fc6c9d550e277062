"""The file somebody gets of their own data: their texts and our answers, their tickets and what became of them.

Nobody else's: no children, no persons complained of, no names or notes of colleagues, no number.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.clock import shanghai
from sms_gateway.messages.models import Author, Direction, Message, Thread
from sms_gateway.tickets.export import Cell
from sms_gateway.tickets.models import Ticket, TicketEvent

TITLES = ("时间", "哪一样", "内容")
_AUTHORS = {Author.OPERATOR: "值班员", Author.ASSISTANT: "小助手", Author.SYSTEM: "热线"}
BATCH = 500


async def rows(session: AsyncSession, contact_id: int) -> AsyncIterator[list[list[Cell]]]:
    """Titles, then batches of rows, by time within each kind."""
    yield [list(TITLES)]
    yield [row async for row in _tickets(session, contact_id)]
    after = 0
    while found := await _texts(session, contact_id, after):
        after = found[-1].id
        yield [_text(one) for one in found]


async def _texts(session: AsyncSession, contact_id: int, after: int) -> list[Message]:
    theirs = select(Thread.id).where(Thread.contact_id == contact_id)
    wanted = select(Message).where(Message.thread_id.in_(theirs), Message.id > after)
    return list(await session.scalars(wanted.order_by(Message.id).limit(BATCH)))


def _text(one: Message) -> list[Cell]:
    who = "来信" if one.direction == Direction.IN else f"{_AUTHORS.get(Author(one.author), '热线')}回复"
    return [_time(one.at), who, one.body]


async def _tickets(session: AsyncSession, contact_id: int) -> AsyncIterator[list[Cell]]:
    for ticket in await session.scalars(select(Ticket).where(Ticket.contact_id == contact_id).order_by(Ticket.id)):
        yield [
            _time(ticket.received_at),
            f"工单 {ticket.number}",
            "；".join(str(value) for value in (ticket.answers or {}).values()),
        ]
        replies = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.to_status == "concluded")
        for event in await session.scalars(replies.order_by(TicketEvent.seq)):
            yield [_time(event.at), f"工单 {ticket.number} 办结", event.why or ""]


def _time(at: datetime) -> str:
    return f"{shanghai(at):%Y-%m-%d %H:%M}"
