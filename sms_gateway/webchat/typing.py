"""That a visitor is writing right now: told to whoever has the talk open, stored nowhere."""

from __future__ import annotations

import hashlib
import time

TOLD_EVERY = 2.0
"""Seconds between two tellings for one visitor; the page asks every 3 s at most, whatever comes faster is dropped."""
KNOWN_AT_MOST = 5000
"""Visitors remembered for that; the oldest is forgotten first."""

_told: dict[str, float] = {}


def may_tell(token: str, *, at: float | None = None) -> bool:
    """Whether this visitor's ping is passed on; it counts as told then. `at`: seconds of a clock that only goes on."""
    at = time.monotonic() if at is None else at
    key = hashlib.sha256(token.encode()).hexdigest()
    if key in _told and at - _told[key] < TOLD_EVERY:
        return False
    _told.pop(key, None)
    _told[key] = at
    while len(_told) > KNOWN_AT_MOST:
        del _told[next(iter(_told))]
    return True
