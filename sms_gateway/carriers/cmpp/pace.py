"""How fast we may send: a bucket of segments that a gateway's "too many" empties, and that fills again by and by. Pure."""

from __future__ import annotations

from math import inf

CUT = 0.7
"""After "too many": this much of the pace that was too much."""
CUT_SECONDS = 0.5
"""Refusals within so long come from one and the same burst, and count once."""
REST_SECONDS = 0.2
"""Nothing but urgent texts for so long after a cut."""
REGAINED = 0.1
"""Of the pace that was too much, each second."""
LEAST = 1.0
FREE_AGAIN = 8.0
"""Without a limit of our own: so many times what was too much, and there is none again."""
BURST_SECONDS = 0.1


class Pace:
    """Segments a second. `full`: our own limit, infinite for none; times are of any clock that only goes forward."""

    def __init__(self, full: float, *, now: float) -> None:
        self.full = full
        self.rate = full
        self._tokens = self._most()
        self._at = now
        self._too_much = full
        self._rests_until = now
        self._cut_at = -inf
        self._window = now
        self._sent = 0
        self._before = 0.0

    def _most(self) -> float:
        return max(1.0, self.rate * BURST_SECONDS)

    def ready_in(self, now: float) -> float:
        """Seconds until the next may go; 0: at once."""
        self._fill(now)
        rest = self._rests_until - now
        missing = 0.0 if self._tokens > 0 else (1e-6 - self._tokens) / self.rate
        return max(0.0, rest, missing)

    def spend(self, segments: int, now: float) -> None:
        """So many go now. Urgent ones go whether ready or not: the others wait the longer."""
        self._count(now)
        self._sent += segments
        if self.rate < inf:
            self._tokens -= segments

    def rest(self, seconds: float, now: float) -> None:
        """Nothing but urgent ones for so long."""
        self._rests_until = max(self._rests_until, now + seconds)

    def slow_down(self, now: float) -> None:
        """The gateway said that it was too much."""
        if now - self._cut_at < CUT_SECONDS:
            return
        self._fill(now)
        self._count(now)
        elapsed = now - self._window
        measured = self._sent / elapsed if elapsed > CUT_SECONDS else max(self._before, float(self._sent))
        self._too_much = max(LEAST, min(self.rate, measured or LEAST))
        self.rate = max(LEAST, min(self.full, self._too_much * CUT))
        self._tokens = 0.0
        self._cut_at, self._rests_until = now, now + REST_SECONDS

    def _fill(self, now: float) -> None:
        passed, self._at = now - self._at, now
        if self.rate == inf:
            return
        if self.rate < self.full:
            self.rate = min(self.full, self.rate + self._too_much * REGAINED * passed)
            if self.full == inf and self.rate >= self._too_much * FREE_AGAIN:
                self.rate = inf
                self._tokens = inf
                return
        self._tokens = min(self._most(), self._tokens + self.rate * passed)

    def _count(self, now: float) -> None:
        elapsed = now - self._window
        if elapsed >= 1.0:
            self._before = self._sent / elapsed
            self._window, self._sent = now, 0
