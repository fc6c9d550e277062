"""What belongs to the matter that a call is about: its texts and where it is. What was said of older matters stays out.

A talk goes on for years. The place, the dog, the knife of a matter long over would send a desk to the wrong door.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge import placing
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message, Thread, ThreadEvent

BEFORE = timedelta(hours=6)
"""Quiet for so long, what comes is another talk (PRACTICE section 1): so much of what was said before a call belongs to it."""
LESSER = timedelta(hours=24)
"""A call that was less when it was opened (a question, a disclosure) and was raised since may have stood open for months:
only so much of that time belongs to what it is now."""
TEXTS = 40
PLACE_SET = "place_set"
"""The talk's event of an operator who wrote down where it is (`records.set_place`)."""


def begins_at(escalation: Escalation) -> datetime:
    """From when on texts belong to the matter of this call. `received_at` moves when it is raised, `opened_at` never does."""
    received_at = escalation.received_at
    return max(min(escalation.opened_at, received_at), received_at - LESSER) - BEFORE


def keep(escalation: Escalation, texts: Sequence[Message]) -> list[Message]:
    """Of the person's texts (oldest first) the newest of this matter, at most `TEXTS`; the one that brought the call is always
    among them, however old: it may be called up by what somebody else tells later."""
    begin = begins_at(escalation)
    brought = [one for one in texts if one.id == escalation.message_id]
    newest = [one for one in texts if one.at >= begin][-TEXTS:]
    return newest if not brought or brought[0] in newest else [*brought, *newest]


async def read(session: AsyncSession, escalation: Escalation) -> list[Message]:
    """What the person wrote in this matter, oldest first, as `keep`."""
    theirs = or_(Message.at >= begins_at(escalation), Message.id == escalation.message_id)
    wanted = select(Message).where(Message.thread_id == escalation.thread_id, Message.direction == Direction.IN, theirs)
    return keep(escalation, (await session.scalars(wanted.order_by(Message.id))).all())


def began(escalation: Escalation, texts: Sequence[Message]) -> Message | None:
    """The text that brought the call, a later one may name only the place; None where it is old: what was 现在 then is not now."""
    found = next((message for message in texts if message.id == escalation.message_id), texts[-1] if texts else None)
    return found if found is not None and found.at >= begins_at(escalation) else None


async def where(
    session: AsyncSession, thread: Thread, escalation: Escalation, texts: Sequence[Message]
) -> placing.Where:
    """Where it is: as an operator wrote down in this matter, else by the texts; what is known of older ones is a guess."""
    noted = select(ThreadEvent.id).where(
        ThreadEvent.thread_id == thread.id, ThreadEvent.what == PLACE_SET, ThreadEvent.at >= begins_at(escalation)
    )
    by_operator = await session.scalar(noted.limit(1)) is not None
    return placing.find([message.body for message in texts], noted=thread.contact.region, by_operator=by_operator)
