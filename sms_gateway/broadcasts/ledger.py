"""The ledger's moves: what became of a number, what is given back since it surely did not leave, what a dead worker leaves.

Rows are locked in the order of their numbers everywhere, so that no two of these wait for each other for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import BroadcastChunk as Chunk
from .models import BroadcastLane as Lane
from .models import BroadcastRecipient as Row
from .recipients import RANK, State

NOW = func.clock_timestamp()
"""The database's time: leases hold between machines whose clocks differ."""


@dataclass(frozen=True)
class Outcome:
    """What became of one number. `state`: sent, failed, unknown, or created: it surely did not leave and may be sent later."""

    number: int
    state: State
    carrier_id: str | None = None
    error: str | None = None


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
    ) changes GROUP BY region, state, change
)
SELECT number, becomes FROM moved
""")  # noqa: S608 - only the names and ranks of our own states
"""Outcomes applied upwards only, tallied in the same statement. A receipt that was quicker keeps its word."""


SETTLE_CHUNK = text("""
WITH told AS (
    SELECT * FROM unnest(CAST(:numbers AS int[]), CAST(:states AS text[]), CAST(:ids AS text[]), CAST(:errors AS text[]))
    AS told (number, state, carrier_id, error)
), moved AS (
    UPDATE broadcast_recipients r SET state = told.state, error = told.error, carrier_id = told.carrier_id,
        sent_at = CASE WHEN told.state = 'sent' THEN CAST(:at AS timestamptz) END
    FROM told
    WHERE r.broadcast_id = :broadcast AND r.number = told.number AND r.number BETWEEN :first AND :last AND r.state = 'claimed'
    RETURNING r.number, r.region, r.state
), tallied AS (
    INSERT INTO broadcast_tallies (broadcast_id, region, state, change)
    SELECT :broadcast, region, 'claimed', -count(*) FROM moved GROUP BY region
    UNION ALL SELECT :broadcast, region, state, count(*) FROM moved GROUP BY region, state
)
SELECT number FROM moved
""")


async def settle_chunk(session: AsyncSession, broadcast_id: int, outcomes: Sequence[Outcome]) -> None:
    """`settle` for numbers that lie together and were just claimed: one touch of a row in place of two.

    Where a receipt was quicker, or the lease was lost, the row is no longer `claimed`, and `settle` has the word.
    """
    if not outcomes:
        return
    ordered = sorted(outcomes, key=lambda one: one.number)
    binds = _binds(broadcast_id, ordered) | {"first": ordered[0].number, "last": ordered[-1].number}
    moved = set(await session.scalars(SETTLE_CHUNK, binds))
    await settle(session, broadcast_id, [one for one in ordered if one.number not in moved])


def _binds(broadcast_id: int, ordered: Sequence[Outcome]) -> dict[str, object]:
    return {
        "broadcast": broadcast_id, "numbers": [one.number for one in ordered], "states": [str(one.state) for one in ordered],
        "ids": [one.carrier_id for one in ordered], "errors": [one.error for one in ordered], "at": clock.now(),
    }  # fmt: skip


async def settle(
    session: AsyncSession, broadcast_id: int, outcomes: Sequence[Outcome], *, returnable: Collection[State] = ()
) -> list[tuple[int, State]]:
    """Write down what became of these numbers; those that moved, with their state now.

    `returnable`: states from which a number may go back to `created` (or end as `cancelled`): only of one who knows that it did not leave.
    """
    if not outcomes:
        return []
    ordered = sorted(outcomes, key=lambda one: one.number)
    binds = _binds(broadcast_id, ordered) | {"returnable": [str(state) for state in returnable]}
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


KEEP_REFERENCES = text("""
INSERT INTO outreach_carrier_references (carrier, carrier_id, reference, at)
SELECT :carrier, id, reference, :at FROM unnest(CAST(:ids AS text[]), CAST(:references AS bigint[])) AS r (id, reference)
ON CONFLICT (carrier, carrier_id) DO UPDATE SET reference = EXCLUDED.reference, at = EXCLUDED.at
""")


async def keep_references(session: AsyncSession, carrier: str, references: Mapping[str, int]) -> None:
    """Which recipient a carrier's own id stands for, where its receipts carry no reference of ours.

    The newer one counts where an id comes again: CMPP's Msg_Ids repeat after a year.
    """
    if references:
        binds = {"carrier": carrier, "ids": [*references], "references": [*references.values()], "at": clock.now()}
        await session.execute(KEEP_REFERENCES, binds)


async def holds(session: AsyncSession, chunk_id: int, worker: str) -> bool:
    """Whether that chunk is still this worker's; it stays so until the transaction ends."""
    mine = select(Chunk.id).where(Chunk.id == chunk_id, Chunk.worker == worker).with_for_update()
    return await session.scalar(mine) is not None


