"""What a worker must know of a broadcast that runs: its words, its hours, its pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from . import composing, drafting, pacing
from .lifecycle import Status
from .models import Broadcast, BroadcastLane
from .quiet_hours import Hours, may_send, validity


@dataclass(frozen=True)
class Running:
    """`rate`: texts a second it may send; `carrier_rate`: segments a second of the carrier's that are for outreach."""

    id: int
    body: str
    segments: int
    rate: float
    carrier_rate: float
    hours_start: time
    hours_end: time
    region_hours: dict[str, list[str]]
    regions: tuple[str, ...]
    _texts: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    _validity: dict[str, tuple[int, timedelta | None]] = field(default_factory=dict, compare=False, repr=False)
    _hours: dict[str, Hours] = field(default_factory=dict, compare=False, repr=False)

    def text(self, region: str) -> str:
        """The whole text for somebody of that region."""
        if region not in self._texts:
            fields = drafting.fields_of(region)
            self._texts[region] = composing.whole(self.body, signature=drafting.SIGN, fields=fields)
        return self._texts[region]

    def hours(self, region: str) -> Hours:
        """When texts may arrive there."""
        if region not in self._hours:
            self._hours[region] = drafting.hours_of(self.hours_start, self.hours_end, self.region_hours, region)
        return self._hours[region]

    def closed(self, now: datetime) -> list[str]:
        """Regions of the audience where nothing may be sent now."""
        return [region for region in self.regions if not may_send(now, self.hours(region))]

    def validity(self, region: str, now: datetime) -> timedelta | None:
        """How long the carrier may try; None: nothing is given to it now. Reckoned once a second for each region."""
        second = int(now.timestamp())
        known = self._validity.get(region)
        if known is None or known[0] != second:
            hours = self.hours(region)
            known = second, validity(now, hours) if may_send(now, hours) else None
            self._validity[region] = known
        return known[1]


async def list_running(session: AsyncSession) -> list[Running]:
    """Every broadcast that sends, the oldest first. They share one line, whose rate is the lowest an editor wrote for any of them."""
    rows = (
        await session.scalars(select(Broadcast).where(Broadcast.status == Status.RUNNING).order_by(Broadcast.id))
    ).all()
    line = min((row.carrier_segments for row in rows), default=0.0)
    return [await running_of(session, row, line=line) for row in rows]


async def running_of(session: AsyncSession, row: Broadcast, *, line: float | None = None) -> Running:
    """`row` for a worker. `line`: segments a second of the carrier's line; None: as this broadcast says."""
    lanes = select(BroadcastLane.region).where(BroadcastLane.broadcast_id == row.id).distinct()
    return Running(
        id=row.id, body=row.body, segments=drafting.composed_of(row.body).segments, rate=row.rate,
        carrier_rate=(row.carrier_segments if line is None else line) * (1 - pacing.RESERVED_SHARE), hours_start=row.hours_start, hours_end=row.hours_end,
        region_hours=row.region_hours, regions=tuple(sorted(await session.scalars(lanes))),
    )  # fmt: skip
