"""What a desk has said of a hand-over so far: how far its people are, and when it said so. Pure.

Words come late and twice: "arrived" is not taken back by a "dispatched" that comes after it. That contact was lost counts until
the desk says something further.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .models import BridgeEvent

LOST = "lost_contact"
STEPS = ("accepted", "dispatched", "arrived", "child_seen", "concluded")
"""How far a desk says it is, in order."""


@dataclass(frozen=True)
class Said:
    """The step (one of `STEPS`, or `LOST`), and when it was said."""

    what: str
    at: datetime


def last_said(events: Iterable[BridgeEvent]) -> Said | None:
    """What stands of what the desk said of one call; `events` oldest first. None before it has taken it."""
    reached, stands = -1, None
    for event in events:
        if event.what not in (*STEPS, LOST):
            continue
        step = STEPS.index(event.what) if event.what in STEPS else reached
        if event.what == LOST or step > reached or (step == reached and stands is not None and stands.what == LOST):
            stands = Said(event.what, event.at)
        reached = max(reached, step)
    return stands
