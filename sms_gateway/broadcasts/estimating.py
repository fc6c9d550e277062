"""What a broadcast will cost, when it will be done and how many people must be there, before anybody lets it go. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import pacing, quiet_hours
from .quiet_hours import Hours

LONGEST = timedelta(days=3 * 365)
"""What takes longer than this is said to take too long, not reckoned to the minute."""
LEAST_HOURS = 1.0
"""Replies to a text come over an hour, not in the minute it arrives: staffing is never reckoned for less."""


@dataclass(frozen=True)
class Estimate:
    """`fen`: of everything. `rate`: texts a second at the carrier's share. `finishes`: None when it takes years.

    `day_texts` go out on the release day over `day_hours` from `starts` to `day_ends`; for these `operators` are needed
    at once. `with_free`: when it is done with the `free` operators of now; None: never at this pace.
    """

    recipients: int
    segments_each: int
    fen: float
    rate: float
    reply_share: float
    starts: datetime
    finishes: datetime | None
    day_texts: int
    day_hours: float
    day_ends: datetime
    operators: int
    free: float
    with_free: datetime | None


def estimate(
    *,
    recipients: int,
    segments_each: int,
    fen_per_segment: float,
    carrier_segments: float,
    reply_share: float,
    hours: Hours,
    start: datetime,
    free: float,
) -> Estimate:
    """`start`: when it is let go (aware). `free`: operators free now (`pacing.free_operators`). Raises `ValueError` for a rate or share that is none."""
    if carrier_segments <= 0 or segments_each < 1 or not 0 <= reply_share <= 1:
        raise ValueError("a rate is above none, a text has a segment, a share lies between 0 and 1")
    rate = carrier_segments * (1 - pacing.RESERVED_SHARE) / segments_each
    starts = quiet_hours.next_opening(start, hours)
    day_left = quiet_hours.closes_at(starts, hours) - quiet_hours.MARGIN - quiet_hours.SHORTEST - starts
    day_texts = min(recipients, math.floor(rate * day_left.total_seconds()))
    day_hours = day_texts / rate / 3600
    needed = pacing.operators_needed(texts=day_texts, reply_share=reply_share, hours=max(day_hours, LEAST_HOURS))
    by_people = pacing.texts_per_second(
        carrier_segments=carrier_segments, segments_each=segments_each, free_operators=free, reply_share=reply_share
    )
    return Estimate(
        recipients=recipients, segments_each=segments_each, fen=recipients * segments_each * fen_per_segment, rate=rate,
        reply_share=reply_share, starts=starts, finishes=_done(starts, recipients, rate, hours), day_texts=day_texts, day_hours=day_hours,
        day_ends=starts + timedelta(hours=max(day_hours, LEAST_HOURS)), operators=math.ceil(needed) if day_texts else 0, free=free,
        with_free=_done(starts, recipients, by_people, hours),
    )  # fmt: skip


def _done(start: datetime, texts: int, rate: float, hours: Hours) -> datetime | None:
    if rate <= 0 or texts / rate > LONGEST.total_seconds():
        return None
    work = timedelta(seconds=texts / rate)
    if work / hours.span > LONGEST.days:
        return None
    return quiet_hours.finishes_at(start, work, hours)
