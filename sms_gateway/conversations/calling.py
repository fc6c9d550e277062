"""May this person be called? What they said themselves, looked up at the last moment before their phone would ring."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway.bridge import three_way
from sms_gateway.bridge.calling_rules import Calling
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.contacts.models import Channel
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.tickets.models import Ticket

from . import caution

FINE = "打电话"
"""What a form holds when they chose to be called (`tickets.draft`)."""


async def bring_in(session: AsyncSession, call_id: int) -> bool:
    """Let this bridge call's person join, by the rule; whether their phone rings."""
    thread_id = (await session.scalars(select(BridgeCall.thread_id).where(BridgeCall.id == call_id))).one()
    return await three_way.call_person(session, call_id, await known_about(session, thread_id))


async def known_about(session: AsyncSession, thread_id: int) -> Calling:
    """What is known about calling whoever writes in that talk. Every text of theirs in it is read."""
    thread = (
        await session.scalars(select(Thread).where(Thread.id == thread_id).options(joinedload(Thread.contact)))
    ).one()
    texts = await session.scalars(
        select(Message).where(Message.thread_id == thread_id, Message.direction == Direction.IN)
    )
    tickets = (await session.scalars(select(Ticket).where(Ticket.thread_id == thread_id))).all()
    wishes = [(ticket.answers or {}).get("contact") for ticket in tickets]
    cautions = caution.before_calling(message.body for message in texts)
    if any(wish not in (None, FINE) for wish in wishes):
        cautions.append("登记时没有说可以打")
    return Calling(
        has_number=thread.contact.channel == Channel.SMS,
        said_fine=FINE in wishes,
        silent=thread.contact.silent_at is not None,
        cautions=tuple(cautions),
    )
