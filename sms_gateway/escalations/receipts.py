"""Texts that left before a talk turned red get their receipt's timer too: from then on it matters whether they arrived."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.messages.delivery import OPEN
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

LOOKS_BACK = timedelta(minutes=10)
"""What is older belongs to what was talked of before; a carrier that sends no receipts would ring for all of it."""


async def expect(session: AsyncSession, thread_id: int) -> int:
    """Set the timer of each text on its way to this person, as if it had been queued in red; how many."""
    within = timedelta(seconds=get_settings().receipt_within_seconds)
    on_its_way = select(Message.id, Message.at).join(Thread, Thread.id == Message.thread_id).where(
        Message.thread_id == thread_id, Message.direction == Direction.OUT, Message.state.in_(OPEN),
        Message.at >= clock.now() - LOOKS_BACK, Thread.channel != Channel.DRILL,
    )  # fmt: skip
    found = (await session.execute(on_its_way)).all()
    for message_id, at in found:
        await set_timer(session, job="escalations.no_receipt", subject_id=message_id, due_at=at + within)
    return len(found)
