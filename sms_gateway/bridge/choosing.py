"""Which desk, and by which way. Pure.

The desk follows the child's prefecture (110 dialled in Kunming rings in Kunming, PRACTICE section 7), the province's centre
takes what has no place or no desk of its own. Real ways are taken only in live mode; a drill never takes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROVINCE = "530000"
SERVICES = ("110", "119", "120", "122")


@dataclass(frozen=True)
class Ways:
    """What a desk can be reached by."""

    linkage: bool = False
    phone: bool = False


@dataclass(frozen=True)
class Route:
    """`desk`: service and adcode, `110@530600`. `driver`: `linkage`, `call`, `text12110`, `simulator` or `hand` (a person calls)."""

    desk: str
    driver: str


def desks_for(service: str, region: str | None) -> tuple[str, ...]:
    """The desks to ask, in order: the child's prefecture, then the province."""
    own = f"{region[:4]}00" if region and region[:2] == "53" and region[2:4] != "00" else None
    return tuple(f"{service}@{adcode}" for adcode in (own, PROVINCE) if adcode)


def choose(
    service: str, region: str | None, desks: Mapping[str, Ways], *, live: bool, production: bool, voice: bool,
    drill: bool = False, text: bool = False, can_speak: bool = True,
) -> Route:  # fmt: skip
    """The way for this service and place. `desks`: those that are set up, by key; `text`: 12110 is switched on."""
    asked = desks_for(service, region)
    if drill or not live:
        return Route(asked[0], "hand" if production else "simulator")
    for desk in asked:
        if desk in desks and desks[desk].linkage:
            return Route(desk, "linkage")
    if service == "110" and text and not can_speak and region is not None:
        return Route(asked[0], "text12110")
    for desk in asked:
        if voice and desk in desks and desks[desk].phone:
            return Route(desk, "call")
    return Route(asked[0], "hand")
