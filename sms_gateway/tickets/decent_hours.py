"""The hours in which a phone may light up unasked. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from sms_gateway.clock import shanghai

DAY_BEGINS, DAY_ENDS = 9, 20
"""Hours in Yunnan (PRACTICE section 3: no follow-up, reminder or survey goes out at night)."""


def by_day(at: datetime) -> datetime:
    """`at`, or the next morning when that is in the evening or at night."""
    here = shanghai(at)
    if DAY_BEGINS <= here.hour < DAY_ENDS:
        return at
    morning = here.replace(hour=DAY_BEGINS, minute=0, second=0, microsecond=0)
    return (morning if here.hour < DAY_BEGINS else morning + timedelta(days=1)).astimezone(at.tzinfo)


def is_decent(at: datetime) -> bool:
    """Whether it is day in Yunnan at `at`."""
    return by_day(at) == at
