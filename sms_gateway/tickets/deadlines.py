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

from .working_time import Hours, end_of_working_days

ORANGE_REPORTED_WITHIN = timedelta(hours=2)
"""Police, civil affairs or education told (PRACTICE section 1)."""
RED_SEEN_WITHIN = timedelta(minutes=3)
"""Danger known to danger handed over (PRACTICE section 8)."""
TIME_LIMITS = Path(__file__).parents[1] / "data" / "time-limits.yml"


@dataclass(frozen=True)
class TimeLimits:
    """What `data/time-limits.yml` says, by pace: `red`, `orange`, `urgent`, `blue`. Hours are wall-clock hours unless they
    are blue's: there 24 are a working day.
    """

    working_days: dict[str, int]
    otherwise: int
    hard_case: int
    business_begins: time
    business_ends: time
    action_hours: dict[str, float]
    urgent_hours: float
    sign_working_days: int
    sign_hours: dict[str, float]
    warn_hours_before: dict[str, float]
    supervise_again_hours: dict[str, float]
    extensions_allowed: int
    extension_decided_working_hours: float

    @property
    def hours(self) -> Hours:
        """When offices are open."""
        return Hours(self.business_begins, self.business_ends)


@cache
def time_limits(path: Path = TIME_LIMITS) -> TimeLimits:
    """What the data file says. Raises `KeyError` or `TypeError` when it does not say everything."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    begins, ends = (time.fromisoformat(written.pop(f"business_day_{name}")) for name in ("begins", "ends"))
    return TimeLimits(**written, business_begins=begins, business_ends=ends)


def pace_of(lane: str, *, urgent: bool) -> str:
    """`red`, `orange`, `urgent` (blue in wall-clock hours) or `blue` (working time)."""
    return "urgent" if lane == "blue" and urgent else lane


def due_at(lane: str, received_at: datetime, *, kind: str, urgent: bool = False) -> datetime:
    """When a matter of that lane and kind is due, counted from the text that brought it."""
    if lane == "red":
        return received_at + RED_SEEN_WITHIN
    if lane == "orange":
        return received_at + ORANGE_REPORTED_WITHIN
    limits = time_limits()
    if urgent:
        return received_at + timedelta(hours=limits.urgent_hours)
    days = limits.working_days.get(kind, limits.otherwise)
    return end_of_working_days(received_at, days, business_ends=limits.business_ends)


def action_due_at(lane: str, dispatched_at: datetime) -> datetime:
    """Red and orange, in a unit's hands: by when something must have been done (PRACTICE section 1: looked into within 24 h)."""
    return dispatched_at + timedelta(hours=time_limits().action_hours[lane])


def sign_due_at(lane: str, dispatched_at: datetime, *, urgent: bool = False) -> datetime:
    """By when a unit signs for the matter or returns it."""
    limits = time_limits()
    pace = pace_of(lane, urgent=urgent)
    if pace == "blue":
        return end_of_working_days(dispatched_at, limits.sign_working_days, business_ends=limits.business_ends)
    return dispatched_at + timedelta(hours=limits.sign_hours[pace])


def latest_extension(received_at: datetime) -> datetime:
    """The latest day a blue matter may be extended to."""
    limits = time_limits()
    return end_of_working_days(received_at, limits.hard_case, business_ends=limits.business_ends)
