"""The counts of a broadcast: changes are added beside each move of the ledger, summed up once a second, and always add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from .models import BroadcastCount, BroadcastTally
from .recipients import OUTSTANDING, State

SUPPRESSED = "suppressed"

ADD_UP = text("""
WITH gone AS (
    DELETE FROM broadcast_tallies WHERE broadcast_id = :broadcast RETURNING region, state, change
), minute AS (
    INSERT INTO broadcast_minutes (broadcast_id, minute, what, count)
    SELECT :broadcast, CAST(:minute AS timestamptz), split_part(state, ':', 1), sum(change) FROM gone
    WHERE change > 0 AND split_part(state, ':', 1) IN ('sent', 'delivered', 'failed', 'unknown', 'suppressed')
    GROUP BY split_part(state, ':', 1)
    ON CONFLICT (broadcast_id, minute, what) DO UPDATE SET count = broadcast_minutes.count + excluded.count
)
INSERT INTO broadcast_counts (broadcast_id, region, state, count)
SELECT :broadcast, region, state, sum(change) FROM gone GROUP BY region, state HAVING sum(change) <> 0
ON CONFLICT (broadcast_id, region, state) DO UPDATE SET count = broadcast_counts.count + excluded.count
""")
"""Bind: broadcast, minute. One process at a time (the governor's lock)."""


async def add_up(session: AsyncSession, broadcast_id: int, *, at: datetime) -> None:
    """Add the changes since the last time to the counts, and what moved to the minute `at` lies in."""
    minute = at.replace(second=0, microsecond=0)
    await session.execute(ADD_UP, {"broadcast": broadcast_id, "minute": minute})


async def by_region(session: AsyncSession, broadcast_id: int) -> dict[str, dict[str, int]]:
    """Region to state to numbers, exact at this moment; a suppressed one as `suppressed:` with its reason."""
    counts = select(BroadcastCount.region, BroadcastCount.state, BroadcastCount.count.label("change"))
    pending = select(BroadcastTally.region, BroadcastTally.state, BroadcastTally.change)
    both = union_all(
        counts.where(BroadcastCount.broadcast_id == broadcast_id),
        pending.where(BroadcastTally.broadcast_id == broadcast_id),
    ).subquery()
    summed = select(both.c.region, both.c.state, func.sum(both.c.change)).group_by(both.c.region, both.c.state)
    found: dict[str, dict[str, int]] = {}
    for region, state, count in await session.execute(summed):
        if count:
            found.setdefault(region, {})[state] = int(count)
    return found


def by_state(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """State to numbers over all regions; the suppressed as one."""
    found: dict[str, int] = {}
    for states in counts.values():
        for state, count in states.items():
            plain = state.partition(":")[0]
            found[plain] = found.get(plain, 0) + count
    return found


def outstanding(states: Mapping[str, int]) -> int:
    """Numbers whose turn has not come, or that a worker has in hand."""
    return sum(states.get(state, 0) for state in OUTSTANDING)


def left(states: Mapping[str, int]) -> int:
    """Texts that left, or may have."""
    return sum(states.get(state, 0) for state in (State.SENT, State.DELIVERED, State.UNKNOWN, State.FAILED))


CORRECT = text("""
WITH counted AS (
    SELECT region, state || CASE WHEN state = 'suppressed' THEN ':' || why ELSE '' END AS state, count(*) AS n
    FROM broadcast_recipients WHERE broadcast_id = :broadcast GROUP BY 1, 2
), kept AS (
    SELECT region, state, sum(n) AS n FROM (
        SELECT region, state, count AS n FROM broadcast_counts WHERE broadcast_id = :broadcast
        UNION ALL SELECT region, state, change FROM broadcast_tallies WHERE broadcast_id = :broadcast
    ) AS both_of_them GROUP BY region, state
), wrong AS (
    SELECT region, state, coalesce(counted.n, 0) - coalesce(kept.n, 0) AS change
    FROM counted FULL JOIN kept USING (region, state) WHERE coalesce(counted.n, 0) <> coalesce(kept.n, 0)
), corrected AS (
    INSERT INTO broadcast_tallies (broadcast_id, region, state, change) SELECT :broadcast, region, state, change FROM wrong
)
SELECT (SELECT coalesce(sum(n), 0) FROM counted WHERE state IN ('created', 'claimed')), (SELECT count(*) FROM wrong)
""")
"""One statement sees ledger and counts at one moment, so nobody who moves numbers meanwhile has to wait for it."""


async def correct(session: AsyncSession, broadcast_id: int) -> tuple[int, int]:
    """Count the ledger row by row and put the counts right by it: (numbers outstanding, counts that were wrong).

    For the end of a broadcast, never while sending.
    """
    outstanding, wrong = (await session.execute(CORRECT, {"broadcast": broadcast_id})).one()
    return int(outstanding), int(wrong)
