"""What follows a try: when the next one is, and when an event is given up. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random

GIVE_UP_AFTER = timedelta(days=3)
"""From an event's first try (issue 4)."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
"""So a subscriber that comes back waits at most this long for what it missed."""
JITTER = 0.2
GONE = "410"
"""The answer by which a subscriber says that it wants no more (Standard Webhooks)."""


@dataclass(frozen=True)
class Answer:
    """What came of one try: an HTTP status, or why there was none (`timeout`, `redirect`, `unreachable`, `not_allowed`)."""

    status: str

    @property
    def is_good(self) -> bool:
        return len(self.status) == 3 and self.status.startswith("2")

    @property
    def is_silence(self) -> bool:
        """The subscriber itself said nothing: whatever comes next would fare the same."""
        return not self.status.isdigit()

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def pause_after(failures: int, *, chance: Callable[[], float] = random) -> timedelta:
    """The pause after that many tries in vain (1 or more): 5, 10, 20 … seconds, at most 15 minutes, up to a fifth more or less."""
    doubled: int = 1 << min(failures - 1, 20)
    pause = min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
    return pause * (1 - JITTER + 2 * JITTER * chance())


def is_given_up(*, first_tried_at: datetime, now: datetime) -> bool:
    """Whether an event that was first tried then, and failed again now, is dead."""
    return now - first_tried_at >= GIVE_UP_AFTER
