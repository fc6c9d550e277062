"""Which carrier a text goes by: shares by weight, and nobody's while a carrier keeps failing. Pure but for its memory.

Each sending process counts what it sees itself, so there is nothing to agree on and nothing to lose. A carrier that fails gets a
text now and then, so that it is found out when it is well again.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from typing import Final

from .carrier import CarrierDidNotAnswer, CarrierRefusesUs, SendError

LOOKED_BACK: Final = 60.0
"""Seconds of hand-overs that are counted."""
MOST_COUNTED: Final = 200
LEAST: Final = 5
"""Fewer hand-overs say nothing."""
BAD_SHARE: Final = 0.5
"""A carrier of whose hand-overs so many fail through its own fault is set aside."""
TRIED_EVERY: Final = 5.0
"""Seconds: so often a carrier that is set aside gets a text."""


def is_its_fault(error: SendError | None) -> bool:
    """Whether a hand-over failed through the carrier, not through the text, the number or the person."""
    return error is not None and (error.retryable or isinstance(error, CarrierDidNotAnswer | CarrierRefusesUs))


class Sharing:
    """What this process saw of each carrier. Times are monotonic seconds."""

    def __init__(self, dice: random.Random | None = None) -> None:
        self._dice = dice or random.Random()
        self._seen: dict[str, deque[tuple[float, bool]]] = {}
        self._tried_at: dict[str, float] = {}

    def note(self, name: str, error: SendError | None, *, at: float) -> None:
        """A text was handed over to that carrier, or was not."""
        self._seen.setdefault(name, deque(maxlen=MOST_COUNTED)).append((at, is_its_fault(error)))

    def forget(self) -> None:
        """Everything that was seen."""
        self._seen.clear()
        self._tried_at.clear()

    def is_well(self, name: str, *, at: float) -> bool:
        """Whether that carrier is not set aside."""
        lately = [failed for moment, failed in self._seen.get(name, ()) if at - moment <= LOOKED_BACK]
        return len(lately) < LEAST or sum(lately) < BAD_SHARE * len(lately)

    def choose(self, weights: Mapping[str, int], *, at: float) -> str:
        """A carrier by weight among those that are well; a bad one when it is due to be tried; any when all are bad."""
        bad = [name for name in weights if not self.is_well(name, at=at)]
        if len(bad) == len(weights):
            bad = []
        for name in bad:
            if at - self._tried_at.get(name, float("-inf")) >= TRIED_EVERY:
                self._tried_at[name] = at
                return name
        well = {name: weight for name, weight in weights.items() if name not in bad}
        return self._dice.choices(list(well), list(well.values()))[0]

    def standing_in(self, name: str, weights: Mapping[str, int], *, at: float) -> str:
        """`name`, or who takes its texts while it is set aside."""
        if name not in weights or len(weights) == 1 or self.is_well(name, at=at):
            return name
        return self.choose(weights, at=at)
