"""What became of each number: a state that only goes forward, and what a crash leaves open. Pure.

`created` → `claimed` (a worker is about to send, the moment is stored first) → `sent` | `unknown` | `failed`; receipts make
`delivered` or `failed` of it. A claimed row whose worker died is `unknown`: the text may have left, so it is looked up at the
carrier and never sent again (FIELD 1.6: a timeout is no refusal).
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    CREATED = "created"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    """Left out when its turn came, with the reason."""
    CANCELLED = "cancelled"
    """Not sent, since the broadcast was ended before its turn."""


S = State
RANK = {
    S.CREATED: 0, S.CLAIMED: 1, S.UNKNOWN: 2, S.SENT: 3, S.FAILED: 4, S.DELIVERED: 5, S.SUPPRESSED: 6, S.CANCELLED: 6,
}  # fmt: skip
"""A receipt is applied only upwards: late `sent` says nothing after `delivered`, and a delivered text did arrive."""
OUTSTANDING = frozenset({S.CREATED, S.CLAIMED})
MAY_HAVE_LEFT = frozenset({S.CLAIMED, S.UNKNOWN, S.SENT, S.DELIVERED})
"""Whoever is in one of these gets no second text."""


class Why(StrEnum):
    """Why a number was left out at the moment of sending."""

    OPTED_OUT = "opted_out"
    OPEN_CASE = "open_case"
    SAFE_MODE = "safe_mode"
    RECENT = "recent"


def after(current: State | str, told: State | str) -> State:
    """The state once `told` was heard: the higher of both, so that any order of receipts ends in the same."""
    old, new = State(current), State(told)
    if old in (S.SUPPRESSED, S.CANCELLED):
        return old
    return new if RANK[new] > RANK[old] else old


def why_suppressed(
    *, opted_out: bool, open_case: bool, silent: bool, days_since_last: float | None, quiet_days: float
) -> Why | None:
    """Why this person gets nothing now; None: nothing stands against it.

    `silent`: somebody else may hold the phone. `days_since_last`: since the last outreach, None for never. Safety stands
    before wishes, so that the report never says "opted out" of a child with an open case by mere order.
    """
    if open_case:
        return Why.OPEN_CASE
    if silent:
        return Why.SAFE_MODE
    if opted_out:
        return Why.OPTED_OUT
    if days_since_last is not None and days_since_last < quiet_days:
        return Why.RECENT
    return None
