"""When a day's count is a surge: far above what the same weekday usually brings. Pure.

Method: the usual count is the median of the last eight same weekdays (robust: one festival does not hide the next); their
spread is the median absolute deviation, scaled by 1.4826 to a standard deviation (Rousseeuw and Croux 1993). A day is a surge
when it has at least `AT_LEAST` matters, at least twice the usual, and when a Poisson count with the usual rate raised by the
spread would come out so high less than once in `ONE_IN` days. Eight weekdays and the other constants are engineering defaults.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

WEEKS = 8
AT_LEAST = 5
"""Fewer matters than this are read one by one anyway."""
TIMES = 2.0
ONE_IN = 10_000
"""About 8,000 counts (146 places by 55 categories) are looked at a day, nearly all of them far below `AT_LEAST`."""
KNOWN_WEEKS = 4
"""With fewer weekdays behind it nobody knows what is usual, and nothing is called a surge."""
MAD_TO_SIGMA = 1.4826
LEAST_RATE = 0.5


@dataclass(frozen=True)
class Surge:
    """`usual`: the median of the same weekdays; `unlikely`: the chance of so many on an ordinary day, 0 to 1."""

    count: int
    usual: float
    unlikely: float


def find(count: int, before: Sequence[int]) -> Surge | None:
    """The surge that `count` is against the same weekdays `before` (0 where nothing came), or None."""
    if count < AT_LEAST or len(before) < KNOWN_WEEKS:
        return None
    usual = float(median(before))
    if count < TIMES * usual:
        return None
    spread = MAD_TO_SIGMA * median(abs(each - usual) for each in before)
    rate = max(LEAST_RATE, usual + spread, mean(sorted(before)[:-1]))  # without its highest day: a surge is no baseline
    unlikely = at_least(count, rate)
    return Surge(count, usual, unlikely) if unlikely * ONE_IN < 1 else None


def at_least(count: int, rate: float) -> float:
    """The chance that a Poisson count of that rate is `count` or more, 0 to 1."""
    if count <= 0:
        return 1.0
    term = math.exp(count * math.log(rate) - rate - math.lgamma(count + 1))
    total, step = term, count
    while term > total * 1e-12 and step < count + 10_000:
        step += 1
        term *= rate / step
        total += term
    return min(1.0, total)
