"""How fast a broadcast may go: by the carrier's segments a second and by the people who will read the replies. Pure.

Operators, not the carrier, are the limit: 0.1 % of 47 million are 47,000 talks (FIELD section 3). Rates are charged by segment from
the first day (FIELD 1.4), and a slice of the carrier's rate stays with talks and emergencies whatever a broadcast wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

RESERVED_SHARE = 0.2
"""Of the carrier's rate, for talks and emergencies; outreach only uses the rest (FIELD 1.4)."""
TALKS_AT_ONCE = 5.0
TALK_MINUTES = 20.0
"""An operator holds five talks of 20 minutes side by side (FIELD section 3, "our arithmetic")."""


class Pause(StrEnum):
    """Why a broadcast stops by itself. A person lets it go on."""

    WAITING = "waiting"
    DANGER = "danger"
    ERRORS = "errors"


@dataclass(frozen=True)
class Limits:
    """When to stop: somebody waits longer than `waiting_seconds`, `danger_replies` red or orange ones since the last look at it,
    or `error_share` of at least `error_least` texts failed in the last minutes, or most of them got no answer."""

    waiting_seconds: float = 120.0
    danger_replies: int = 3
    error_share: float = 0.1
    error_least: int = 50


@dataclass(frozen=True)
class Seen:
    """What is measured each second. `longest_wait`: seconds, of anybody who waits for a person, outreach or not."""

    longest_wait: float = 0.0
    danger_replies: int = 0
    sent_lately: int = 0
    failed_lately: int = 0
    unknown_lately: int = 0


def why_pause(seen: Seen, limits: Limits) -> Pause | None:
    """Why it must stop now, the gravest first; None: it may go on."""
    if seen.danger_replies >= limits.danger_replies:
        return Pause.DANGER
    if seen.longest_wait > limits.waiting_seconds:
        return Pause.WAITING
    tried, failed = seen.sent_lately, seen.failed_lately
    if seen.unknown_lately > tried:  # a carrier that does not answer; a worker that died leaves far fewer
        tried, failed = tried + seen.unknown_lately, failed + seen.unknown_lately
    if tried >= limits.error_least and failed > tried * limits.error_share:
        return Pause.ERRORS
    return None


def texts_per_second(
    *, carrier_segments: float, segments_each: int, free_operators: float, reply_share: float
) -> float:
    """Texts a second: the carrier's share for outreach, or what the free operators can answer, whichever is less.

    `carrier_segments`: segments a second of the whole line. `reply_share`: of those texted, how many write back to a person
    (0.001 is one in a thousand). With nobody free nothing is sent, however few reply.
    """
    if segments_each < 1 or not 0 <= reply_share <= 1:
        raise ValueError("a text has a segment or more, and a share lies between 0 and 1")
    by_carrier = carrier_segments * (1 - RESERVED_SHARE) / segments_each
    if free_operators <= 0:
        return 0.0
    answered = free_operators * TALKS_AT_ONCE / (TALK_MINUTES * 60)  # replies a second
    by_people = answered / reply_share if reply_share > 0 else by_carrier
    return min(by_carrier, by_people)


def operators_needed(*, texts: int, reply_share: float, hours: float) -> float:
    """Operators on duty at once for the release day, if `texts` go out evenly over `hours`."""
    if hours <= 0:
        raise ValueError("hours must be more than none")
    replies_a_second = texts * reply_share / (hours * 3600)
    return replies_a_second * TALK_MINUTES * 60 / TALKS_AT_ONCE


BURST_SECONDS = 1.0
"""A bucket holds what a second brings: after a pause nothing goes out in a rush."""


LITTLE = 1000
"""Texts after which what was measured weighs as much as what was expected."""


def live_reply_share(*, expected: float, texted: int, replied: int) -> float:
    """How many of those texted write back: the editor's guess, ever less of it the more texts have shown."""
    return (expected * LITTLE + replied) / (LITTLE + max(texted, 0))


def free_operators(talks: Sequence[int]) -> float:
    """Whole operators that are free: one with two of five talks counts three fifths. `talks`: of each who is on duty."""
    return sum(max(0.0, TALKS_AT_ONCE - held) / TALKS_AT_ONCE for held in talks)
