"""The facts that decide who sees an event, between `departments` and JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sms_gateway.departments.visibility import Facts, Sight, sight_of

SETS = ("units", "complained_of", "copied")


def as_json(facts: Facts) -> dict[str, Any]:
    """Codes only, sets as sorted lists."""
    return {name: sorted(value) if name in SETS else value for name, value in asdict(facts).items()}


def from_json(written: Mapping[str, Any]) -> Facts:
    """What `as_json` wrote."""
    values: dict[str, Any] = {name: frozenset(value) if name in SETS else value for name, value in written.items()}
    return Facts(**values)


def with_protection(facts: Facts, latest: Facts) -> Facts:
    """`facts` of an event, with what has become known since about who must not see the matter.

    Who handled it stays as it was: a unit that gave a matter back still gets what happened while it had it.
    """
    return replace(
        facts,
        complained_of=facts.complained_of | latest.complained_of,
        sealed=facts.sealed or latest.sealed,
        sensitivity=latest.sensitivity,
    )


def sight_now(unit: str, facts: Facts, latest: Facts) -> Sight:
    """How much this unit may see of an event now: never more than then."""
    then, protected = sight_of(unit, facts), with_protection(facts, latest)
    return then if protected == facts else min(then, sight_of(unit, protected), key=lambda sight: sight.rank)