async def finish(session: AsyncSession, chunk_id: int) -> None:
    """Every number of the chunk is settled."""
    await session.execute(delete(Chunk).where(Chunk.id == chunk_id))


async def put_back(session: AsyncSession, chunk_id: int, *, pause: timedelta) -> None:
    """Numbers of the chunk are `created` again: anybody may take it, after `pause`."""
    free = update(Chunk).where(Chunk.id == chunk_id)
    await session.execute(free.values(worker=None, not_before=NOW + pause))


async def beat(session: AsyncSession, worker: str, chunks: Collection[int]) -> set[int]:
    """This worker has these `chunks` in hand and lives; those it still holds.

    A chunk it took without hearing that it did (the answer to a commit was lost), or dropped on an error, is not kept from the others.
    """
    if not chunks:
        return set()
    mine = update(Chunk).where(Chunk.worker == worker, Chunk.id.in_(chunks)).values(beat_at=NOW).returning(Chunk.id)
    return set(await session.scalars(mine))


async def recover(session: AsyncSession, *, dead_after: timedelta, look_up_after: timedelta, limit: int = 20) -> int:
    """Chunks of workers that died: what they had claimed may have left, so it is `unknown`; how many chunks."""
    dead = (
        select(Chunk).where(Chunk.worker.is_not(None), Chunk.beat_at < NOW - dead_after).order_by(Chunk.id).limit(limit)
    )
    chunks = (await session.scalars(dead.with_for_update(skip_locked=True))).all()
    for chunk in chunks:
        claimed = select(Row.number).where(Row.broadcast_id == chunk.broadcast_id, Row.state == State.CLAIMED)
        numbers = list(await session.scalars(claimed.where(Row.number.between(chunk.first, chunk.last))))
        lost = [Outcome(number, State.UNKNOWN) for number in numbers]
        moved = await settle(session, chunk.broadcast_id, lost)
        await keep_unknown(session, chunk.broadcast_id, [number for number, _ in moved], after=look_up_after)
        await session.delete(chunk)
    return len(chunks)


async def cancel_some(session: AsyncSession, broadcast_id: int, *, at_most: int) -> int:
    """Numbers of an ended broadcast that nobody texted: `cancelled`; how many this time (lanes are cut as for sending)."""
    lane = (
        select(Lane)
        .where(Lane.broadcast_id == broadcast_id, Lane.next <= Lane.last)
        .order_by(Lane.wave, Lane.first)
        .limit(1)
    )
    found = await session.scalar(lane.with_for_update())
    chunks = delete(Chunk).where(Chunk.broadcast_id == broadcast_id, Chunk.worker.is_(None))
    done = 0
    for first, last in (await session.execute(chunks.returning(Chunk.first, Chunk.last))).all():
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


async def list_outstanding(session: AsyncSession, broadcast_id: int, *, limit: int) -> list[Row]:
    """Numbers that are still `created` or `claimed`: reads the whole ledger, so only at the end."""
    rows = select(Row).where(Row.broadcast_id == broadcast_id, Row.state.in_((State.CREATED, State.CLAIMED)))
    return list(await session.scalars(rows.order_by(Row.number).limit(limit)))
