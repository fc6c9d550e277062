"""What a person hears of their own matter when they ask how far it is ("进度"). Pure: a state, never what it is about.

Who asks is known by the number they write from. Of a matter of harm, or one that is kept from somebody, nothing is told
on a phone that others may hold: the answer is the same as where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sms_gateway.wording import say
from texts.normalise import normalise

STILL_TOLD = timedelta(days=60)
"""A matter that ended longer ago is not told of when somebody asks for "the" matter."""
SERVICES = frozenset({"110", "119", "120", "122"})
"""Somebody who says that 110 was called names no matter, unless one of theirs ends so."""
_NUMBER = re.compile(r"(?<!\d)(\d{8}|\d{3})(?!\d)")


class Matter(Protocol):
    """What is read of a ticket."""

    id: int
    number: str
    lane: str
    status: str
    sealed: bool
    sensitivity: str | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Told:
    """What to say (a fixed text and its key), and the hidden matters that were asked for (the desk is told)."""

    key: str
    text: str
    hidden: tuple[Matter, ...] = ()


def numbers_in(text: str) -> frozenset[str]:
    """Numbers of matters named in a text: eight digits, or the last three."""
    return frozenset(_NUMBER.findall(normalise(text)))


def may_be_told(matter: Matter) -> bool:
    """Whether its state may stand on the person's phone."""
    return matter.lane == "blue" and not matter.sealed and matter.sensitivity is None


def answer(own: Sequence[Matter], text: str, *, now: datetime) -> Told:
    """What to say to somebody with these matters (newest first) who asks in `text`.

    A number that is not theirs, that does not exist, or whose matter is hidden gets one and the same answer.
    """
    named = numbers_in(text)
    meant = [one for one in own if one.number.endswith(tuple(named))] if named else []
    if meant or named - SERVICES:
        return _tell(meant, unknown="status.not_yours")
    still_open = [one for one in own if one.closed_at is None]
    ended = [one for one in own if one.closed_at is not None and now - one.closed_at < STILL_TOLD]
    shown = [one for one in still_open if may_be_told(one)] or [one for one in ended if may_be_told(one)][:1]
    return _tell([*shown, *(one for one in still_open if not may_be_told(one))], unknown="status.none")


def _tell(meant: Iterable[Matter], *, unknown: str) -> Told:
    meant = list(meant)
    shown, hidden = [one for one in meant if may_be_told(one)], tuple(one for one in meant if not may_be_told(one))
    if not shown:
        return Told(unknown, say(unknown), hidden)
    if len(shown) > 1:
        return Told("status.which", say("status.which", count=len(shown)), hidden)
    [one] = shown
    key = "status.done" if one.closed_at else "status.shown"
    return Told(key, say(key, tail=one.number[-3:], state=say(f"status.state.{one.status}")), hidden)
