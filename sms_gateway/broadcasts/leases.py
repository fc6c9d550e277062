"""The clock by which a worker believes in what it has in hand."""

from __future__ import annotations

import time

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Seconds that also pass while the machine sleeps, unlike those of `time.monotonic`: whoever slept through its lease has lost it."""
    return time.clock_gettime(_SINCE_BOOT)
