"""Labelled texts as they stand in `examples/*.jsonl` and in the development set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .judgement import Harm, Immediacy, Lane, Writer


class ExampleIsBroken(ValueError):
    """A line of an examples file cannot be used; the message names file and line, never the text."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text. `earlier`: texts that came before it. `difficulty`: plain, noisy, trap …, for reports."""

    text: str
    lane: Lane
    type: Harm
    services: tuple[str, ...]
    immediacy: Immediacy
    writer: Writer
    sexual: bool
    earlier: tuple[str, ...]
    difficulty: str


def read(path: Path) -> list[Example]:
    """All examples of one file; raises ExampleIsBroken."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ExampleIsBroken(f"{path.name}, line {number}: {type(error).__name__}") from None
    return found


def _example(row: dict[str, object]) -> Example:
    services, earlier = row.get("services") or (), row.get("earlier") or ()
    if not isinstance(services, (list, tuple)) or not isinstance(earlier, (list, tuple)):
        raise TypeError("services and earlier are lists")
    return Example(
        text=str(row["text"]),
        lane=Lane(str(row["lane"])),
        type=Harm(str(row["type"])),
        services=tuple(map(str, services)),
        immediacy=Immediacy(str(row["immediacy"])),
        writer=Writer(str(row.get("writer") or "unknown")),
        sexual=bool(row.get("sexual", False)),
        earlier=tuple(map(str, earlier)),
        difficulty=str(row.get("difficulty") or row.get("why") or ""),
    )
