"""The owner of a talk, moved by compare-and-set; every move is an event."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import NotFound
from sms_gateway.messages.models import Thread, ThreadEvent
from sms_gateway.triage.judgement import LANE_RANK

from .ownership import MOVES, NotYourTalk, Owner


class TalkNotFound(NotFound):
    sentence = "没有这个会话。"


async def get_talk(session: AsyncSession, thread_id: int, *, for_update: bool = False) -> Thread:
    """The talk with its contact; raises `TalkNotFound`.

    Locked, it still lets texts of that talk be stored: a door never waits for a turn, nor a turn for a door.
    """
    wanted = select(Thread).where(Thread.id == thread_id).options(joinedload(Thread.contact, innerjoin=True))
    if for_update:  # what this session has read before it waited for the lock may be over
        wanted = wanted.with_for_update(of=Thread, key_share=True).execution_options(populate_existing=True)
    thread = await session.scalar(wanted)
    if thread is None:
        raise TalkNotFound
    return thread


def is_held_by(thread: Thread, operator_id: int) -> bool:
    """Whether this operator has the talk."""
    return thread.owner == Owner.OPERATOR and thread.operator_id == operator_id


async def get_own(session: AsyncSession, thread_id: int, operator_id: int) -> Thread:
    """The talk, locked, that this operator has; raises `NotYourTalk`."""
    thread = await get_talk(session, thread_id, for_update=True)
    if not is_held_by(thread, operator_id):
        raise NotYourTalk
    return thread


async def move(
    session: AsyncSession,
    thread: Thread,
    to: Owner,
    *,
    who: str,
    operator_id: int | None = None,
    detail: dict[str, Any] | None = None,
) -> bool:
    """Move the talk if nobody was quicker; False when its owner or version has changed, or the move is not allowed."""
    before = Owner(thread.owner)
    if to not in MOVES[before]:
        return False
    changed = update(Thread).where(Thread.id == thread.id, Thread.version == thread.version)
    changed = changed.values(owner=to, version=Thread.version + 1, operator_id=operator_id).returning(Thread.version)
    version = await session.scalar(changed.execution_options(synchronize_session=False))
    if version is None:
        return False
    await session.refresh(thread, ["owner", "version", "operator_id"])
    await note(session, thread.id, f"owner_{to}", who=who, detail={"from": str(before), **(detail or {})})
    await notify(session, "hotline_thread", str(thread.id))
    return True


async def note(
    session: AsyncSession, thread_id: int, what: str, *, who: str, detail: dict[str, Any] | None = None
) -> None:
    """Write an event of the talk."""
    session.add(ThreadEvent(thread_id=thread_id, what=what, who=who, at=clock.now(), detail=detail or {}))


def raise_lane(thread: Thread, lane: str) -> None:
    """The talk's lane goes up, never down here (two people lower it)."""
    if LANE_RANK[lane] > LANE_RANK[thread.lane]:
        thread.lane = lane


async def list_events(session: AsyncSession, thread_id: int) -> list[ThreadEvent]:
    """What happened to the talk, oldest first."""
    return list(
        await session.scalars(select(ThreadEvent).where(ThreadEvent.thread_id == thread_id).order_by(ThreadEvent.id))
    )
