"""Which events of a ticket a unit reads, and which of their words: its own, and those the desk wrote to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .lifecycle import Status
from .models import TicketEvent

TOLD_UNIT = "told_unit"
"""The desk passes on what the person has said since, in the desk's words."""
MEANT_FOR_UNITS = frozenset(
    {"dispatched", "reply_refused", "resumed", "reworked", "extension_refused", "extended", TOLD_UNIT}
)
"""The desk's acts whose words are written to the units that have the matter then."""


TAKEN_AWAY = frozenset({Status.RETURNED, Status.MERGED, Status.DECLINED, Status.TRANSFERRED, Status.WITHDRAWN})
"""After these the matter is nobody's in the field; a concluded one may come back to the unit that had it."""


@dataclass(frozen=True)
class Told:
    """An event before a unit. `words`: None where they are not the unit's to read."""

    event: TicketEvent
    words: str | None
    own: bool


def unit_of(who: str) -> str | None:
    """The unit behind an event's `who` (`unit:edu@530627:12`); None for everybody else."""
    return who.removeprefix("unit:").split(":")[0] if who.startswith("unit:") else None


def told_to(unit: str, events: Iterable[TicketEvent]) -> list[Told]:
    """The events that fell into the unit's hands or were its own, oldest first; what came before and after stays unread."""
    told, holders = [], frozenset[str]()
    for event in events:
        holders = _holders_after(event, holders, before=True)
        own = unit_of(event.who) == unit
        if own or unit in holders:
            meant = own or (event.who.startswith("operator:") and event.what in MEANT_FOR_UNITS)
            told.append(Told(event, event.why if meant else None, own))
        holders = _holders_after(event, holders, before=False)
    return told


def _holders_after(event: TicketEvent, holders: frozenset[str], *, before: bool) -> frozenset[str]:
    """A dispatch counts for those it goes to from the event itself on; an end counts after it."""
    if event.what == Status.DISPATCHED:
        return (
            frozenset({str(event.detail.get("unit")), *map(str, event.detail.get("co") or ())}) if before else holders
        )
    return frozenset() if event.to_status in TAKEN_AWAY and not before else holders
