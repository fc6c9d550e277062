"""What is left for later when more comes in than can be answered: outreach first, then questions of policy, danger never. Pure.

Read from the queue of ordinary turns, which is where a lack of power shows first: danger has a queue and a worker of its own, and
nothing here knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Shed(IntEnum):
    """What is left for later; each step includes those before it."""

    NOTHING = 0
    OUTREACH = 1
    """Outreach goes out no faster: its replies would come on top."""
    POLICY = 2
    """Questions to the handbook get "稍后回复" and are answered when the load falls."""


@dataclass(frozen=True)
class Pressure:
    """Ordinary turns that wait: how many, and for how many seconds the oldest has."""

    waiting: int = 0
    oldest: float = 0.0


@dataclass(frozen=True)
class Limits:
    """Seconds the oldest turn may wait before a step is taken."""

    outreach: float = 4.0
    policy: float = 10.0


MANY = 20
"""Turns. One person's own texts wait behind each other (a turn may take 7 s): a few old ones are no overload."""
FALLS_AT = 0.5
"""Of a limit: a step is taken back only well below it, or texts would be put off and taken up by turns."""


def shed(now: Pressure, before: Shed, limits: Limits) -> Shed:
    """What to leave for later now, having left `before` for later until now."""
    for step, limit in ((Shed.POLICY, limits.policy), (Shed.OUTREACH, limits.outreach)):
        share = FALLS_AT if before >= step else 1.0
        if now.oldest >= limit * share and now.waiting >= MANY * share:
            return step
    return Shed.NOTHING


@dataclass(frozen=True)
class Asked:
    """What decides whether a text's answer may wait."""

    lane: str | None
    """Of the text; None: nobody has judged it."""
    talk_lane: str
    is_question: bool
    """It asks something the handbook may answer, and nothing else is being talked about."""
    waited: float
    """Seconds since it came."""


LONGEST = 600.0
"""Seconds: then it is answered whatever the load."""


def may_wait(asked: Asked, level: Shed) -> bool:
    """Whether this text gets "稍后回复" instead of its answer. Nothing red, orange or unjudged ever does."""
    calm = asked.lane == "blue" and asked.talk_lane == "blue"
    return level >= Shed.POLICY and calm and asked.is_question and asked.waited < LONGEST
