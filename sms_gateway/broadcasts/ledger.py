"""The ledger's moves: a worker takes numbers, says what became of them, gives back what surely did not leave.

Rows are locked in the order of their numbers everywhere, so that no two of these wait for each other for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import Broadcast, BroadcastChunk, BroadcastLane, BroadcastRecipient, BroadcastTally
from .recipients import MAY_HAVE_LEFT, RANK, State, Why, why_suppressed

NOW = func.clock_timestamp()
"""The database's time: leases hold between machines whose clocks differ."""


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


@dataclass(frozen=True)
class Outcome:
    """What became of one number. `state`: sent, failed, unknown, or created: it surely did not leave and may be sent later."""

    number: int
    state: State
    carrier_id: str | None = None
    error: str | None = None


async def take(
    session: AsyncSession, one: Broadcast, *, worker: str, carrier: str, at_most: int, closed: Collection[str] = ()
) -> Taken | None:
    """Up to `at_most` numbers of a running broadcast for `worker`; None when there is nothing to give out.

    `closed`: regions whose allowed hours are over. Numbers a worker gave back come before new ones.
    """
    chunk = await _waiting_chunk(session, one, worker, closed) or await _cut(session, one, worker, at_most, closed)
    if chunk is None:
        return None
    chunk_id, first, last = chunk
    wanted = await _rows(session, one, first, last)
    why = {number: reason for number, reason in wanted.reasons.items() if reason is not None}
    await _leave_out(session, one.id, why)
    await _claim(session, one.id, first, last, carrier)
    await _tally_taken(session, one.id, wanted.rows, why)
    if len(why) == len(wanted.rows):
        await finish(session, chunk_id)
    rows = [row for row in wanted.rows if row.number not in why]
    return Taken(chunk_id, one.id, rows, len(why))


