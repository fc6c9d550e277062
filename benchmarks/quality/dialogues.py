"""Whole talks of the development set, through the real pipeline as `hotline replay` runs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from sms_gateway.settings import ROOT

from .findings import Part, Table, Wrong

FILES = tuple(ROOT / "tests" / "quality" / f"{name}.jsonl" for name in ("dialogues", "dialogues-blind"))
RUNNER = "tests.quality.replaying"


class Result(Protocol):
    """What the runner says of one talk: `why` it is not right, for people."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def danger(self) -> bool: ...
    @property
    def right(self) -> bool: ...
    @property
    def why(self) -> object: ...


def examine(files: Sequence[Path] = FILES) -> Part:
    """Play every dialogue; skipped, with the reason, while there is no file or nobody to play it."""
    there = [file for file in files if file.is_file()]
    if not there:
        return Part("dialogues", "Dialogues", skipped=f"{files[0].name} is not there")
    if find_spec(RUNNER) is None:
        return Part("dialogues", "Dialogues", skipped=f"{RUNNER} is not there")
    run = cast("Callable[[Path], Sequence[Result]]", importlib.import_module(RUNNER).run)
    return part([result for file in there for result in run(file)])


def part(results: Sequence[Result]) -> Part:
    """What there is to say about these talks."""
    danger = [result for result in results if result.danger]
    other = [result for result in results if not result.danger]
    rows = tuple((name, len(group), _share(group)) for name, group in (("danger", danger), ("other", other)) if group)
    measures = {"dialogues right": _share(results)} if results else {}
    if danger:
        measures["danger dialogues right"] = _share(danger)
    return Part(
        name="dialogues",
        title="Dialogues",
        count=len(results),
        measures=measures,
        by_set={"dialogues": measures},
        tables=(Table("By subject", ("", "dialogues", "right"), rows),),
        wrong=tuple(
            Wrong("danger" if result.danger else "other", _said(result.why), 0.0, f"{result.id} {result.title}")
            for result in results
            if not result.right
        ),
    )


def _said(why: object) -> str:
    return "; ".join(map(str, why)) if isinstance(why, list | tuple) else str(why)


def _share(results: Sequence[Result]) -> float:
    return sum(result.right for result in results) / len(results)
