"""How long texts took to arrive, from a sample drawn evenly over the ledger: 47 million rows are never read for a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Broadcast

SAMPLE = 20_000
"""Numbers looked at; each is one look into the primary key."""
STEPS = (5, 15, 60, 300, 1800)
"""Upper ends of the classes, in seconds; the last class is open."""
PARTS = (0.5, 0.9, 0.99)

_SAMPLED = """
SELECT extract(epoch FROM one.settled_at - one.sent_at) AS seconds
FROM generate_series(1, CAST(:total AS bigint), CAST(:step AS bigint)) AS drawn (number)
JOIN broadcast_recipients AS one ON one.broadcast_id = :broadcast AND one.number = drawn.number
WHERE one.state = 'delivered' AND one.settled_at IS NOT NULL AND one.sent_at IS NOT NULL
"""
_CLASSES = text(
    f"SELECT width_bucket(seconds, ARRAY{[float(step) for step in STEPS]}::numeric[]) AS class, count(*) FROM ({_SAMPLED}) AS sampled GROUP BY 1"  # noqa: S608 - our own figures
)
_PARTS = text(
    f"SELECT percentile_cont(ARRAY{list(PARTS)}) WITHIN GROUP (ORDER BY greatest(seconds, 0)) FROM ({_SAMPLED}) AS sampled"  # noqa: S608 - our own figures
)


@dataclass(frozen=True)
class Delays:
    """`classes`: numbers by class, one more than `STEPS`. `parts`: seconds by percentile (0.5 …). `sample`: how many arrived."""

    classes: tuple[int, ...] = (0,) * (len(STEPS) + 1)
    parts: Mapping[float, float] = field(default_factory=dict)

    @property
    def sample(self) -> int:
        return sum(self.classes)


async def measure(session: AsyncSession, broadcast_id: int, *, total: int) -> Delays:
    """From handing over to the receipt of arrival, or as kept when the ledger was dropped; `total`: rows of the ledger."""
    kept = await session.scalar(select(Broadcast.figures_kept).where(Broadcast.id == broadcast_id))
    if kept is not None:
        found = kept["delays"]
        return Delays(tuple(found["classes"]), {float(part): seconds for part, seconds in found["parts"].items()})
    if total < 1:
        return Delays()
    drawn = {"broadcast": broadcast_id, "total": total, "step": max(1, total // SAMPLE)}
    classes = [0] * (len(STEPS) + 1)
    for place, count in await session.execute(_CLASSES, drawn):
        classes[place] = count
    parts = await session.scalar(_PARTS, drawn)
    return Delays(tuple(classes), dict(zip(PARTS, map(float, parts), strict=True)) if parts else {})
