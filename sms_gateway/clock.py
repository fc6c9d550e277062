"""The one place that knows what time it is. No other module calls now()."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The time people see."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The aware UTC time."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place


class HeldClock:
    """A clock that stands still until it is moved: tests and `hotline replay`."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at or datetime.now(UTC)  # noqa: TID251 - the one place

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


_clock: Clock = SystemClock()


def now() -> datetime:
    """The aware UTC time of this process's clock."""
    return _clock.now()


def wall_seconds() -> float:
    """Unix seconds of the real time, whatever clock we live by: deadlines that another process watches."""
    return time.time()


def use(clock: Clock) -> Clock:
    """Let this process live by `clock`; returns the one it replaced."""
    global _clock
    before, _clock = _clock, clock
    return before


def shanghai(at: datetime) -> datetime:
    """`at` as people in Yunnan read it."""
    return at.astimezone(SHANGHAI)
