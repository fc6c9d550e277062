"""What an operator may say with one click, and the one question that comes next. From `canned.yml`, checked when it is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sms_gateway.triage.judgement import Harm
from sms_gateway.wording import FORBIDDEN, say

FILE = Path(__file__).with_name("canned.yml")
SENTENCES = 200
PLACEHOLDERS = frozenset({"name", "place", "badge", "service", "number"})
"""How the child is called, where it is, the operator's own number (工号), the unit it was handed to, the ticket's number."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Saying:
    """`name`: on the button, or why it is asked."""

    name: str
    text: str


@dataclass(frozen=True)
class Sayings:
    """`by_harm`: what fits each situation; `next_by_harm`: the questions of each in their order."""

    always: tuple[Saying, ...]
    by_harm: Mapping[str, tuple[Saying, ...]]
    next_by_harm: Mapping[str, tuple[Saying, ...]]


@cache
def load() -> Sayings:
    """The file; raises `ValueError` naming what is wrong with it."""
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    always = tuple(_read(entry, "name") for entry in raw["always"])
    by_harm = {harm: tuple(_read(entry, "why") for entry in entries) for harm, entries in raw["next"].items()}
    here = {harm: tuple(_read(entry, "name") for entry in entries) for harm, entries in raw["here"].items()}
    strange = (set(by_harm) | set(here)) - {str(harm) for harm in Harm}
    if strange:
        raise ValueError(f"canned.yml 里没有这种类型：{'、'.join(sorted(strange))}")
    return Sayings(always, here, by_harm)


def _read(entry: Mapping[str, str], name: str) -> Saying:
    text = say(entry["key"]) if "key" in entry else entry["text"]
    bad = [word for word in FORBIDDEN if word in text]
    if bad or not text or len(text) > SENTENCES:
        raise ValueError(f"canned.yml 的“{entry[name]}”：有不能写的词，或者是空的、太长")
    unknown = set(_PLACEHOLDER.findall(text)) - PLACEHOLDERS
    if unknown:
        raise ValueError(f"canned.yml 的“{entry[name]}”：没有这种空格 {'、'.join(sorted(unknown))}")
    return Saying(entry[name], text)


def filled(sayings: Iterable[Saying], known: Mapping[str, str]) -> list[Saying]:
    """The sayings with their placeholders filled from `known`; one whose placeholder is not known is left out."""
    made = []
    for saying in sayings:
        needed = _PLACEHOLDER.findall(saying.text)
        if all(known.get(name) for name in needed):
            made.append(Saying(saying.name, _PLACEHOLDER.sub(lambda found: known[found.group(1)], saying.text)))
    return made


def next_question(harm: str | None, *, place_known: bool, said: Collection[str]) -> Saying | None:
    """The one thing to ask now: the place first, then the harm's questions that were not put yet; None when all were.

    `said`: texts that have gone out, without signature.
    """
    place = say("ask.place")
    if not place_known and place not in said and harm not in (None, Harm.NONE, Harm.SEXUAL, Harm.SELF_HARM):
        return Saying("还不知道在哪", place)
    sayings = load().next_by_harm
    for saying in sayings.get(harm or Harm.NONE, sayings[Harm.NONE]):
        if saying.text not in said:
            return saying
    return Saying("还不知道在哪", place) if not place_known and place not in said else None
