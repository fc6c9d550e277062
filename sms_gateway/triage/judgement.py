"""What triage says about a text: the words of DESIGN section 7 and PRACTICE section 1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """How fast a person must read it (PRACTICE section 1)."""

    RED = "red"
    ORANGE = "orange"
    BLUE = "blue"


LANE_RANK: dict[str, int] = {Lane.BLUE: 1, Lane.ORANGE: 2, Lane.RED: 3}
"""Which lane outranks which: the one order for talks, escalations and tickets."""


class Harm(StrEnum):
    """The twelve types of DESIGN section 7; `NONE` in the blue lane only."""

    VIOLENCE = "violence_in_progress"
    SEXUAL = "sexual_abuse"
    SELF_HARM = "self_harm"
    MISSING = "missing_abduction"
    CONFINED = "confinement"
    ALONE = "abandoned_alone"
    FIRE = "fire"
    MEDICAL = "medical"
    TRAFFIC = "traffic"
    DROWNING = "drowning"
    OTHER = "other_danger"
    NONE = "none"


class Immediacy(StrEnum):
    """`now` going on or about to; `recent` over, within 72 h; `past` earlier or unknown; `none` no harm."""

    NOW = "now"
    RECENT = "recent"
    PAST = "past"
    NONE = "none"


class Writer(StrEnum):
    """Who seems to be writing."""

    CHILD = "child"
    PARENT = "parent"
    BYSTANDER = "bystander"
    PROFESSIONAL = "professional"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One text judged, with the contact's last ones in mind.

    `services`: emergency numbers, most urgent first, empty unless red. `score`: probability of red, 0-1.
    `reasons`: Chinese, for the operator; they may quote the text, so they are sealed like it and never logged.
    `reply_key`: key of the fixed safe reply (PRACTICE section 4), None unless red (or a parent who cannot stop, in orange). `sexual`: any sexual disclosure,
    past or present. `unsure`: borderline, so `ask.safe` is asked and an operator told.
    """

    lane: Lane
    type: Harm
    services: tuple[str, ...]
    immediacy: Immediacy
    score: float
    reasons: tuple[str, ...]
    writer: Writer
    reply_key: str | None
    sexual: bool
    unsure: bool


def nothing(judged: Judgement) -> Judgement:
    """`judged` without what it found: for a text that is known to be an order to the line and no statement."""
    return Judgement(Lane.BLUE, Harm.NONE, (), Immediacy.NONE, judged.score, (), judged.writer, None, False, False)
