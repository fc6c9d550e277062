"""What is known about the turn a process is working on: whose text it answers, whether something in it went wrong.

Rasa swallows an action that fails and a tracker that cannot be read, and goes on. A turn like that must not be
answered or saved: the front door hands it to a person. Nor is a text read twice: where the turn of the very same
message was saved before (the front door's worker died and asks again), it gets the same words once more.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    failed: bool = False
    message: int | None = None
    """The front door's id of the text."""
    trace: str | None = None
    """The front door's id of everything that comes of the text; stands in each log line of the turn."""
    form_off: bool = False
    """The line itself has ended the form that may still be open here."""
    said_before: list[dict[str, Any]] = field(default_factory=list)
    """What was said to this very message in a turn before."""


_current: ContextVar[Outcome | None] = ContextVar("hotline_turn", default=None)


def begin(outcome: Outcome) -> None:
    """What happens from here in this task belongs to `outcome`."""
    _current.set(outcome)


def mark_failed() -> None:
    """The current turn went wrong. Outside a turn nothing happens."""
    outcome = _current.get()
    if outcome is not None:
        outcome.failed = True


def current() -> Outcome | None:
    """The outcome of the turn in hand; None outside a turn."""
    return _current.get()


def has_failed() -> bool:
    outcome = _current.get()
    return outcome is not None and outcome.failed
