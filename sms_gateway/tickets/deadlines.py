"""By when a matter must have been seen to. Pure.

Defaults of the hotline, to be set by its managers in `data/time-limits.yml`: no public document of Yunnan names the days
(handbook-facts, note after 1.24), so no text to a person promises any. Red and orange run in wall-clock time, blue in
working days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path

import yaml

from .working_time import end_of_working_days

ORANGE_REPORTED_WITHIN = timedelta(hours=2)
"""Police, civil affairs or education told (PRACTICE section 1)."""
RED_SEEN_WITHIN = timedelta(minutes=3)
"""Danger known to danger handed over (PRACTICE section 8)."""
TIME_LIMITS = Path(__file__).parents[1] / "data" / "time-limits.yml"


@dataclass(frozen=True)
class TimeLimits:
    """Working days by kind of matter, those of any other kind, and the hour (Shanghai) at which a business day ends."""

    working_days: dict[str, int]
    otherwise: int
    business_ends: time


@cache
def time_limits(path: Path = TIME_LIMITS) -> TimeLimits:
    """What the data file says."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    return TimeLimits(
        dict(written["working_days"]), written["otherwise"], time.fromisoformat(written["business_day_ends"])
    )


def due_at(lane: str, received_at: datetime, *, kind: str) -> datetime:
    """When a matter of that lane and kind is due, counted from the text that brought it."""
    if lane == "red":
        return received_at + RED_SEEN_WITHIN
    if lane == "orange":
        return received_at + ORANGE_REPORTED_WITHIN
    limits = time_limits()
    days = limits.working_days.get(kind, limits.otherwise)
    return end_of_working_days(received_at, days, business_ends=limits.business_ends)
