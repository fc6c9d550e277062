"""One look at the database: what waits, since when, what left, who lives. Counts, seconds and codes; nothing of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import beats, clock, last_done, links
from sms_gateway.beats import WorkerBeat
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.escalations.ladder import State as CallState
from sms_gateway.escalations.models import Escalation
from sms_gateway.events import overview as pushes
from sms_gateway.jobs import QUEUES
from sms_gateway.links import CarrierLink
from sms_gateway.messages import unclaimed
from sms_gateway.messages.models import Direction, Message
from sms_gateway.operators import presence
from sms_gateway.timers import Timer

from . import durations
from .durations import Kind

RECENT = timedelta(minutes=15)
"""What counts as lately, for texts out and waits."""
OVERDUE = timedelta(seconds=5)
"""A timer that is due is taken within a second; after this something is amiss."""

_QUEUES = text("""
SELECT jobs.queue_name, jobs.status::text, count(*), coalesce(max(extract(epoch FROM now() - greatest(deferred.at, jobs.scheduled_at))), 0)
FROM procrastinate_jobs jobs
LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = jobs.id AND type = 'deferred') deferred ON true
WHERE jobs.status IN ('todo', 'doing', 'failed') AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
GROUP BY 1, 2
""")


@dataclass(frozen=True)
class Queue:
    """Jobs that may be taken, that are in hand, that ended in failure; seconds the oldest has waited to be taken."""

    waiting: int = 0
    doing: int = 0
    failed: int = 0
    age: float = 0.0


@dataclass(frozen=True)
class Took:
    """Waits of the last `RECENT`: how many, half of them within, 19 of 20 within (seconds)."""

    count: int = 0
    half: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Push:
    """A unit's pushes, all its subscribers together: seconds the oldest waits, how many wait, how many were given up."""

    lag: float
    waiting: int
    dead: int


@dataclass(frozen=True)
class Look:
    at: datetime
    queues: Mapping[str, Queue]
    took: Mapping[Kind, Took]
    sends: Mapping[tuple[str, str], int]
    """Texts of talks queued lately, by carrier and present state."""
    pushes: Mapping[str, Push]
    processes: Sequence[WorkerBeat]
    ringing: int
    """Red that nobody has taken, without drills."""
    ringing_age: float
    timers_overdue: int
    timers_age: float
    broadcast_rate: float
    """Texts a second of all running broadcasts, as measured."""
    on_duty: int
    database_bytes: int
    last_done: Mapping[str, datetime]
    lines: Sequence[CarrierLink] = ()
    """To mainland carriers, as their processes last said."""
    unclaimed: Mapping[str, int] = field(default_factory=dict)
    """By carrier: reports whose text is not known, after an hour of looking."""


async def look(session: AsyncSession) -> Look:
    """All of it, in a handful of indexed statements."""
    now = clock.now()
    ringing, ringing_age = await _ringing(session, now)
    overdue, overdue_age = await _overdue(session, now)
    return Look(
        at=now, queues=await _queues(session), took=await _took(session, now), sends=await _sends(session, now),
        pushes=await _pushes(session), processes=await beats.list_beats(session), ringing=ringing, ringing_age=ringing_age,
        timers_overdue=overdue, timers_age=overdue_age, broadcast_rate=await _rate(session),
        on_duty=len(await presence.list_on_duty(session)),
        database_bytes=int(await session.scalar(text("SELECT pg_database_size(current_database())")) or 0),
        last_done=await last_done.load(session), lines=await links.list_links(session),
        unclaimed=await unclaimed.count_old(session),
    )  # fmt: skip


async def _queues(session: AsyncSession) -> dict[str, Queue]:
    found: dict[str, dict[str, tuple[int, float]]] = {name: {} for name in QUEUES}
    for queue, status, count, age in await session.execute(_QUEUES):
        if queue in found:
            found[queue][status] = (count, max(0.0, float(age)))
    nothing = (0, 0.0)
    return {
        name: Queue(
            waiting=by.get("todo", nothing)[0], doing=by.get("doing", nothing)[0], failed=by.get("failed", nothing)[0],
            age=by.get("todo", nothing)[1],
        )
        for name, by in found.items()
    }  # fmt: skip


async def _took(session: AsyncSession, now: datetime) -> dict[Kind, Took]:
    ended = await durations.list_ended(session, after=now - RECENT, upto=now)
    found = {}
    for kind in Kind:
        seconds = [wait.seconds for wait in ended if wait.kind is kind]
        half, most = durations.percentile(seconds, 0.5), durations.percentile(seconds, 0.95)
        found[kind] = Took(len(seconds), half, most)
    return found


async def _sends(session: AsyncSession, now: datetime) -> dict[tuple[str, str], int]:
    out = Message.direction == Direction.OUT, Message.at > now - RECENT, Message.state.is_not(None)
    counted = select(Message.carrier, Message.state, func.count()).where(*out)
    rows = await session.execute(counted.group_by(Message.carrier, Message.state))
    return {(carrier, state): count for carrier, state, count in rows if state is not None}


async def _pushes(session: AsyncSession) -> dict[str, Push]:
    found: dict[str, Push] = {}
    for one in await pushes.list_standings(session):
        known = found.get(one.unit, Push(0.0, 0, 0))
        lag = max(known.lag, one.behind.total_seconds())
        found[one.unit] = Push(lag, known.waiting + one.waiting, known.dead + one.dead)
    return found


async def _ringing(session: AsyncSession, now: datetime) -> tuple[int, float]:
    rings = select(func.count(), func.min(Escalation.received_at)).join(Contact, Contact.id == Escalation.contact_id)
    rings = rings.where(Escalation.closed_at.is_(None), Escalation.lane == "red", Escalation.state == CallState.RINGING)
    count, oldest = (await session.execute(rings.where(Contact.channel != Channel.DRILL))).one()
    return count, (now - oldest).total_seconds() if oldest else 0.0


async def _overdue(session: AsyncSession, now: datetime) -> tuple[int, float]:
    late = select(func.count(), func.min(Timer.due_at)).where(Timer.done_at.is_(None), Timer.due_at <= now - OVERDUE)
    count, oldest = (await session.execute(late)).one()
    return count, (now - oldest).total_seconds() if oldest else 0.0


async def _rate(session: AsyncSession) -> float:
    running = select(func.coalesce(func.sum(Broadcast.measured), 0.0)).where(Broadcast.status == Status.RUNNING)
    return float(await session.scalar(running) or 0.0)
