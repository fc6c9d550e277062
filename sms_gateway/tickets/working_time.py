"""Working days of mainland China: holidays and the weekends that are worked instead. Pure.

`chinesecalendar` (MIT) carries the State Council's yearly notices and works without the internet. For a year it does not
know yet, days are told by rule: Monday to Friday, without the fixed days of the holiday regulation (全国年节及纪念日放假办法,
2024: 1 January, 1-2 May, 1-3 October). The lunar holidays are then taken for working days, so that a matter falls due
rather too early than too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import chinese_calendar
from chinese_calendar.constants import holidays as _known_holidays

from sms_gateway.clock import SHANGHAI, shanghai

SATURDAY = 5
_FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
LONGEST = 400
"""Working days that may be asked for at once: more is a mistake."""


def known_until() -> date:
    """The last day whose holidays are known from a notice; the library is renewed every December."""
    return date(max(_known_holidays).year, 12, 31)


@lru_cache(maxsize=2048)
def is_working_day(day: date) -> bool:
    """Whether offices are open on `day`."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < SATURDAY and (day.month, day.day) not in _FIXED


def working_day_after(start: date, days: int) -> date:
    """The `days`-th working day after `start`; the day something began does not count."""
    if not 0 < days <= LONGEST:
        raise ValueError(f"working days out of range: {days}")
    day = start
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def end_of_working_days(start: datetime, days: int, *, business_ends: time) -> datetime:
    """The aware moment (Shanghai) at which business ends on the `days`-th working day after `start`."""
    return datetime.combine(working_day_after(shanghai(start).date(), days), business_ends, SHANGHAI)


@dataclass(frozen=True)
class Hours:
    """When offices are open on a working day, Shanghai's time."""

    begin: time
    end: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        """From when to when on `day`; nothing (twice the same moment) on a day off."""
        begin = datetime.combine(day, self.begin, SHANGHAI)
        return begin, datetime.combine(day, self.end, SHANGHAI) if is_working_day(day) else begin


def worked_between(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """How much working time lies between two moments; nothing when `end` is not after `start`."""
    total, day = timedelta(), shanghai(start).date()
    while day <= shanghai(end).date():
        opens, closes = hours.on(day)
        total += max(timedelta(), min(closes, end) - max(opens, start))
        day += timedelta(days=1)
    return total


def after_work(start: datetime, span: timedelta, hours: Hours) -> datetime:
    """The first moment at which `span` of working time has passed since `start`; `start` itself for no span.

    Raises `ValueError` for more than `LONGEST` working days.
    """
    day, at = shanghai(start).date(), start
    for _ in range(2 * LONGEST):
        if span <= timedelta():
            return at
        opens, closes = hours.on(day)
        at = max(opens, start)
        if at + span <= closes:
            return at + span
        span -= max(timedelta(), closes - at)
        day += timedelta(days=1)
    raise ValueError(f"too much working time: {span}")


def same_time(at: datetime, working_days: int) -> datetime:
    """The same time of day so many working days later, or earlier when negative."""
    day, step = shanghai(at).date(), 1 if working_days > 0 else -1
    left = abs(working_days)
    while left:
        day += timedelta(days=step)
        left -= is_working_day(day)
    return datetime.combine(day, shanghai(at).timetz().replace(tzinfo=None), SHANGHAI)
