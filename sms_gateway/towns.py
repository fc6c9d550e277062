"""Towns of Yunnan and the counties they lie in: what people name when they do not know their county. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("data") / "yunnan-towns.csv"

_PEOPLES = (
    "彝族|苗族|回族|傣族|白族|壮族|哈尼族|拉祜族|佤族|布朗族|纳西族|傈僳族|普米族|独龙族|怒族|瑶族|藏族|景颇族|"
    "阿昌族|德昂族|满族|蒙古族|布依族|水族|基诺族"
)
_SUFFIX = re.compile("(?:街道|镇|乡|农场)$")
_PEOPLE = re.compile(f"(?:{_PEOPLES})+$")


@dataclass(frozen=True)
class Town:
    """A name as people write it. `counties`: adcodes, several when towns of one name lie in several counties."""

    counties: tuple[str, ...]
    short: bool
    """Without 镇, 乡 or 街道: needs its county or prefecture before it, a school behind it, or to be the whole answer."""
    word: bool
    """Its short form is an ordinary word too (太平, 新华): then it needs its county or prefecture before it."""


@cache
def names() -> Mapping[str, Town]:
    """Every name: as listed (果珠彝族乡), without the people (果珠乡), with another suffix (乌峰镇 for 乌峰街道), and short."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [(row["adcode"], row["name"], row["word"] == "1") for row in csv.DictReader(file)]
    listed: dict[str, set[str]] = {}
    derived: dict[str, set[str]] = {}
    bare: dict[str, set[str]] = {}
    ordinary: set[str] = set()
    for adcode, name, word in rows:
        short = short_of(name)
        listed.setdefault(name, set()).add(adcode)
        for suffix in ("镇", "乡", "街道") if not word else (own_suffix(name),):
            derived.setdefault(short + suffix, set()).add(adcode)
        bare.setdefault(short, set()).add(adcode)
        if word:
            ordinary.add(short)
    full = derived | listed
    towns = {name: Town(tuple(sorted(counties)), short=False, word=False) for name, counties in full.items()}
    for short, counties in bare.items():
        towns.setdefault(short, Town(tuple(sorted(counties)), short=True, word=short in ordinary))
    return towns


def own_suffix(name: str) -> str:
    match = _SUFFIX.search(name)
    return match.group() if match else ""


def short_of(name: str) -> str:
    """果珠彝族乡 → 果珠, 乌峰街道 → 乌峰."""
    return _PEOPLE.sub("", _SUFFIX.sub("", name))
