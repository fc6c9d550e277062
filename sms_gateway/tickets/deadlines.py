"""By when a matter must have been seen to. Pure.

Defaults of the hotline, to be set by its managers: no public document of Yunnan names the days (handbook-facts, note
after 1.24), so no text to a person promises any. Red and orange run in wall-clock time, blue in working days; holidays
and make-up days come with the full clocks of casework.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sms_gateway.clock import shanghai

ORANGE_REPORTED_WITHIN = timedelta(hours=2)
"""Police, civil affairs or education told (PRACTICE section 1)."""
RED_SEEN_WITHIN = timedelta(minutes=3)
"""Danger known to danger handed over (PRACTICE section 8)."""
BLUE_WORKING_DAYS = 5

SATURDAY = 5


def due_at(lane: str, received_at: datetime) -> datetime:
    """When a matter of that lane is due, counted from the text that brought it."""
    if lane == "red":
        return received_at + RED_SEEN_WITHIN
    if lane == "orange":
        return received_at + ORANGE_REPORTED_WITHIN
    return _after_working_days(received_at, BLUE_WORKING_DAYS)


def _after_working_days(start: datetime, days: int) -> datetime:
    moment = start
    while days:
        moment += timedelta(days=1)
        if shanghai(moment).weekday() < SATURDAY:
            days -= 1
    return moment
