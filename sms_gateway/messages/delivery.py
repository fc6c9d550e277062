"""The states of a text on its way out, and which report may overwrite which."""

from __future__ import annotations

from enum import StrEnum


class Delivery(StrEnum):
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
    Delivery.QUEUED: 0,
    Delivery.SENDING: 1,
    Delivery.UNKNOWN: 2,
    Delivery.SENT: 3,
    Delivery.UNDELIVERED: 4,
    Delivery.BLOCKED: 4,
    Delivery.FAILED: 4,
    Delivery.CANCELLED: 4,
    Delivery.DELIVERED: 5,
}
"""A report overwrites only what ranks lower. `delivered` is proof and overwrites all; among equals the first stays."""

REPORTED = frozenset({
    Delivery.UNKNOWN, Delivery.SENT, Delivery.UNDELIVERED, Delivery.BLOCKED, Delivery.FAILED, Delivery.DELIVERED,
})
"""What a receipt or a look-up at the carrier may say."""

OPEN = frozenset({Delivery.QUEUED, Delivery.SENDING, Delivery.UNKNOWN, Delivery.SENT})
"""States in which something is still to come."""

ALARMING = frozenset({Delivery.UNDELIVERED, Delivery.BLOCKED, Delivery.FAILED})
"""In red these ring at once: the person did not get the text (PRACTICE section 8)."""

_HIGHER = {state: frozenset(other for other in REPORTED if RANK[other] > RANK[state]) for state in Delivery}

MOVES = {
    # Our own steps beside the reports. A released claim (the carrier said "busy") and a text proven absent go back to the queue.
    state: _HIGHER[state] | {
        Delivery.QUEUED: frozenset({Delivery.SENDING, Delivery.CANCELLED}),
        Delivery.SENDING: frozenset({Delivery.QUEUED, Delivery.CANCELLED}),
        Delivery.UNKNOWN: frozenset({Delivery.QUEUED}),
    }.get(state, frozenset())
    for state in Delivery
}


def later(current: Delivery | str, new: Delivery | str) -> bool:
    """Whether a report of `new` may overwrite `current`. Raises `ValueError` for a word that is no state."""
    return Delivery(new) in _HIGHER[Delivery(current)]


def apply(current: Delivery | str, reported: Delivery | str) -> Delivery:
    """The state after a report: the report when it ranks higher, else `current` (a late `sent` after `delivered`)."""
    return Delivery(reported) if later(current, reported) else Delivery(current)


def can_move(current: Delivery | str, new: Delivery | str) -> bool:
    """Whether the outbox may move a text from `current` to `new`."""
    return Delivery(new) in MOVES[Delivery(current)]
