"""Parts of a text that came in several SMS, as rows; and whether the form the assistant holds still stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Author, Direction, Message
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

from . import joining

_ENDS_A_FORM = ("danger.noted", "orange.harm", "orange.abuse", "orange.witness", "foreign.person")
"""Fixed words after which the assistant's form, if it opened one for the same text, is not gone on with."""
LOOK_BACK = timedelta(minutes=1)


async def before(session: AsyncSession, message: Message) -> list[Message]:
    """Parts that wait for this text, the oldest first."""
    return await inbox.list_held(session, message, since=message.at - LOOK_BACK)


async def wait_for_more(session: AsyncSession, message: Message, parts: list[Message]) -> bool:
    """Whether the answer to this text waits for another part; the timer that ends the waiting is set then."""
    window = timedelta(seconds=get_settings().joining_seconds)
    first_at = parts[0].at if parts else message.at
    until = joining.wait_until(first_at, message.at, window)
    now = clock.now()
    if now >= until or not joining.is_unfinished(message.body):
        return False
    due_at = joining.timer_at(until, now)
    await set_timer(session, job="conversations.end_waiting", subject_id=message.id, due_at=due_at)
    return True


async def mark_answered(session: AsyncSession, ids: Iterable[int]) -> None:
    """The parts were answered with the text they belong to."""
    for message_id in ids:
        await inbox.mark_answered(session, message_id, "joined")


async def form_is_off(session: AsyncSession, message: Message) -> bool:
    """Whether something ended the form that the assistant may still hold open: since its last word the line itself
    answered danger or a disclosure, or a human spoke."""
    same = Message.thread_id == message.thread_id, Message.id < message.id
    last_word = select(Message.id).where(*same, Message.author == Author.ASSISTANT).order_by(Message.id.desc()).limit(1)
    last = await session.scalar(last_word) or 0
    seen_to = (Message.direction == Direction.IN) & or_(Message.answered_by == "judge", Message.lane == "red")
    ended = or_(seen_to, Message.author == Author.OPERATOR, Message.text_key.in_(_ENDS_A_FORM))
    return await session.scalar(select(Message.id).where(*same, Message.id > last, ended).limit(1)) is not None
