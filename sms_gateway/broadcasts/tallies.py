"""The counts of a broadcast: changes are added beside each move of the ledger, summed up once a second, and always add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text, union_all
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


async def replace(session: AsyncSession, broadcast_id: int, counted: Mapping[tuple[str, str], int]) -> None:
    """Keep these counts, by region and state, in place of what was kept."""
    for table in (BroadcastTally, BroadcastCount):
        await session.execute(delete(table).where(table.broadcast_id == broadcast_id))
    rows = [
        {"broadcast_id": broadcast_id, "region": region, "state": state, "count": n}
        for (region, state), n in counted.items()
    ]
    if rows:
        await session.execute(insert(BroadcastCount), rows)
