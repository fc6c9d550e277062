"""What watches over broadcasts each second: the schedule, the pace, reasons to stop, waves, the end. One process at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.contacts.models import Channel
from sms_gateway.database import notify, transaction
from sms_gateway.jobs import PASSING
from sms_gateway.messages import pressure
from sms_gateway.messages.models import Thread
from sms_gateway.messages.overload import Shed
from sms_gateway.operators import presence
from sms_gateway.operators.models import Role

from . import acts, completing, ledger, pacing, tallies, unknowns
from .lifecycle import Held, Status
from .models import (
    IS_DANGER,
    NEEDS_SOMEBODY,
    Broadcast,
    BroadcastChunk,
    BroadcastCount,
    BroadcastLane,
    BroadcastMinute,
    BroadcastReply,
    BroadcastTally,
)
from .pacing import Limits, Seen
from .recipients import OUTSTANDING, State
from .running import Running, running_of

log = logs.get("broadcasts")

LOCK = 0x6F75_7472_6561_6368
"""Held by the process that governs right now; ends with it."""
TOO_LATE = timedelta(hours=6)
"""A schedule missed by more, since nothing ran, is a person's to decide: the day it was meant for may be over."""
LATELY = timedelta(minutes=3)
MEASURED_OVER = 5.0
"""Seconds over which the rate people see is reckoned."""
CANCEL_AT_ONCE = 20_000
CANCEL_SECONDS = 0.8


async def govern() -> None:
    """Look once at every broadcast that is not over."""
    async with transaction() as gate:
        if not await gate.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
            return
        for broadcast_id in await _list_open(gate):
            try:
                async with transaction() as session:
                    await _govern(session, broadcast_id)
            except PASSING:
                raise
            except Exception:  # the others are looked at all the same
                log.exception("outreach_not_governed", broadcast=broadcast_id)


async def _list_open(session: AsyncSession) -> list[int]:
    """Those that run or stand still, whose time has come, that still have somebody to leave out, or news to add up."""
    now = clock.now()
    due = (Broadcast.status == Status.APPROVED) & Broadcast.scheduled_at.between(now - TOO_LATE, now)
    of_it = BroadcastCount.broadcast_id == Broadcast.id
    open_count = exists().where(of_it, BroadcastCount.state.in_(OUTSTANDING), BroadcastCount.count > 0)
    ending = (Broadcast.status == Status.CANCELLED) & open_count
    began = Broadcast.started_at.is_not(None) | (Broadcast.status == Status.CANCELLED)
    news = exists().where(BroadcastTally.broadcast_id == Broadcast.id) & began
    wanted = Broadcast.status.in_((Status.RUNNING, Status.PAUSED)) | due | ending | news
    return list(await session.scalars(select(Broadcast.id).where(wanted).order_by(Broadcast.id)))


async def _govern(session: AsyncSession, broadcast_id: int) -> None:
    now = clock.now()
    await tallies.add_up(session, broadcast_id, at=now)
    one = await acts.get(session, broadcast_id, for_update=True)
    if one.status == Status.APPROVED:
        await acts.start(session, one.id, version=one.version, operator_id=None)
    states = tallies.by_state(await tallies.by_region(session, one.id))
    _measure(one, tallies.left(states), now)
    if one.status == Status.CANCELLED:
        await _cancel_rest(session, one, states)
    elif one.status == Status.PAUSED:
        one.rate, one.held_by = 0.0, None
    elif one.status == Status.RUNNING:
        await _govern_running(session, one, states, now)
    if one.status != Status.PAUSED or one.measured:
        await notify(session, "hotline_broadcast", str(one.id))


def _measure(one: Broadcast, left: int, now: datetime) -> None:
    """The rate of the last seconds, for people to see."""
    if one.measured_at is None:
        one.measured_left, one.measured_at = left, now
        return
    seconds = (now - one.measured_at).total_seconds()
    if seconds < 0 or one.status not in (Status.RUNNING, Status.PAUSED):
        one.measured, one.measured_left, one.measured_at = 0.0, left, now
    elif seconds >= MEASURED_OVER:
        one.measured = max(0, left - one.measured_left) / seconds
        one.measured_left, one.measured_at = left, now


async def _govern_running(session: AsyncSession, one: Broadcast, states: dict[str, int], now: datetime) -> None:
    reason = pacing.why_pause(await _see(session, one, now), _limits(one))
    if reason is not None:
        await acts.pause(session, one.id, operator_id=None, reason=reason)
        log.warning("outreach_paused_by_itself", broadcast=one.id, reason=str(reason))
        return
    if await _is_through(session, one):
        await _end_of_wave(session, one, states)
        return
    await _set_pace(session, one, await running_of(session, one), states, now)


def _limits(one: Broadcast) -> Limits:
    return Limits(waiting_seconds=one.waiting_seconds, danger_replies=one.danger_replies, error_share=one.error_share)


async def _see(session: AsyncSession, one: Broadcast, now: datetime) -> Seen:
    waiting = select(func.min(Thread.waiting_since)).where(Thread.owner == "waiting", Thread.channel != Channel.DRILL)
    longest = await session.scalar(waiting)
    first = one.resumed_at or now
    if one.resumed_at == one.started_at:  # after a pause only what came later counts
        first = first.replace(second=0, microsecond=0)
    since = max(now - LATELY, first)
    minutes = select(BroadcastMinute.what, func.sum(BroadcastMinute.count)).where(
        BroadcastMinute.broadcast_id == one.id
    )
    minutes = minutes.where(BroadcastMinute.minute >= since).group_by(BroadcastMinute.what)
    lately = {what: int(count) for what, count in await session.execute(minutes)}
    failed = lately.get("failed", 0)
    danger = await count_danger(session, one.id)
    return Seen(
        longest_wait=0.0 if longest is None else max(0.0, (now - longest).total_seconds()),
        danger_replies=max(0, danger - one.danger_seen),
        sent_lately=lately.get("sent", 0) + failed,
        failed_lately=failed,
        unknown_lately=lately.get("unknown", 0),
    )


