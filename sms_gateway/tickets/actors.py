"""Whose act a move is, as it is written into an event. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .lifecycle import Who


@dataclass(frozen=True)
class Actor:
    """Somebody who moves tickets. `unit` is set for accounts and keys of a unit."""

    who: Who
    id: int | None = None
    unit: str | None = None

    def __str__(self) -> str:
        """As an event's `who`: `operator:7`, `unit:edu@530627:12`, `system`."""
        if self.who is Who.UNIT:
            return f"unit:{self.unit}:{self.id}" if self.id is not None else f"unit:{self.unit}"
        if self.who in (Who.OPERATOR, Who.LEAD):
            return f"operator:{self.id}"
        return self.who.value


SYSTEM = Actor(Who.SYSTEM)
PERSON = Actor(Who.PERSON)


def operator(operator_id: int, *, lead: bool = False) -> Actor:
    """An operator, or a shift lead."""
    return Actor(Who.LEAD if lead else Who.OPERATOR, operator_id)


def of_unit(unit: str, account_id: int | None = None) -> Actor:
    """An account of a unit; without an id its system (API key)."""
    return Actor(Who.UNIT, account_id, unit)
