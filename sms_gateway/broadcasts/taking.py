"""A worker takes numbers: a run of the ledger that nobody had before, with those left out who must not be texted now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .ledger import NOW, finish
from .lifecycle import Status
from .models import Broadcast
from .models import BroadcastChunk as Chunk
from .models import BroadcastRecipient as Row
from .models import BroadcastTally as Tally
from .recipients import MAY_HAVE_LEFT, State, Why, why_suppressed


@dataclass(frozen=True)
class Recipient:
    """A number to text."""

    number: int
    region: str
    address_index: bytes
    address_sealed: bytes


@dataclass(frozen=True)
class Taken:
    """What a worker has in hand: `rows` are marked `claimed`, `suppressed` numbers of the chunk were left out."""

    chunk_id: int
    broadcast_id: int
    rows: list[Recipient]
    suppressed: int


async def still_running(session: AsyncSession, broadcast_id: int) -> Broadcast | None:
    """The broadcast if it runs. Not locked: a pause a moment later is seen before the next text (`sending.LOOK_SECONDS`)."""
    return await session.scalar(
        select(Broadcast).where(Broadcast.id == broadcast_id, Broadcast.status == Status.RUNNING)
    )


async def take(
    session: AsyncSession, one: Broadcast, *, worker: str, carrier: str, at_most: int, closed: Collection[str] = ()
) -> Taken | None:
    """Up to `at_most` numbers of a running broadcast for `worker`; None when there is nothing to give out.

    `closed`: regions whose allowed hours are over. Numbers a worker gave back come before new ones.
    """
    chunk = await _waiting_chunk(session, one, worker, at_most, closed) or await _cut(
        session, one, worker, at_most, closed
    )
    if chunk is None:
        return None
    chunk_id, first, last = chunk
    wanted = await _rows(session, one, first, last)
    why = {number: reason for number, reason in wanted.reasons.items() if reason is not None}
    await _leave_out(session, one.id, why)
    claimed = await _claim(session, one.id, first, last, carrier)
    rows = [row for row in wanted.rows if row.number in claimed]
    left_out = [row for row in wanted.rows if row.number in why]
    await _tally_taken(session, one.id, [*rows, *left_out], why)
    if not rows:
        await finish(session, chunk_id)
    return Taken(chunk_id, one.id, rows, len(why))


async def _waiting_chunk(
    session: AsyncSession, one: Broadcast, worker: str, at_most: int, closed: Collection[str]
) -> tuple[int, int, int] | None:
    """Numbers that were given back, not more than the pace allows: the rest of the chunk waits on."""
    waiting = select(Chunk.id).where(Chunk.broadcast_id == one.id, Chunk.worker.is_(None), Chunk.region.not_in(closed))
    waiting = waiting.where(Chunk.wave <= one.wave, (Chunk.not_before.is_(None)) | (Chunk.not_before <= NOW))
    oldest = waiting.order_by(Chunk.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = update(Chunk).where(Chunk.id == oldest).values(worker=worker, beat_at=NOW, not_before=None)
    found = (
        await session.execute(taken.returning(Chunk.id, Chunk.first, Chunk.last, Chunk.wave, Chunk.region))
    ).one_or_none()
    if found is None:
        return None
    chunk_id, first, last, wave, region = found
    if last - first + 1 > at_most:
        rest = {"first": first + at_most, "last": last, "wave": wave, "region": region}
        await session.execute(insert(Chunk).values(broadcast_id=one.id, beat_at=NOW, **rest))
        last = first + at_most - 1
        await session.execute(update(Chunk).where(Chunk.id == chunk_id).values(last=last))
    return chunk_id, first, last


CUT = text("""
WITH lane AS (
    SELECT wave, region, next, least(last, next + :at_most - 1) AS upto FROM broadcast_lanes
    WHERE broadcast_id = :broadcast AND wave <= :wave AND next <= last AND region <> ALL(CAST(:closed AS text[]))
    ORDER BY wave, first LIMIT 1 FOR UPDATE SKIP LOCKED
), cut AS (
    UPDATE broadcast_lanes AS l SET next = lane.upto + 1 FROM lane
    WHERE l.broadcast_id = :broadcast AND l.wave = lane.wave AND l.region = lane.region
)
INSERT INTO broadcast_chunks (broadcast_id, wave, region, first, last, worker, beat_at)
SELECT :broadcast, wave, region, next, upto, :worker, clock_timestamp() FROM lane RETURNING id, first, last
""")
"""The next numbers of the first open lane; workers pass by a lane another one is cutting from."""
CUT_IN_TURN = text(str(CUT).replace("SKIP LOCKED", ""))


async def _cut(
    session: AsyncSession, one: Broadcast, worker: str, at_most: int, closed: Collection[str]
) -> tuple[int, int, int] | None:
    binds = {"broadcast": one.id, "wave": one.wave, "at_most": at_most, "closed": [*closed], "worker": worker}
    found = (await session.execute(CUT, binds)).one_or_none()
    if found is None:  # nothing left, or every open lane is being cut from just now: then wait for one's turn
        found = (await session.execute(CUT_IN_TURN, binds)).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


@dataclass(frozen=True)
class _Wanted:
    rows: list[Recipient]
    reasons: dict[int, Why | None]


FACTS = text("""
SELECT r.number, r.region, r.address_index, r.address_sealed,
       c.outreach_opted_out_at IS NOT NULL, coalesce(c.open_case, false), c.silent_at IS NOT NULL,
       (SELECT max(o.claimed_at) FROM broadcast_recipients o
        WHERE o.broadcast_id = ANY(:recent) AND o.address_index = r.address_index AND o.state = ANY(:left))
