"""Asking whether an answer helped: only where it costs nothing, and nothing else is waiting for a digit."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Channel
from sms_gateway.messages.models import Message, Thread
from sms_gateway.messages.segments import segments
from sms_gateway.wording import SIGNATURE, say

from . import pending
from .assistant import Reply
from .questions import Kind

KEY = "feedback.ask"


def with_question(body: str, channel: str) -> str | None:
    """`body` with "1有用 2没用" after it; None where an SMS would become a segment longer by it. The web has room always."""
    asked = f"{body}\n{say(KEY)}"
    if channel == Channel.WEB:
        return asked
    return asked if segments(SIGNATURE + asked) == segments(SIGNATURE + body) else None


async def ask_beside(session: AsyncSession, thread: Thread, message: Message, replies: list[Reply]) -> list[str]:
    """The replies' texts; a lone answer of the handbook to a harmless text ends in whether it helped, where that may be asked."""
    bodies = [reply.text for reply in replies]
    if message.lane != "blue" or [reply.key for reply in replies] != ["policy.answer"] or replies[0].asks is not None:
        return bodies
    asking = with_question(bodies[0], thread.channel)
    if asking is None or not await pending.ask(
        session, contact_id=message.contact_id, kind=Kind.FEEDBACK, detail={"key": KEY}
    ):
        return bodies
    return [asking]
