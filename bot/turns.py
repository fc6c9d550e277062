"""What is known about the turn a process is working on: so far, only whether something in it went wrong.

Rasa swallows an action that fails and a tracker that cannot be read, and goes on. A turn like that must not be
answered or saved: the front door hands it to a person.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Outcome:
    failed: bool = False


_current: ContextVar[Outcome | None] = ContextVar("hotline_turn", default=None)


def begin(outcome: Outcome) -> None:
    """What happens from here in this task belongs to `outcome`."""
    _current.set(outcome)


def mark_failed() -> None:
    """The current turn went wrong. Outside a turn nothing happens."""
    outcome = _current.get()
    if outcome is not None:
        outcome.failed = True


def has_failed() -> bool:
    outcome = _current.get()
    return outcome is not None and outcome.failed
