"""When a text may arrive: the allowed hours of a region, and how long a carrier may hold one. Pure; times are aware.

A carrier queues for hours (Twilio 10 h, FIELD section 3): only its validity period keeps a text of the evening from arriving at
night (FIELD "Also": Spoke). China has one time and no summer time; the zone is still data, as a test may name another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARGIN = timedelta(seconds=30)
"""A text must have arrived this long before the quiet begins."""
SHORTEST = timedelta(minutes=2)
"""With less than this left of the day nothing is given to a carrier: a busy phone answers after minutes."""
LONGEST = timedelta(hours=4)
"""However long the day is: a text that nobody delivered for so long is news no more."""


@dataclass(frozen=True)
class Hours:
    """Texts may arrive from `start` until `end` of each day, both within one day."""

    start: time = time(9)
    end: time = time(20)
    zone: ZoneInfo = SHANGHAI

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("allowed hours must begin before they end")

    @property
    def span(self) -> timedelta:
        """Allowed time of a day."""
        return timedelta(
            hours=self.end.hour - self.start.hour, minutes=self.end.minute - self.start.minute,
            seconds=self.end.second - self.start.second,
        )  # fmt: skip


def closes_at(now: datetime, hours: Hours) -> datetime:
    """When the allowed hours of that day end."""
    local = now.astimezone(hours.zone)
    return datetime.combine(local.date(), hours.end, hours.zone)


def may_send(now: datetime, hours: Hours) -> bool:
    """Whether a text given to the carrier now can arrive inside the allowed hours."""
    local = now.astimezone(hours.zone)
    return local.time() >= hours.start and closes_at(now, hours) - now >= MARGIN + SHORTEST


def next_opening(now: datetime, hours: Hours) -> datetime:
    """`now` where a text may be sent now, else the start of the next allowed hours."""
    if may_send(now, hours):
        return now
    local = now.astimezone(hours.zone)
    day = local.date() if local.time() < hours.start else local.date() + timedelta(days=1)
    return datetime.combine(day, hours.start, hours.zone)


def validity(now: datetime, hours: Hours) -> timedelta:
    """How long the carrier may try. Raises `ValueError` outside the allowed hours: then nothing is given to it."""
    if not may_send(now, hours):
        raise ValueError("outside the allowed hours")
    return min(closes_at(now, hours) - now - MARGIN, LONGEST)


def finishes_at(start: datetime, work: timedelta, hours: Hours) -> datetime:
    """When `work` (at the full rate, without pauses) is done if only allowed hours count."""
    at, left = next_opening(start, hours), work
    while True:
        today = closes_at(at, hours) - MARGIN - SHORTEST - at
        if left <= today:
            return at + left
        left -= today
        at = next_opening(closes_at(at, hours), hours)