async def _waiting_chunk(
    session: AsyncSession, one: Broadcast, worker: str, closed: Collection[str]
) -> tuple[int, int, int] | None:
    C = BroadcastChunk
    waiting = select(C.id).where(C.broadcast_id == one.id, C.worker.is_(None), C.region.not_in(closed))
    waiting = waiting.where(C.wave <= one.wave, (C.not_before.is_(None)) | (C.not_before <= NOW))
    first = waiting.order_by(C.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = update(C).where(C.id == first).values(worker=worker, beat_at=NOW, not_before=None)
    found = (await session.execute(taken.returning(C.id, C.first, C.last))).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


async def _cut(
    session: AsyncSession, one: Broadcast, worker: str, at_most: int, closed: Collection[str]
) -> tuple[int, int, int] | None:
    """The next numbers of the first open lane; workers pass by a lane another one is cutting from."""
    L = BroadcastLane
    lane = select(L).where(L.broadcast_id == one.id, L.wave <= one.wave, L.next <= L.last, L.region.not_in(closed))
    lane = lane.order_by(L.wave, L.first).limit(1)
    found = await session.scalar(lane.with_for_update(skip_locked=True)) or await session.scalar(lane.with_for_update())
    if found is None or found.next > found.last:
        return None
    first, last = found.next, min(found.last, found.next + at_most - 1)
    found.next = last + 1
    made = insert(BroadcastChunk).values(
        broadcast_id=one.id, wave=found.wave, region=found.region, first=first, last=last, worker=worker, beat_at=NOW
    )
    chunk_id = (await session.execute(made.returning(BroadcastChunk.id))).scalar_one()
    return chunk_id, first, last


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
ORDER BY r.number FOR UPDATE OF r
""")


async def _rows(session: AsyncSession, one: Broadcast, first: int, last: int) -> _Wanted:
    """The numbers whose turn it is, with why one gets nothing."""
    now = clock.now()
    recent = await list_recent(session, since=now - timedelta(days=one.quiet_days), but=one.id)
    binds = {"broadcast": one.id, "first": first, "last": last, "recent": recent, "left": [*MAY_HAVE_LEFT]}
    rows, reasons = [], {}
    for number, region, index, sealed, opted_out, open_case, silent, last_at in await session.execute(FACTS, binds):
        rows.append(Recipient(number, region, index, sealed))
        days = None if last_at is None else max(0.0, (now - last_at).total_seconds() / 86_400)
        reasons[number] = why_suppressed(
            opted_out=opted_out, open_case=open_case, silent=silent, days_since_last=days, quiet_days=one.quiet_days
        )
    return _Wanted(rows, reasons)


async def list_recent(session: AsyncSession, *, since: datetime, but: int | None = None) -> list[int]:
    """Broadcasts that sent anything since then; most often none."""
    B = Broadcast
    sent = select(B.id).where(B.started_at.is_not(None), (B.ended_at.is_(None)) | (B.ended_at >= since))
    return list(await session.scalars(sent.where(B.id != (but or 0)).order_by(B.id.desc())))


async def _leave_out(session: AsyncSession, broadcast_id: int, why: dict[int, Why]) -> None:
    if not why:
        return
    R = BroadcastRecipient
    for reason in dict.fromkeys(why.values()):
        numbers = [number for number, one in why.items() if one is reason]
        out = update(R).where(R.broadcast_id == broadcast_id, R.number.in_(numbers))
        await session.execute(out.values(state=State.SUPPRESSED, why=reason))


async def _claim(session: AsyncSession, broadcast_id: int, first: int, last: int, carrier: str) -> None:
    R = BroadcastRecipient
    mine = update(R).where(R.broadcast_id == broadcast_id, R.number.between(first, last), R.state == State.CREATED)
    await session.execute(mine.values(state=State.CLAIMED, claimed_at=clock.now(), carrier=carrier))


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
        await session.execute(insert(BroadcastTally), values)


SETTLE = text(f"""
WITH told AS (
    SELECT * FROM unnest(CAST(:numbers AS int[]), CAST(:states AS text[]), CAST(:ids AS text[]), CAST(:errors AS text[]))
    AS told (number, state, carrier_id, error)
), before AS (
    SELECT r.number, r.region, r.state FROM broadcast_recipients r
    WHERE r.broadcast_id = :broadcast AND r.number = ANY(CAST(:numbers AS int[])) ORDER BY r.number FOR UPDATE
), ranks (state, rank) AS (VALUES {", ".join(f"('{state}', {rank})" for state, rank in RANK.items())}
), moved AS (
    UPDATE broadcast_recipients r SET
        state = told.state, error = coalesce(told.error, r.error),
        carrier_id = coalesce(r.carrier_id, told.carrier_id),
        sent_at = CASE WHEN told.state = 'sent' THEN coalesce(r.sent_at, CAST(:at AS timestamptz)) ELSE r.sent_at END
    FROM told JOIN before USING (number), ranks was, ranks becomes
    WHERE r.broadcast_id = :broadcast AND r.number = told.number
      AND was.state = before.state AND becomes.state = told.state
      AND before.state NOT IN ('suppressed', 'cancelled')
      AND (becomes.rank > was.rank OR (told.state IN ('created', 'cancelled') AND before.state = ANY(:returnable)))
    RETURNING r.number, r.region, before.state AS was, r.state AS becomes
), noted AS (
    UPDATE broadcast_recipients r SET carrier_id = coalesce(r.carrier_id, told.carrier_id),
        sent_at = coalesce(r.sent_at, CAST(:at AS timestamptz))
    FROM told JOIN before USING (number)
    WHERE r.broadcast_id = :broadcast AND r.number = told.number AND told.state = 'sent'
      AND before.state IN ('delivered', 'failed')
), tallied AS (
    INSERT INTO broadcast_tallies (broadcast_id, region, state, change)
    SELECT :broadcast, region, state, sum(change) FROM (
        SELECT region, was AS state, -1 AS change FROM moved UNION ALL SELECT region, becomes, 1 FROM moved
    ) changes GROUP BY region, state HAVING sum(change) <> 0
)
SELECT number, becomes FROM moved
""")  # noqa: S608 - only the names and ranks of our own states
"""Outcomes applied upwards only, tallied in the same statement. A receipt that was quicker keeps its word."""


async def settle(
    session: AsyncSession, broadcast_id: int, outcomes: Sequence[Outcome], *, returnable: Collection[State] = ()
) -> list[tuple[int, State]]:
    """Write down what became of these numbers; those that moved, with their state now.

    `returnable`: states from which a number may go back to `created` (or end as `cancelled`): only of one who knows that it did not leave.
    """
    if not outcomes:
        return []
    ordered = sorted(outcomes, key=lambda one: one.number)
    binds = {
        "broadcast": broadcast_id, "numbers": [one.number for one in ordered], "states": [str(one.state) for one in ordered],
        "ids": [one.carrier_id for one in ordered], "errors": [one.error for one in ordered], "at": clock.now(),
        "returnable": [str(state) for state in returnable],
    }  # fmt: skip
    found = await session.execute(SETTLE, binds)
    return [(number, State(state)) for number, state in found]


async def keep_unknown(session: AsyncSession, broadcast_id: int, numbers: Sequence[int], *, after: timedelta) -> None:
    """These are to be looked up at the carrier `after` so long."""
    if numbers:
        row = text("""
            INSERT INTO broadcast_unknowns (broadcast_id, number, look_up_at, tries)
            SELECT :broadcast, number, clock_timestamp() + CAST(:after AS interval), 0 FROM unnest(CAST(:numbers AS int[])) AS number
            ON CONFLICT (broadcast_id, number) DO NOTHING""")
        await session.execute(row, {"broadcast": broadcast_id, "numbers": [*numbers], "after": after})


async def holds(session: AsyncSession, chunk_id: int, worker: str) -> bool:
    """Whether that chunk is still this worker's; it stays so until the transaction ends."""
    C = BroadcastChunk
    mine = select(C.id).where(C.id == chunk_id, C.worker == worker).with_for_update()
    return await session.scalar(mine) is not None


async def finish(session: AsyncSession, chunk_id: int) -> None:
    """Every number of the chunk is settled."""
    await session.execute(delete(BroadcastChunk).where(BroadcastChunk.id == chunk_id))


async def put_back(session: AsyncSession, chunk_id: int, *, pause: timedelta) -> None:
    """Numbers of the chunk are `created` again: anybody may take it, after `pause`."""
    free = update(BroadcastChunk).where(BroadcastChunk.id == chunk_id)
    await session.execute(free.values(worker=None, not_before=NOW + pause))


async def beat(session: AsyncSession, worker: str) -> set[int]:
    """This worker lives; the chunks it still holds."""
    C = BroadcastChunk
    mine = update(C).where(C.worker == worker).values(beat_at=NOW).returning(C.id)
    return set(await session.scalars(mine))


async def recover(session: AsyncSession, *, dead_after: timedelta, look_up_after: timedelta, limit: int = 20) -> int:
    """Chunks of workers that died: what they had claimed may have left, so it is `unknown`; how many chunks."""
    C, R = BroadcastChunk, BroadcastRecipient
    dead = select(C).where(C.worker.is_not(None), C.beat_at < NOW - dead_after).order_by(C.id).limit(limit)
    chunks = (await session.scalars(dead.with_for_update(skip_locked=True))).all()
    for chunk in chunks:
        claimed = select(R.number).where(R.broadcast_id == chunk.broadcast_id, R.state == State.CLAIMED)
        numbers = list(await session.scalars(claimed.where(R.number.between(chunk.first, chunk.last))))
        lost = [Outcome(number, State.UNKNOWN) for number in numbers]
        moved = await settle(session, chunk.broadcast_id, lost)
        await keep_unknown(session, chunk.broadcast_id, [number for number, _ in moved], after=look_up_after)
        await session.delete(chunk)
    return len(chunks)


async def cancel_some(session: AsyncSession, broadcast_id: int, *, at_most: int) -> int:
    """Numbers of an ended broadcast that nobody texted: `cancelled`; how many this time (lanes are cut as for sending)."""
    L = BroadcastLane
    lane = select(L).where(L.broadcast_id == broadcast_id, L.next <= L.last).order_by(L.wave, L.first).limit(1)
    found = await session.scalar(lane.with_for_update())
    chunks = delete(BroadcastChunk).where(BroadcastChunk.broadcast_id == broadcast_id, BroadcastChunk.worker.is_(None))
    done = 0
    for first, last in (await session.execute(chunks.returning(BroadcastChunk.first, BroadcastChunk.last))).all():
        done += await _cancel(session, broadcast_id, first, last)
    if found is not None:
        first, last = found.next, min(found.last, found.next + at_most - 1)
        found.next = last + 1
        done += await _cancel(session, broadcast_id, first, last)
    return done


CANCEL = text("""
WITH moved AS (
    UPDATE broadcast_recipients SET state = 'cancelled'
    WHERE broadcast_id = :broadcast AND number BETWEEN :first AND :last AND state = 'created' RETURNING region
), summed AS (SELECT region, count(*) AS n FROM moved GROUP BY region), tallied AS (
    INSERT INTO broadcast_tallies (broadcast_id, region, state, change)
    SELECT :broadcast, region, 'created', -n FROM summed UNION ALL SELECT :broadcast, region, 'cancelled', n FROM summed
)
SELECT coalesce(sum(n), 0) FROM summed
""")


async def _cancel(session: AsyncSession, broadcast_id: int, first: int, last: int) -> int:
    binds = {"broadcast": broadcast_id, "first": first, "last": last}
    return int((await session.execute(CANCEL, binds)).scalar_one())


async def count(session: AsyncSession, broadcast_id: int) -> dict[tuple[str, str], int]:
    """The ledger itself, counted row by row: by region and state as in `tallies`. For the end of a broadcast, never while sending."""
    R = BroadcastRecipient
    state = func.concat(R.state, literal_column("CASE WHEN state = 'suppressed' THEN ':' || why ELSE '' END"))
    rows = select(R.region, state, func.count()).where(R.broadcast_id == broadcast_id).group_by(R.region, state)
    return {(region, one): n for region, one, n in await session.execute(rows)}
