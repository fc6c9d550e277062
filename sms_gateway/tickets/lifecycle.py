"""The 12345 loop of a ticket: its states and the moves between them (DESIGN section 5)."""

from __future__ import annotations

from enum import StrEnum

from sms_gateway.errors import Conflict


class Status(StrEnum):
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    SIGNED_FOR = "signed_for"
    HANDLING = "handling"
    REPLIED = "replied"
    CONCLUDED = "concluded"
    FOLLOWED_UP = "followed_up"
    EVALUATED = "evaluated"
    CLARIFYING = "clarifying"
    """Waiting for the person's answer: the clock stands."""
    EXTENDED = "extended"
    RETURNED = "returned"
    """The department says it is not its duty: to be dispatched again."""
    REWORKED = "reworked"
    """The person was not satisfied: handled once more."""
    MERGED = "merged"
    DECLINED = "declined"
    TRANSFERRED = "transferred"
    WITHDRAWN = "withdrawn"


S = Status
_AWAY = {S.MERGED, S.DECLINED, S.TRANSFERRED, S.WITHDRAWN}
"""Ways out that are open until a department has replied."""

MOVES: dict[Status, frozenset[Status]] = {
    S.ACCEPTED: frozenset({S.DISPATCHED, S.CLARIFYING, S.CONCLUDED} | _AWAY),  # concluded: answered on the spot
    S.DISPATCHED: frozenset({S.SIGNED_FOR, S.RETURNED, S.MERGED, S.TRANSFERRED, S.WITHDRAWN}),
    S.SIGNED_FOR: frozenset({S.HANDLING, S.RETURNED, S.CLARIFYING, S.MERGED, S.TRANSFERRED, S.WITHDRAWN}),
    S.HANDLING: frozenset({S.REPLIED, S.CLARIFYING, S.EXTENDED, S.RETURNED, S.MERGED, S.TRANSFERRED, S.WITHDRAWN}),
    S.EXTENDED: frozenset({S.REPLIED, S.CLARIFYING, S.RETURNED, S.MERGED, S.TRANSFERRED, S.WITHDRAWN}),
    S.CLARIFYING: frozenset({S.ACCEPTED, S.DISPATCHED, S.SIGNED_FOR, S.HANDLING, S.EXTENDED, S.CONCLUDED, S.WITHDRAWN}),
    S.RETURNED: frozenset({S.DISPATCHED, S.CLARIFYING} | _AWAY),
    S.REPLIED: frozenset({S.CONCLUDED, S.HANDLING}),  # handling: the desk does not accept the reply
    S.CONCLUDED: frozenset({S.FOLLOWED_UP, S.EVALUATED, S.REWORKED}),
    S.FOLLOWED_UP: frozenset({S.EVALUATED, S.REWORKED}),
    S.EVALUATED: frozenset({S.REWORKED}),
    S.REWORKED: frozenset({S.DISPATCHED, S.SIGNED_FOR, S.HANDLING, S.REPLIED, S.RETURNED, S.MERGED}),
    S.MERGED: frozenset(),
    S.DECLINED: frozenset({S.ACCEPTED}),  # a wrong decision is taken back
    S.TRANSFERRED: frozenset({S.ACCEPTED}),  # what the other side sends back is caught (PRACTICE section 10)
    S.WITHDRAWN: frozenset(),
}

CLOSED = frozenset({S.CONCLUDED, S.FOLLOWED_UP, S.EVALUATED, S.MERGED, S.DECLINED, S.TRANSFERRED, S.WITHDRAWN})
"""States in which nobody works on the matter any more."""

STOPPED_CLOCK = frozenset({S.CLARIFYING})

WITHDRAWABLE_KINDS = frozenset({"complaint", "help", "suggestion", "callback", "transfer"})
"""A report of harm is not the reporter's to take back: the wish is noted, the matter goes on (PRACTICE section 8)."""


class TicketCannotMove(Conflict):
    sentence = "这一步现在做不了，请刷新后看工单的状态。"


def can_move(current: Status | str, new: Status | str) -> bool:
    """Whether a ticket may go from `current` to `new`. Raises `ValueError` for a word that is no state."""
    return Status(new) in MOVES[Status(current)]


def move(current: Status | str, new: Status | str) -> Status:
    """`new`, when the table allows it. Raises `TicketCannotMove`."""
    if not can_move(current, new):
        raise TicketCannotMove
    return Status(new)


def may_withdraw(kind: str, lane: str) -> bool:
    """Whether the person may take the matter back: complaints and requests in the blue lane only."""
    return kind in WITHDRAWABLE_KINDS and lane == "blue"


def is_open(status: Status | str) -> bool:
    return Status(status) not in CLOSED
