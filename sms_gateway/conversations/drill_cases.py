"""The made-up emergencies of a drill, and what a drill comes to. Pure, but for reading its own data file."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

CASES = Path(__file__).parents[1] / "data" / "drill-cases.yml"


@dataclass(frozen=True)
class Case:
    """One emergency: `harm` as triage must call it, and its texts in order."""

    harm: str
    texts: tuple[str, ...]


@lru_cache(maxsize=1)
def all_cases() -> tuple[Case, ...]:
    """Every case of `data/drill-cases.yml`."""
    read = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    return tuple(Case(one["harm"], tuple(str(text) for text in one["texts"])) for one in read)


def choose(count: int, *, seed: int) -> list[Case]:
    """So many cases, every harm about as often, in an order nobody knows beforehand; repeated once all were used."""
    dice = random.Random(seed)
    by_harm: dict[str, list[Case]] = {}
    for case in all_cases():
        by_harm.setdefault(case.harm, []).append(case)
    for cases in by_harm.values():
        dice.shuffle(cases)
    harms, round_of = list(by_harm), 0
    chosen: list[Case] = []
    while len(chosen) < count:
        dice.shuffle(harms)
        chosen += [by_harm[harm][round_of % len(by_harm[harm])] for harm in harms]
        round_of += 1
    return chosen[:count]


@dataclass(frozen=True)
class Score:
    """How one case went; seconds from its text, None: it never came to that."""

    harm: str
    ring: float | None
    acknowledge: float | None
    first_word: float | None
    hand_over: float | None
    ended: str
    """`human`, `bridge` or `nobody`."""


def seconds(since: datetime, at: datetime | None) -> float | None:
    """From `since` to `at`."""
    return None if at is None else (at - since) / timedelta(seconds=1)


def share(values: Iterable[float | None], part: float) -> float | None:
    """The value that `part` (0-1) of those that came about do not exceed; None when none did."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return known[min(len(known) - 1, max(0, -(-int(part * 1000) * len(known) // 1000) - 1))]


def ended(*, acknowledged: bool, at_bridge: bool) -> str:
    """Who had it in the end: a person, else the bridge, else nobody."""
    if acknowledged:
        return "human"
    return "bridge" if at_bridge else "nobody"


def everybody_was_reached(scores: Sequence[Score]) -> bool:
    """No case was left to nobody."""
    return all(score.ended != "nobody" for score in scores)
