"""Every name of a place that a text may hold: counties, prefectures, towns, places elsewhere, and words to read over. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from sms_gateway import towns

DATA = Path(__file__).with_name("data")
ABROAD = "abroad"
"""`Place.elsewhere` of a place outside the country; other provinces go by their short name ("广东")."""


NAME_SIGN = r"(?:(?![们的了是有在我你他她个那这就说收去不天给让要和个把被很都也还到从开办])[\u4e00-\u9fff])"
"""A sign that may be part of a place's own name: no 在, 的, 我 ..."""
NAMED_PLACE = re.compile(
    NAME_SIGN + "{1,8}?"
    r"(?:中学(?!生)|小学(?!生)|幼儿园|[一二三四五六七八九十]中|[一二三四五六七八九]小(?!时|学)|网吧|酒吧|ktv|小区|村委会|(?<!农)村(?!里|上|民|干)|"
    r"镇(?!上)|乡(?!下|里)|街道|宾馆|酒店|超市|培训班|机构|工厂)"
)
"""A school, village, shop or estate with its own name: more than "我们学校"."""


@dataclass(frozen=True)
class Region:
    """A row of the list: `level` is `province`, `prefecture` or `county`; `parent_adcode` is "" for the province."""

    adcode: str
    level: str
    name: str
    parent_adcode: str


class Kind(StrEnum):
    COUNTY = "county"
    PREFECTURE = "prefecture"
    BOTH = "both"
    """大理, 楚雄, 文山, 红河: a prefecture and a county of one name."""
    ELSEWHERE = "elsewhere"
    TOWN = "town"
    MASK = "mask"


@dataclass(frozen=True)
class Name:
    kind: Kind
    value: str
    """Adcode, or the province; empty for a mask."""
    plain: bool = False
    """A short name, without 县, 市 or 区: may also be an ordinary word or a person."""
    town: towns.Town | None = None


@dataclass(frozen=True)
class Gazetteer:
    regions: Mapping[str, Region]
    names: Mapping[str, Sequence[tuple[str, Name]]]
    """By the first two characters, longest first."""
    strict: frozenset[str]
    person_names: frozenset[str]


_PEOPLES = "彝族|苗族|回族|傣族|白族|壮族|哈尼族|拉祜族|佤族|布朗族|纳西族|傈僳族|普米族|独龙族|怒族|瑶族|藏族|景颇族"
_AUTONOMOUS = re.compile(f"(?:{_PEOPLES})+自治[县州]$")


def short_of(name: str) -> str:
    """禄劝彝族苗族自治县 → 禄劝, 镇雄县 → 镇雄; names of one character keep their 县 or 市 (云县, 芒市)."""
    short = _AUTONOMOUS.sub("", name)
    if short == name:
        short = re.sub("[县市区州]$", "", name)
    return short if len(short) > 1 else name


@cache
def gazetteer() -> Gazetteer:
    with (DATA / "yunnan-regions.csv").open(encoding="utf-8", newline="") as file:
        regions = {row["adcode"]: Region(**row) for row in csv.DictReader(file)}
    written = yaml.safe_load((DATA / "place-names.yml").read_text(encoding="utf-8"))
    table: dict[str, Name] = {}
    for province, places in written["provinces"].items():
        table |= {place: Name(Kind.ELSEWHERE, province) for place in places}
        table[province + "省"] = Name(Kind.ELSEWHERE, province)
    table |= {place: Name(Kind.ELSEWHERE, ABROAD) for place in written["abroad"]}
    for region in regions.values():
        table |= _names_of(region)
    for name in {short_of(region.name) for region in regions.values() if region.level == "prefecture"}:
        both = [r.adcode for r in regions.values() if r.level == "county" and short_of(r.name) == name]
        if both:
            table[name] = Name(Kind.BOTH, both[0])
    for alias, adcode in written["aliases"].items():
        level = regions[adcode].level
        table[alias] = Name(Kind(level), adcode)
    table |= {word: Name(Kind.MASK, "") for word in [*written["not_places"], "云南省", "云南"]}
    for word, town in towns.names().items():
        table.setdefault(word, Name(Kind.TOWN, town.counties[0], town.short, town))
    by_start: dict[str, list[tuple[str, Name]]] = {}
    for word, name_of in sorted(table.items(), key=lambda item: -len(item[0])):
        by_start.setdefault(word[:2], []).append((word, name_of))
    return Gazetteer(regions, by_start, frozenset(written["strict"]), frozenset(written["person_names"]))


def _names_of(region: Region) -> dict[str, Name]:
    """The full name, the short one, and the short one with a plain 县 or 市 (former names: 呈贡县, 禄劝县)."""
    if region.level == "province":
        return {}
    kind = Kind(region.level)
    short = short_of(region.name)
    names = {short: Name(kind, region.adcode, plain=True), region.name: Name(kind, region.adcode)}
    if region.level == "county" and short != region.name:
        names.setdefault(short + "县", Name(kind, region.adcode))
        if not region.name.endswith("区"):
            names.setdefault(short + "市", Name(kind, region.adcode))
    if region.level == "prefecture":
        names.setdefault(short + ("州" if region.name.endswith("州") else "市"), Name(kind, region.adcode))
    return names
