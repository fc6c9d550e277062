"""Working days of mainland China: holidays and the weekends that are worked instead. Pure.

`chinesecalendar` (MIT) carries the State Council's yearly notices and works without the internet. For a year it does not
know yet, days are told by rule: Monday to Friday, without the fixed days of the holiday regulation (全国年节及纪念日放假办法,
2024: 1 January, 1-2 May, 1-3 October). The lunar holidays are then taken for working days, so that a matter falls due
rather too early than too late.
"""

from __future__ import annotations

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
