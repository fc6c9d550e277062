"""Broadcasts as people look at them: the list, how far one is, when it will be through, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from . import acts, quiet_hours, tallies
from .lifecycle import Status
from .models import (
    IS_DANGER,
    Broadcast,
    BroadcastEvent,
    BroadcastLane,
    BroadcastMinute,
    BroadcastReply,
    BroadcastUnknown,
)

SHOWN = 200


@dataclass(frozen=True)
class Progress:
    """How far a broadcast is. `regions`: adcode ("" unknown) to state to numbers; a suppressed one as `suppressed:` with its reason."""

    broadcast: Broadcast
    regions: Mapping[str, Mapping[str, int]]
    states: Mapping[str, int]
    """State to numbers; they add up to `total`."""
    replies: Mapping[str, int]
    """Lane to replies."""
    to_look_up: int
    finishes_at: datetime | None
    """At the present pace, within the allowed hours; None: it stands still, or is over."""

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def done(self) -> int:
        """Numbers that are not outstanding."""
        return self.total - tallies.outstanding(self.states)

    @property
    def reasons(self) -> dict[str, int]:
        """Why people were left out, with how many."""
        found: dict[str, int] = {}
        for states in self.regions.values():
            for state, n in states.items():
                plain, _, why = state.partition(":")
                if plain == tallies.SUPPRESSED:
                    found[why] = found.get(why, 0) + n
        return found


async def list_broadcasts(session: AsyncSession, *, limit: int = SHOWN) -> list[Broadcast]:
    """The newest first."""
    return list(await session.scalars(select(Broadcast).order_by(Broadcast.id.desc()).limit(limit)))


async def look(session: AsyncSession, broadcast_id: int) -> Progress:
    """How far it is, exact at this moment. Raises `acts.BroadcastNotFound`."""
    one = await acts.get(session, broadcast_id)
    regions = await tallies.by_region(session, one.id)
    states = tallies.by_state(regions)
    lost = select(func.count()).select_from(BroadcastUnknown).where(BroadcastUnknown.broadcast_id == one.id)
    to_look_up = await session.scalar(lost.where(BroadcastUnknown.look_up_at.is_not(None))) or 0
    return Progress(
        one, regions, states, await _replies(session, one.id), to_look_up, await _finish(session, one, states)
    )


async def _replies(session: AsyncSession, broadcast_id: int) -> dict[str, int]:
    """By lane; the many blue ones from the minutes: every open page asks each second."""
    lane, ours = BroadcastReply.lane, BroadcastReply.broadcast_id == broadcast_id
    danger = select(lane, func.count()).where(ours, text(IS_DANGER)).group_by(lane)
    found = {name: n for name, n in await session.execute(danger)}  # noqa: C416 - rows
    everything = select(func.sum(BroadcastMinute.count)).where(BroadcastMinute.broadcast_id == broadcast_id)
    blue = int(await session.scalar(everything.where(BroadcastMinute.what == "reply")) or 0) - sum(found.values())
    return found | ({"blue": blue} if blue > 0 else {})


async def _finish(session: AsyncSession, one: Broadcast, states: Mapping[str, int]) -> datetime | None:
    if one.status != Status.RUNNING or one.rate <= 0:
        return None
    open_waves = select(func.coalesce(func.sum(BroadcastLane.last - BroadcastLane.next + 1), 0)).where(
        BroadcastLane.broadcast_id == one.id, BroadcastLane.wave <= one.wave
    )
    waiting = int(await session.scalar(open_waves) or 0)
    pace = one.measured if 0 < one.measured < one.rate else one.rate
    return finish(one, texts=waiting + states.get("claimed", 0), rate=pace, start=clock.now())


def finish(one: Broadcast, *, texts: int, rate: float, start: datetime) -> datetime | None:
    """When `texts` are out at `rate` a second from `start`, within the broadcast's hours; None when nothing moves."""
    if rate <= 0:
        return None
    hours = quiet_hours.Hours(one.hours_start, one.hours_end)
    return quiet_hours.finishes_at(start, timedelta(seconds=texts / rate), hours)


async def list_events(session: AsyncSession, broadcast_id: int, *, limit: int = 50) -> list[BroadcastEvent]:
    """The newest first."""
    events = select(BroadcastEvent).where(BroadcastEvent.broadcast_id == broadcast_id)
    return list(await session.scalars(events.order_by(BroadcastEvent.id.desc()).limit(limit)))


async def list_minutes(session: AsyncSession, broadcast_id: int) -> list[BroadcastMinute]:
    """What happened minute by minute, the oldest first."""
    minutes = select(BroadcastMinute).where(BroadcastMinute.broadcast_id == broadcast_id)
    return list(await session.scalars(minutes.order_by(BroadcastMinute.minute, BroadcastMinute.what)))
