"""The third talk within a week in which somebody speaks of suspected harm raises the lane one step (PRACTICE section 1). Pure.

Talks are separate after six quiet hours: several texts of one talk count once. Only texts judged red or orange for harm
that somebody does count, so a question about policy never does. Hours and days are defaults of the hotline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms_gateway.triage.judgement import LANE_RANK, Harm, Lane

QUIET = timedelta(hours=6)
WITHIN = timedelta(days=7)
COUNT = 3
NOBODY_DOES_IT = frozenset({Harm.FIRE, Harm.TRAFFIC, Harm.DROWNING, Harm.MEDICAL, Harm.NONE})
_UP = {Lane.BLUE: Lane.ORANGE, Lane.ORANGE: Lane.RED, Lane.RED: Lane.RED}


@dataclass(frozen=True)
class Said:
    """A text of a talk: the person's, or an operator's (which keeps the talk going but never counts)."""

    message_id: int
    at: datetime
    harm: bool


def is_of_harm(lane: str | None, harm: str | None) -> bool:
    """Whether a text so judged speaks of suspected harm."""
    return LANE_RANK.get(lane or Lane.BLUE, 0) > LANE_RANK[Lane.BLUE] and bool(harm) and harm not in NOBODY_DOES_IT


def one_step_up(lane: str) -> Lane:
    """Blue to orange, orange to red; red stays."""
    return _UP[Lane(lane)]


def talks(texts: Sequence[Said]) -> list[list[Said]]:
    """The texts (oldest first) by talk: a new one begins after `QUIET`."""
    found: list[list[Said]] = []
    for text in texts:
        if not found or text.at - found[-1][-1].at >= QUIET:
            found.append([])
        found[-1].append(text)
    return found


def raising_talks(texts: Sequence[Said]) -> tuple[Said, ...]:
    """What raises the lane with the last of `texts` (oldest first): the first text of harm of each talk within the week, that
    of this talk last. Empty unless the last text is the first of harm in its talk, and that is the third such talk or more.
    """
    if not texts or not texts[-1].harm:
        return ()
    *before, this = talks(texts)
    if next(text for text in this if text.harm) != texts[-1]:
        return ()
    since = texts[-1].at - WITHIN
    firsts = [next((text for text in talk if text.harm and text.at > since), None) for talk in before]
    counted = [*(text for text in firsts if text is not None), texts[-1]]
    return tuple(counted) if len(counted) >= COUNT else ()
