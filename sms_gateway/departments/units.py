"""A unit is a department at a place, "edu@530627": a plain value, read from its code. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from sms_gateway import regions
from sms_gateway.errors import BadInput, NotFound
from sms_gateway.regions import RegionNotFound

DATA = Path(__file__).parents[1] / "data"
PROVINCE = "530000"


class UnitNotFound(NotFound):
    sentence = "没有这个单位。"


class UnitCodeMalformed(BadInput):
    sentence = "单位代码要写成“部门@行政区划代码”，例如 edu@530627。"


class Level(StrEnum):
    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"


@dataclass(frozen=True)
class Department:
    """A line of duty. `names`: how it is called, by level; `merged`: which department does its work where it has no office."""

    code: str
    short: str
    duty: str
    names: Mapping[str, str]
    merged: Mapping[str, str]
    district: str | None
    leading: bool
    """Whether we believe it to be one of the 37 members of the leading group (recalled: the list is not public)."""
    mark: str


@dataclass(frozen=True)
class Below:
    """Somebody who acts but is no unit (a township, a school): the matter goes to `through`, with a note."""

    code: str
    name: str
    through: str


@dataclass(frozen=True, order=True)
class Unit:
    """`dept` is a code of departments.yml, `adcode` six digits; equal when both are."""

    dept: str
    adcode: str
    level: Level = field(compare=False)
    name: str = field(compare=False)
    short_name: str = field(compare=False)

    @property
    def code(self) -> str:
        return f"{self.dept}@{self.adcode}"

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True)
class Directory:
    departments: Mapping[str, Department]
    below: Mapping[str, Below]
    leads: Mapping[str, str]
    """Lead body by adcode; "default" for everywhere else."""


_CODE = re.compile(r"([a-z]{2,12})@([0-9]{6})", re.ASCII)


@cache
def directory() -> Directory:
    """What departments.yml holds."""
    written = yaml.safe_load((DATA / "departments.yml").read_text(encoding="utf-8"))
    departments = {
        code: Department(
            code=code,
            short=row["short"],
            duty=row["duty"],
            names={level: row[level] for level in Level if level in row},
            merged=row.get("merged", {}),
            district=row.get("district"),
            leading=row["leading"],
            mark=row["mark"],
        )
        for code, row in written["departments"].items()
    }
    below = {code: Below(code=code, **row) for code, row in written["places_below"].items()}
    return Directory(departments, below, written["lead"])


def parse(code: str) -> tuple[str, str]:
    """Department and adcode of a unit code. Raises `UnitCodeMalformed` (422)."""
    match = _CODE.fullmatch(code)
    if match is None:
        raise UnitCodeMalformed
    return match.group(1), match.group(2)


def get_unit(code: str) -> Unit:
    """The unit of this code. Raises `UnitCodeMalformed` (422), `UnitNotFound` (404) also where the department has no office."""
    dept, adcode = parse(code)
    return _unit(dept, adcode)


@cache
def _unit(dept: str, adcode: str) -> Unit:
    department = directory().departments.get(dept)
    if department is None:
        raise UnitNotFound
    try:
        region = regions.get_region(adcode)
    except RegionNotFound:
        raise UnitNotFound("没有这个行政区划代码。") from None
    pattern = department.names.get(region.level)
    if pattern is None:
        raise UnitNotFound("这一级没有单设这个单位。")
    short = regions.short_name(adcode)
    if department.district and region.name.endswith("区"):
        name = department.district.format(prefecture=regions.get_region(region.parent_adcode).name, short=short)
    else:
        name = pattern.format(region=region.name)
    # A 厅 is no 局: at the province a body goes by its own name.
    brief = name if region.level == Level.PROVINCE else short + department.short
    return Unit(dept, adcode, Level(region.level), name, brief)


def unit_at(dept: str, adcode: str) -> Unit:
    """Who does the work of `dept` at a place: its office, the one it is merged into there, or the next level up.

    Raises `UnitNotFound` for a department or place that does not exist.
    """
    department = directory().departments.get(dept)
    if department is None:
        raise UnitNotFound
    try:
        region = regions.get_region(adcode)
    except RegionNotFound:
        raise UnitNotFound("没有这个行政区划代码。") from None
    if region.level in department.names:
        return _unit(dept, adcode)
    if region.level in department.merged:
        return unit_at(department.merged[region.level], adcode)
    return unit_at(dept, region.parent_adcode)


def superior(unit: Unit) -> Unit | None:
    """The same department one level up; None above the province."""
    parent = regions.get_region(unit.adcode).parent_adcode
    return unit_at(unit.dept, parent) if parent else None


def lead_of(adcode: str) -> Unit:
    """The body that leads at a place (未成年人保护法 第九条; which one it is can be set by place). Raises `UnitNotFound`."""
    leads = directory().leads
    return unit_at(leads.get(adcode, leads["default"]), adcode)


def level_of(adcode: str) -> Level:
    """Raises `RegionNotFound`."""
    return Level(regions.get_region(adcode).level)


def at_level(adcode: str, level: Level | str) -> str:
    """The place itself, or the one above it that has this level; a place higher than `level` stays. Raises `RegionNotFound`."""
    region = regions.get_region(adcode)
    rank = list(Level)
    while region.parent_adcode and rank.index(Level(region.level)) > rank.index(Level(level)):
        region = regions.get_region(region.parent_adcode)
    return region.adcode


def list_units(adcode: str) -> list[Unit]:
    """Every unit that has an office of its own at a place. Raises `RegionNotFound`."""
    level = level_of(adcode)
    return [_unit(code, adcode) for code, department in directory().departments.items() if level in department.names]
