"""The states of a call, in whatever order and however often they are told. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    DIALLING = "dialling"
    """Being handed to the exchange right now."""
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    """Was answered, and is over."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({State.COMPLETED, State.BUSY, State.NO_ANSWER, State.FAILED, State.CANCELLED})
IN_VAIN = ENDED - {State.COMPLETED}
PICKED_UP = frozenset({State.ANSWERED, State.COMPLETED})

NUMBERS: dict[State, int] = {state: number for number, state in enumerate(State)}
"""For jobs, which carry numbers only."""
STATES = tuple(State)
_RANK = {state: min(NUMBERS[state], NUMBERS[State.COMPLETED]) for state in State}


def is_news(current: State | str, told: State | str) -> bool:
    """Whether `told` goes beyond `current`: an earlier or a repeated word says nothing new, the first end stays the end."""
    return _RANK[State(told)] > _RANK[State(current)]
