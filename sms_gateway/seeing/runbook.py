"""值班手册 (docs/runbook.md) as the page 运行 shows it beside what is wrong: what to do now, step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sms_gateway.settings import ROOT

PLACE = ROOT / "docs" / "runbook.md"
_SECTION = re.compile(
    r'^## \d+\. (?P<title>.+?) <a id="(?P<id>[a-z-]+)"></a>\n(?P<body>.*?)(?=^## |\Z)', re.MULTILINE | re.DOTALL
)
_PART = re.compile(r"^\*\*(?P<name>[^*]+)\*\*\n(?P<words>.*?)(?=^\*\*|\Z)", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\d+\. (.+)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
SHOWS, NOW, REHEARSED = "怎么看出来", "现在做什么", "怎么演练的"


@dataclass(frozen=True)
class Section:
    """One failure. `steps` are plain sentences, commands in them between backticks."""

    id: str
    title: str
    shows: str
    steps: tuple[str, ...]
    rehearsed: str
    tests: tuple[tuple[str, str], ...]
    """(file, function) of each test that rehearses it."""


def parse(text: str) -> dict[str, Section]:
    """Sections by id, in the file's order. Pure."""
    found = {}
    for match in _SECTION.finditer(text):
        parts = {part["name"]: part["words"].strip() for part in _PART.finditer(match["body"])}
        rehearsed = parts.get(REHEARSED, "")
        found[match["id"]] = Section(
            match["id"], match["title"], parts.get(SHOWS, ""), tuple(_STEP.findall(parts.get(NOW, ""))), rehearsed,
            tuple((file, name) for file, name in _TEST.findall(rehearsed)),
        )  # fmt: skip
    return found


@lru_cache(maxsize=1)
def load() -> dict[str, Section]:
    """Of this very version of the program; empty where the file was left out."""
    try:
        return parse(PLACE.read_text(encoding="utf-8"))
    except OSError:
        return {}
