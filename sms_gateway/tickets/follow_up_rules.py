"""Whether a person may be asked by text about their matter, and when (PRACTICE sections 3, 6, 7). Pure.

A phone may be in somebody else's hands. Where anything speaks against a text none goes out, and the reason is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from sms_gateway.clock import SHANGHAI, shanghai

from .decent_hours import by_day
from .harm_words import speaks_of_harm
from .working_time import working_day_after

FILE = Path(__file__).parents[1] / "data" / "follow-up.yml"
CHILD_LIKE = frozenset({"child", "unknown"})
"""Writers that may be the child itself."""
SURVEY_STANDS = timedelta(days=7)
"""So long a mark may take to come (PRACTICE section 5)."""
ASKING_HOUR = time(10)
"""At this hour of a working day a reminder goes out, and the desk is told."""


class Purpose(StrEnum):
    SURVEY = "survey"
    """How satisfied they are: nobody needs it, so the least doubt stops it."""
    QUESTION = "question"
    """What the desk must know to go on; an operator has read it."""
    ANSWER = "answer"
    """What they were promised to hear of a matter that is not a child's."""


class Reason(StrEnum):
    """Why no text goes out."""

    RED = "red"
    ORANGE = "orange"
    SEALED = "sealed"
    SENSITIVE = "sensitive"
    DANGER_OPEN = "danger_open"
    """Another matter of harm is open for this person."""
    SILENT = "silent"
    """They asked the line to send nothing (88, 别回)."""
    LEFT_ALONE = "left_alone"
    """先别找我, or 不能 to whether they may be asked again."""
    CHILD_PHONE = "child_phone"
    """It may be the child's own phone, and the matter may be one of harm."""
    ANONYMOUS = "anonymous"
    WANTS_CALL = "wants_call"
    """They wish to be called: an operator asks."""
    OPTED_OUT = "opted_out"
    NO_ADDRESS = "no_address"
    """A visitor of the web page: there is nothing to write to."""
    MOVED_ON = "moved_on"
    """The matter went on before anybody was asked."""
    NO_MOMENT = "no_moment"
    """The person was being talked with all the time."""
    RESTORED = "restored"
    """It was due between a backup and its restore: they may have been asked then."""


@dataclass(frozen=True)
class Facts:
    """All that decides. `wish`, `again`: the form's answers as they are kept; `words`: what the person said of the matter."""

    lane: str
    sealed: bool = False
    sensitivity: str | None = None
    anonymous: bool = False
    channel: str = "sms"
    silent: bool = False
    opted_out: bool = False
    open_case: bool = False
    talk_lane: str = "blue"
    wish: str | None = None
    again: str | None = None
    writer: str = "unknown"
    words: str = ""


def why_not(facts: Facts, purpose: Purpose) -> Reason | None:
    """The first reason against a text for this purpose; None: it may go out."""
    counting = _COUNTS[purpose]
    return next((reason for reason, holds in _reasons(facts) if holds and reason in counting), None)


_ANSWER = frozenset({
    Reason.RED, Reason.ORANGE, Reason.SEALED, Reason.SENSITIVE, Reason.DANGER_OPEN, Reason.SILENT,
})  # fmt: skip
_COUNTS = {
    Purpose.SURVEY: frozenset(Reason),
    Purpose.QUESTION: _ANSWER | {Reason.LEFT_ALONE, Reason.CHILD_PHONE},
    Purpose.ANSWER: _ANSWER,
}


def _reasons(facts: Facts) -> tuple[tuple[Reason, bool], ...]:
    return (
        (Reason.RED, facts.lane == "red"),
        (Reason.ORANGE, facts.lane == "orange"),
        (Reason.SEALED, facts.sealed),
        (Reason.SENSITIVE, facts.sensitivity is not None),
        (Reason.DANGER_OPEN, facts.open_case or facts.talk_lane != "blue"),
        (Reason.SILENT, facts.silent),
        (Reason.LEFT_ALONE, facts.wish == "先别找我" or facts.again == "不能"),
        (Reason.CHILD_PHONE, facts.writer in CHILD_LIKE and speaks_of_harm(facts.words)),
        (Reason.ANONYMOUS, facts.anonymous),
        (Reason.WANTS_CALL, facts.wish == "打电话"),
        (Reason.OPTED_OUT, facts.opted_out),
        (Reason.NO_ADDRESS, facts.channel != "sms"),
    )


@dataclass(frozen=True)
class Pace:
    """What `data/follow-up.yml` says."""

    survey_minutes_after: int
    survey_again_after_hours: int
    survey_give_up_days: int
    ask_remind_working_days: int
    ask_tell_desk_working_days: int


@cache
def pace(path: Path = FILE) -> Pace:
    """The file, read once. Raises `TypeError` when it does not say everything."""
    return Pace(**yaml.safe_load(path.read_text(encoding="utf-8")))


def survey_due(concluded_at: datetime) -> datetime:
    """When to ask after a matter that was concluded then."""
    return by_day(concluded_at + timedelta(minutes=pace().survey_minutes_after))


def survey_again(now: datetime) -> datetime:
    """When to look again at somebody who cannot be asked just now."""
    return by_day(now + timedelta(hours=pace().survey_again_after_hours))


def gives_up(concluded_at: datetime, now: datetime) -> bool:
    """Whether it is too late to ask."""
    return now - concluded_at > timedelta(days=pace().survey_give_up_days)


def remind_at(asked_at: datetime) -> datetime:
    """When the one reminder of a question goes out."""
    return _on_working_day(asked_at, pace().ask_remind_working_days)


def tell_desk_at(asked_at: datetime) -> datetime:
    """When the desk is told that a question was not answered."""
    return _on_working_day(asked_at, pace().ask_tell_desk_working_days)


def _on_working_day(start: datetime, days: int) -> datetime:
    return datetime.combine(working_day_after(shanghai(start).date(), days), ASKING_HOUR, SHANGHAI)
