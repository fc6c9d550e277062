"""Replies to outreach in a lane of their own on the operators' board: they must not bury a call for help (FIELD section 4, item 12).

Only blue talks: danger stands where all danger stands, whatever broadcast brought it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.broadcasts import replies, taking
from sms_gateway.broadcasts.models import Broadcast, BroadcastMinute, BroadcastReply
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Thread
from sms_gateway.operators.seats import DANGER

MOST_WAITING = 30
"""Talks of the lane shown with a button; the rest is counted."""


@dataclass(frozen=True)
class Count:
    """How many texts came back to a broadcast since a moment."""

    broadcast_id: int
    title: str
    replies: int


def answers_last() -> ColumnElement[bool]:
    """Of `Thread`: its newest text in answers outreach. By the index of the replies' talks."""
    row = BroadcastReply
    found = select(row.message_id).where(row.thread_id == Thread.id, row.at == Thread.last_inbound_at)
    return found.exists()


async def list_brought(session: AsyncSession, calls: Collection[Escalation]) -> set[int]:
    """Talks whose open blue call was brought by a reply to outreach."""
    wanted = [call.message_id for call in calls if call.lane not in DANGER and call.message_id is not None]
    if not wanted:
        return set()
    brought = select(BroadcastReply.thread_id).where(BroadcastReply.message_id.in_(wanted))
    return set(await session.scalars(brought))


async def title_of(session: AsyncSession, thread_ids: Sequence[int]) -> Mapping[int, str]:
    """The title of the broadcast that each of these talks answered last."""
    if not thread_ids:
        return {}
    wanted = select(BroadcastReply.thread_id, Broadcast).join(Broadcast)
    wanted = wanted.where(BroadcastReply.thread_id.in_(thread_ids)).order_by(BroadcastReply.at)
    return {thread_id: one.title for thread_id, one in await session.execute(wanted)}


async def count_lately(session: AsyncSession, *, since: datetime) -> list[Count]:
    """Texts that came back since then, by broadcast, the newest broadcast first. Read from the minutes, never counted one by one."""
    ids = await taking.list_recent(session, since=since - replies.REMEMBERED)
    if not ids:
        return []
    total = func.sum(BroadcastMinute.count)
    wanted = select(Broadcast, total).join(BroadcastMinute).where(Broadcast.id.in_(ids))
    wanted = wanted.where(BroadcastMinute.what == "reply", BroadcastMinute.minute >= since)
    found = await session.execute(wanted.group_by(Broadcast.id).order_by(Broadcast.id.desc()))
    return [Count(one.id, one.title, int(many)) for one, many in found]