async def count_danger(session: AsyncSession, broadcast_id: int) -> int:
    """Replies in red or orange."""
    told = select(func.count()).select_from(BroadcastReply).where(BroadcastReply.broadcast_id == broadcast_id)
    return (await session.scalar(told.where(text(IS_DANGER)))) or 0


async def _set_pace(
    session: AsyncSession, one: Broadcast, running: Running, states: dict[str, int], now: datetime
) -> None:
    if len(running.closed(now)) == len(running.regions):
        one.rate, one.held_by = 0.0, Held.HOURS
        return
    if await pressure.level(session) >= Shed.OUTREACH:
        one.rate, one.held_by = 0.0, Held.LOAD
        return
    free = await count_free(session) / await _count_running(session)
    share = pacing.live_reply_share(
        expected=one.reply_share, texted=tallies.left(states), replied=await _count_for_people(session, one.id)
    )
    carrier = partial(pacing.texts_per_second, carrier_segments=one.carrier_segments, segments_each=running.segments)
    one.rate = carrier(free_operators=free, reply_share=share)
    at_best = carrier(free_operators=1.0, reply_share=0.0)
    busy = exists().where(BroadcastChunk.broadcast_id == one.id, BroadcastChunk.not_before > ledger.NOW)
    if free <= 0:
        one.held_by = Held.NOBODY
    elif one.rate < at_best:
        one.held_by = Held.PEOPLE
    else:
        one.held_by = Held.BUSY if await session.scalar(select(busy)) else None


async def count_free(session: AsyncSession) -> float:
    """Operators free right now (`pacing.free_operators`), for all broadcasts that run."""
    return pacing.free_operators(await _talks_in_hand(session))


async def _talks_in_hand(session: AsyncSession) -> list[int]:
    """Of everybody on duty with an open console who is not on a break: how many talks they hold."""
    now = clock.now()
    there = [
        one.id for one in await presence.list_on_duty(session)
        if one.role in (Role.OPERATOR, Role.SUPERVISOR) and (one.break_until is None or one.break_until <= now)
    ]  # fmt: skip
    held = select(Thread.operator_id, func.count()).where(Thread.owner == "operator", Thread.channel != Channel.DRILL)
    talks = {who: n for who, n in await session.execute(held.group_by(Thread.operator_id))}  # noqa: C416 - rows, not pairs
    return [talks.get(who, 0) for who in there]


async def _count_running(session: AsyncSession) -> int:
    running = select(func.count()).select_from(Broadcast).where(Broadcast.status == Status.RUNNING)
    return max(1, await session.scalar(running) or 0)


async def _count_for_people(session: AsyncSession, broadcast_id: int) -> int:
    """Replies that a person has to read."""
    told = select(func.count()).select_from(BroadcastReply).where(BroadcastReply.broadcast_id == broadcast_id)
    return (await session.scalar(told.where(text(NEEDS_SOMEBODY)))) or 0


async def _is_through(session: AsyncSession, one: Broadcast) -> bool:
    """Whether every number of the waves let go so far was given out and settled, but for those still to be looked up."""
    lanes = exists().where(
        BroadcastLane.broadcast_id == one.id, BroadcastLane.wave <= one.wave, BroadcastLane.next <= BroadcastLane.last
    )
    chunks = exists().where(BroadcastChunk.broadcast_id == one.id)
    return not await session.scalar(select(lanes | chunks))


async def _end_of_wave(session: AsyncSession, one: Broadcast, states: dict[str, int]) -> None:
    one.rate, one.held_by = 0.0, None
    if one.wave + 1 < len(one.waves):
        if one.waves[one.wave]["asks"]:
            await acts.pause(session, one.id, operator_id=None, reason="wave")
        else:
            one.wave += 1
        return
    if await unknowns.count_open(session, one.id):
        return
    if tallies.outstanding(states):
        await _adopt(session, one)
        return
    one.held_by = Held.COUNTING


async def _adopt(session: AsyncSession, one: Broadcast) -> None:
    """Numbers that nobody has and that are not settled, whatever left them so: they are given out again, or looked up."""
    numbers = await ledger.list_outstanding(session, one.id, limit=1000)
    for row in numbers:
        if row.state == "created":
            again = {"wave": row.wave, "region": row.region, "first": row.number, "last": row.number}
            await session.execute(insert(BroadcastChunk).values(broadcast_id=one.id, beat_at=ledger.NOW, **again))
    claimed = [row.number for row in numbers if row.state == "claimed"]
    await ledger.settle(session, one.id, [ledger.Outcome(number, State.UNKNOWN) for number in claimed])
    await ledger.keep_unknown(session, one.id, claimed, after=timedelta())
    log.warning("outreach_numbers_without_worker", broadcast=one.id, numbers=len(numbers))
    if not numbers:
        await completing.recount(session, one.id)


async def _cancel_rest(session: AsyncSession, one: Broadcast, states: dict[str, int]) -> None:
    """Whoever was not texted of an ended broadcast: `cancelled`, some thousands at a time."""
    one.rate, one.held_by = 0.0, None
    until = clock.wall_seconds() + CANCEL_SECONDS
    while tallies.outstanding(states) and clock.wall_seconds() < until:
        if not await ledger.cancel_some(session, one.id, at_most=CANCEL_AT_ONCE):
            break
