"""The tree of minors' matters: branches are the six protections and a general one, leaves the 55 rows of categories.yml. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import yaml

from sms_gateway.errors import BadInput

from .units import DATA, directory

SUPERIOR = "superior"
"""Stands for "the body above the one complained of" among the departments of a category."""


class CategoryNotFound(BadInput):
    sentence = "没有这个事项分类，请从列表里选。"


class Sensitivity(StrEnum):
    """Matters that go to the handling unit and the police only (DESIGN section 1)."""

    SEXUAL = "sexual"
    DOMESTIC_VIOLENCE = "domestic_violence"
    SELF_HARM = "self_harm"
    HIV = "hiv"
    ADOPTION = "adoption"
    SEALED_RECORD = "sealed_record"


NOT_SENSITIVE = "none"
"""Written on a ticket when a person decided so; nothing written means the category's own default."""


@dataclass(frozen=True)
class Category:
    """`main[0]` is who handles it unless `choose` says otherwise; `co` are told; `below` are who takes it in on the spot."""

    code: str
    branch: str
    name: str
    main: tuple[str, ...]
    co: tuple[str, ...]
    below: tuple[str, ...]
    choose: Mapping[str, tuple[str, ...]]
    sensitivity: Sensitivity | None
    basis: str
    mark: str
    """`verified`, `verified:Wxx` (an excerpt only) or `recalled`, of the basis."""
    code12345: str
    """Empty: the facts give no code of the 12345 platform."""
    words: tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    branches: Mapping[str, str]
    categories: Mapping[str, Category]


@cache
def load() -> Tree:
    """What categories.yml holds."""
    written = yaml.safe_load((DATA / "categories.yml").read_text(encoding="utf-8"))
    categories = {code: _category(code, row) for code, row in written["categories"].items()}
    return Tree(written["branches"], dict(sorted(categories.items())))


def _category(code: str, row: Mapping[str, object]) -> Category:
    def listed(name: str) -> tuple[str, ...]:
        value = row.get(name) or ()
        assert isinstance(value, list | tuple)
        return tuple(str(item) for item in value)

    choose = row.get("choose") or {}
    assert isinstance(choose, dict)
    sensitivity = row.get("sensitivity")
    return Category(
        code=code,
        branch=str(row["branch"]),
        name=str(row["name"]),
        main=listed("main"),
        co=listed("co"),
        below=listed("below"),
        choose={dept: tuple(words) for dept, words in choose.items()},
        sensitivity=Sensitivity(str(sensitivity)) if sensitivity else None,
        basis=str(row["basis"]),
        mark=str(row["mark"]),
        code12345=str(row["code12345"]),
        words=listed("words"),
    )


def get_category(code: str) -> Category:
    """Raises `CategoryNotFound` (422)."""
    category = load().categories.get(code)
    if category is None:
        raise CategoryNotFound
    return category


def tree() -> dict[str, list[Category]]:
    """The leaves by the name of their branch, in the order of the file: for a select box."""
    loaded = load()
    return {
        name: [category for category in loaded.categories.values() if category.branch == branch]
        for branch, name in loaded.branches.items()
    }


@cache
def duties_of(dept: str, level: str = "") -> frozenset[str]:
    """Codes of the categories in which a department is main or co; empty for one that is not known.

    With a level ("county"), also what it does there for departments that have no office of their own (departments.yml).
    """
    departments = directory().departments.values()
    hands = {dept, *(other.code for other in departments if other.merged.get(level) == dept)}
    return frozenset(c.code for c in load().categories.values() if hands & {*c.main, *c.co})


@cache
def ordinary_codes() -> frozenset[str]:
    """Categories that are not sensitive unless a person says otherwise; what is not in here is treated as sensitive."""
    return frozenset(c.code for c in load().categories.values() if c.sensitivity is None)


def is_sensitive(category: str | None, sensitivity: str | None) -> bool:
    """Whether a matter goes to the handling unit and the police only; an unknown category or kind does.

    `sensitivity`: None for the category's default, "none" where a person said it is not.
    """
    if sensitivity is not None:
        return sensitivity != NOT_SENSITIVE
    return category is not None and category not in ordinary_codes()
