"""The states of a text on its way out, and which report may overwrite which."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """Handed over, but nobody can say whether it arrived at the carrier."""
    SENT = "sent"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"
    """Stopped by the carrier's content filter."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Never handed over: a human took over, the person opted out, a newer text replaced it."""
    DELIVERED = "delivered"


RANK = {
    State.QUEUED: 0,
    State.SENDING: 1,
    State.UNKNOWN: 2,
    State.SENT: 3,
    State.UNDELIVERED: 4,
    State.BLOCKED: 4,
    State.FAILED: 4,
    State.CANCELLED: 4,
    State.DELIVERED: 5,
}
"""A report overwrites only what ranks lower. `delivered` is proof and overwrites all; among equals the first stays."""

REPORTED = frozenset(
    {
        State.UNKNOWN,
        State.SENT,
        State.UNDELIVERED,
        State.BLOCKED,
        State.FAILED,
        State.DELIVERED,
    }
)
"""What a receipt or a look-up at the carrier may say."""

OPEN = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN, State.SENT})
"""States in which something is still to come."""

ALARMING = frozenset({State.UNDELIVERED, State.BLOCKED, State.FAILED})
"""In red these ring at once: the person did not get the text (PRACTICE section 8)."""

_HIGHER = {state: frozenset(other for other in REPORTED if RANK[other] > RANK[state]) for state in State}

MOVES = {
    # Our own steps beside the reports. A released claim (the carrier said "busy") and a text proven absent go back to the queue.
    state: _HIGHER[state]
    | {
        State.QUEUED: frozenset({State.SENDING, State.CANCELLED}),
        State.SENDING: frozenset({State.QUEUED, State.CANCELLED}),
        State.UNKNOWN: frozenset({State.QUEUED}),
    }.get(state, frozenset())
    for state in State
}


def later(current: State | str, new: State | str) -> bool:
    """Whether a report of `new` may overwrite `current`. Raises `ValueError` for a word that is no state."""
    return State(new) in _HIGHER[State(current)]


def apply(current: State | str, reported: State | str) -> State:
    """The state after a report: the report when it ranks higher, else `current` (a late `sent` after `delivered`)."""
    return State(reported) if later(current, reported) else State(current)


def can_move(current: State | str, new: State | str) -> bool:
    """Whether the outbox may move a text from `current` to `new`."""
    return State(new) in MOVES[State(current)]
