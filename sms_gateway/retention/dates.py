"""When a period ends, as the Civil Code counts (民法典 第200-203条, 第201条: the day it begins does not count). Pure.

Months and years end on the same day of the month, on the month's last day where it has none (第202条). A last day that is
a day off moves to the first working day after it (第203条): over a weekend, the Spring Festival. It ends with that day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sms_gateway.clock import SHANGHAI, shanghai
from sms_gateway.errors import BadInput
from sms_gateway.tickets.working_time import is_working_day

LONGEST_YEARS = 100


class SpanIsUnclear(BadInput):
    sentence = "期限写成 30d（天）、12m（月）或 3y（年）。"


@dataclass(frozen=True)
class Span:
    """So many months (a year is twelve) or days; one of both is 0."""

    months: int = 0
    days: int = 0

    @classmethod
    def read(cls, written: str) -> Span:
        """`30d`, `12m`, `3y`. Raises `SpanIsUnclear`."""
        found = re.fullmatch(r"([1-9][0-9]{0,4})([dmy])", written.strip(), re.ASCII)
        if found is None:
            raise SpanIsUnclear
        count, unit = int(found.group(1)), found.group(2)
        made = cls(days=count) if unit == "d" else cls(months=count * (12 if unit == "y" else 1))
        if made > cls(months=LONGEST_YEARS * 12):
            raise SpanIsUnclear
        return made

    def __gt__(self, other: Span) -> bool:
        return self.rough_days > other.rough_days

    @property
    def rough_days(self) -> float:
        """To compare by."""
        return self.months * 30.4375 + self.days

    def after(self, start: date) -> date:
        """The corresponding day, before days off are looked at."""
        if self.days:
            return start + timedelta(days=self.days)
        months = start.year * 12 + start.month - 1 + self.months
        year, month = divmod(months, 12)
        return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        if self.days:
            return f"{self.days} 天"
        return f"{self.months // 12} 年" if self.months % 12 == 0 else f"{self.months} 个月"


def ends(start: datetime, span: Span) -> datetime:
    """The moment from which what began at `start` (aware) is due: Shanghai's midnight after the last day."""
    return _after(_last_day(shanghai(start).date(), span))


def cutoff(now: datetime, span: Span) -> datetime:
    """What began before this moment is due at `now`, and nothing else is: `at < cutoff(now, span)` as `ends(at, span) <= now`."""
    day = shanghai(now).date() - timedelta(days=int(span.rough_days) - 3)
    while _after(_last_day(day, span)) > now:
        day -= timedelta(days=1)
    return _after(day)


def _last_day(start: date, span: Span) -> date:
    last = span.after(start)
    while not is_working_day(last):
        last += timedelta(days=1)
    return last


def _after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
