"""Who has been through a severe case rests (PRACTICE section 8): when it ends, or when they pass it on after a desk took it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Channel
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Thread
from sms_gateway.operators import pauses

from . import talk

BREAK = "break_begins"
ENOUGH = frozenset({State.HANDED_OVER, State.CHILD_SEEN, State.LOST_CONTACT, State.RESOLVED})
"""How far a red call is when it has cost its operator what a severe case costs."""


def is_severe(*, lane: str, state: str, channel: str) -> bool:
    """Whether leaving that call now ends a severe case for who had it. A drill is none. Pure."""
    return lane == "red" and state in ENOUGH and channel != Channel.DRILL


async def after(session: AsyncSession, thread: Thread, call: Escalation, *, operator_id: int) -> None:
    """Their break begins, if it was severe; the talk's history says so, and one case counts once for one operator."""
    if not is_severe(lane=call.lane, state=call.state, channel=thread.channel):
        return
    who, events = f"operator:{operator_id}", await talk.list_events(session, thread.id)
    before = any(one.what == BREAK and one.who == who and one.detail.get("escalation") == call.id for one in events)
    await talk.note(session, thread.id, BREAK, who=who, detail={"escalation": call.id})
    await pauses.after_severe(session, operator_id, counts=not before)
