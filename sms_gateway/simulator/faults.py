"""What the make-believe carrier does wrong on purpose, and what becomes of one text by that. Pure; chance is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Refusal = Literal["none", "busy", "refused", "opted_out", "blocked", "silent"]
Dice = Callable[[], float]
"""Each call a number from 0 to below 1."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose. `share_…`: of all texts, requests or receipts, from 0 to 1."""

    delay_seconds: float = 0.0
    """Before a text of ours reaches the phone."""
    delay_most: float = 0.0
    """Each text is delayed by chance up to this; not more than `delay_seconds`: each by exactly that."""
    receipt_delay_seconds: float = 0.0
    receipt_delay_most: float = 0.0
    """The same for its receipts, from its arrival on."""
    refuse: Refusal = "none"
    """Every text of ours: `silent` takes it and does not answer in time, `blocked` stops it in the content filter."""
    duplicate: bool = False
    """Every callback is delivered twice."""
    rate: float = 0.0
    """Segments a second it takes; above that it is `busy`. 0: as many as come."""
    share_refused: float = 0.0
    share_blocked: float = 0.0
    share_undelivered: float = 0.0
    """Taken, but the phone is off for good."""
    share_no_answer: float = 0.0
    """Of requests: nothing is taken and nobody says so."""
    share_answer_lost: float = 0.0
    """Of requests: all is taken and nobody says so."""
    share_duplicated: float = 0.0
    """Of receipts: delivered twice."""
    share_out_of_order: float = 0.0
    """Of texts: `delivered` is told before `sent`."""
    bulk: bool = False
    """Receipts come up to 500 in a request, and only the last word of each text, as domestic gateways push them."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a text that was taken. `after`, `told_after`: seconds till it ends, and from then till its receipt."""

    end: str
    """`delivered`, `undelivered` or `blocked`."""
    error: str | None
    after: float
    told_after: float
    doubled: bool
    out_of_order: bool


def refusal_of(faults: Faults, dice: Dice) -> str | None:
    """The code a text is refused with at the door; None: it is taken. The rate is not looked at here."""
    if faults.refuse in ("busy", "refused", "opted_out"):
        return faults.refuse
    return "refused" if _happens(faults.share_refused, dice) else None


def fate_of(faults: Faults, dice: Dice, *, validity: float | None) -> Fate:
    """What becomes of a text that may be tried for `validity` seconds (None: for ever)."""
    end, error = "delivered", None
    if faults.refuse == "blocked" or _happens(faults.share_blocked, dice):
        end, error = "blocked", "content_filter"
    elif _happens(faults.share_undelivered, dice):
        end, error = "undelivered", "absent_subscriber"
    after = _between(faults.delay_seconds, faults.delay_most, dice)
    if validity is not None and after > validity:
        end, error, after = "undelivered", "expired", validity
    return Fate(
        end,
        error,
        after,
        _between(faults.receipt_delay_seconds, faults.receipt_delay_most, dice),
        faults.duplicate or _happens(faults.share_duplicated, dice),
        _happens(faults.share_out_of_order, dice),
    )


def answer_is_lost(faults: Faults, dice: Dice) -> Literal["before", "after"] | None:
    """Whether nobody answers a request: before anything of it is taken, or after all is."""
    if _happens(faults.share_no_answer, dice):
        return "before"
    return "after" if _happens(faults.share_answer_lost, dice) else None


def _happens(share: float, dice: Dice) -> bool:
    return share > 0 and dice() < share


def _between(least: float, most: float, dice: Dice) -> float:
    return least if most <= least else least + (most - least) * dice()