FROM broadcast_recipients r
LEFT JOIN contacts c ON c.channel = 'sms' AND c.address_index = r.address_index
WHERE r.broadcast_id = :broadcast AND r.number BETWEEN :first AND :last AND r.state = 'created'
ORDER BY r.number
""")


async def _rows(session: AsyncSession, one: Broadcast, first: int, last: int) -> _Wanted:
    """The numbers whose turn it is, with why one gets nothing."""
    now = clock.now()
    recent = await list_recent(session, since=now - timedelta(days=one.quiet_days), but=one.id)
    await _in_turn_with(session, recent)
    binds = {"broadcast": one.id, "first": first, "last": last, "recent": recent, "left": [*MAY_HAVE_LEFT]}
    rows, reasons = [], {}
    for number, region, index, sealed, opted_out, open_case, silent, last_at in await session.execute(FACTS, binds):
        rows.append(Recipient(number, region, index, sealed))
        days = None if last_at is None else max(0.0, (now - last_at).total_seconds() / 86_400)
        reasons[number] = why_suppressed(
            opted_out=opted_out, open_case=open_case, silent=silent, days_since_last=days, quiet_days=one.quiet_days
        )
    return _Wanted(rows, reasons)


IN_TURN = 0x6F6E_6562_796F_6E65
"""Held while numbers are taken beside another broadcast."""


async def _in_turn_with(session: AsyncSession, others: list[int]) -> None:
    """Where another broadcast may be taking numbers just now, one at a time: whoever stands on both lists is texted by one of them.
    Two that take at the same moment would not see each other's claim."""
    if not others:
        return
    open_ones = exists().where(Broadcast.id.in_(others), Broadcast.status.in_((Status.RUNNING, Status.PAUSED)))
    if await session.scalar(select(open_ones)):
        await session.execute(select(func.pg_advisory_xact_lock(IN_TURN)))


async def list_recent(session: AsyncSession, *, since: datetime, but: int | None = None) -> list[int]:
    """Broadcasts that sent anything since then; most often none."""
    sent = select(Broadcast.id).where(
        Broadcast.started_at.is_not(None), (Broadcast.ended_at.is_(None)) | (Broadcast.ended_at >= since)
    )
    return list(await session.scalars(sent.where(Broadcast.id != (but or 0)).order_by(Broadcast.id.desc())))


async def _leave_out(session: AsyncSession, broadcast_id: int, why: dict[int, Why]) -> None:
    if not why:
        return
    for reason in dict.fromkeys(why.values()):
        numbers = [number for number, one in why.items() if one is reason]
        out = update(Row).where(Row.broadcast_id == broadcast_id, Row.number.in_(numbers))
        await session.execute(out.values(state=State.SUPPRESSED, why=reason))


CLAIM = text("""
UPDATE broadcast_recipients SET state = 'claimed', claimed_at = :at, carrier = :carrier
WHERE broadcast_id = :broadcast AND number BETWEEN :first AND :last AND state = 'created' RETURNING number
""")


async def _claim(session: AsyncSession, broadcast_id: int, first: int, last: int, carrier: str) -> set[int]:
    """The numbers that are ours now. The chunk is nobody else's, so it is not locked before; only a receipt could come between."""
    binds = {"broadcast": broadcast_id, "first": first, "last": last, "at": clock.now(), "carrier": carrier}
    return set(await session.scalars(CLAIM, binds))


async def _tally_taken(
    session: AsyncSession, broadcast_id: int, rows: Sequence[Recipient], why: dict[int, Why]
) -> None:
    changes: dict[tuple[str, str], int] = {}
    for row in rows:
        reason = why.get(row.number)
        for state, change in ((State.CREATED, -1), (State.CLAIMED if reason is None else f"suppressed:{reason}", 1)):
            changes[row.region, state] = changes.get((row.region, state), 0) + change
    values = [
        {"broadcast_id": broadcast_id, "region": region, "state": str(state), "change": change}
        for (region, state), change in changes.items()
    ]
    if values:
        await session.execute(insert(Tally), values)
