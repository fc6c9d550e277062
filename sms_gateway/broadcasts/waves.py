"""In which order an audience is texted: a pilot, one county, the rest. Pure.

After the pilot and after the first county it waits for a person, who has seen what came back (FIELD section 4, item 12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PILOT = 1000
"""Texts of the pilot (issue 6)."""


@dataclass(frozen=True)
class Wave:
    """`region`: only its people, None for everybody who is left; `limit`: at most so many. `asks`: a person lets the next begin."""

    number: int
    region: str | None
    limit: int | None
    asks: bool


def plan(audience: Mapping[str | None, int], *, county: str | None = None, pilot: int = PILOT) -> tuple[Wave, ...]:
    """The waves for an audience, counted by county (None: region unknown).

    `county`: where the second wave goes; by default the smallest that is larger than the pilot, so that it says something and
    costs little. A small audience is one wave.
    """
    total = sum(audience.values())
    if total <= pilot:
        return (Wave(0, None, None, asks=False),)
    if county is None:
        larger = sorted((count, region) for region, count in audience.items() if region is not None and count > pilot)
        county = larger[0][1] if larger else None
    waves = [Wave(0, None, pilot, asks=True)]
    if county is not None and audience.get(county, 0) < total:
        waves.append(Wave(1, county, None, asks=True))
    return (*waves, Wave(len(waves), None, None, asks=False))
