"""May this person be called? What they said themselves, looked up at the last moment before their phone would ring."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway.bridge import three_way
from sms_gateway.bridge.calling_rules import Calling
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.contacts.models import Channel
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.tickets.models import Ticket

from . import caution, scene

FINE = "打电话"
"""What a form holds when they chose to be called (`tickets.draft`)."""


async def bring_in(session: AsyncSession, call_id: int) -> bool:
    """Let this bridge call's person join, by the rule; whether their phone rings."""
    of = select(Escalation).join(BridgeCall, BridgeCall.escalation_id == Escalation.id).where(BridgeCall.id == call_id)
    escalation = (await session.scalars(of)).one()
    return await three_way.call_person(session, call_id, await known_about(session, escalation))


async def known_about(session: AsyncSession, escalation: Escalation) -> Calling:
    """What is known about calling whoever this call for a person is about. Every text of theirs in the talk is read: what
    speaks against a call counts for good, a yes only in the matter it was said in."""
    wanted = select(Thread).where(Thread.id == escalation.thread_id).options(joinedload(Thread.contact))
    thread = (await session.scalars(wanted)).one()
    texts = await session.scalars(
        select(Message).where(Message.thread_id == thread.id, Message.direction == Direction.IN)
    )
    tickets = (await session.scalars(select(Ticket).where(Ticket.thread_id == thread.id))).all()
    cautions = caution.before_calling(message.body for message in texts)
    if any(_wish(ticket) not in (None, FINE) for ticket in tickets):
        cautions.append("登记时没有说可以打")
    return Calling(
        has_number=thread.contact.channel == Channel.SMS,
        said_fine=said_fine(tickets, escalation),
        silent=thread.contact.silent_at is not None,
        cautions=tuple(cautions),
    )


def said_fine(tickets: Iterable[Ticket], escalation: Escalation) -> bool:
    """Whether they chose to be called in a form of this very matter: who held the phone last year may be beside it today."""
    since = scene.begins_at(escalation)
    return any(ticket.received_at >= since and _wish(ticket) == FINE for ticket in tickets)


def _wish(ticket: Ticket) -> str | None:
    return (ticket.answers or {}).get("contact")
