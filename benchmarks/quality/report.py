"""The findings for people: as tables on the terminal, and as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.table import Table as Rich

from sms_gateway import clock

from .drawing import curve_svg
from .findings import Cell, Heat, Part, Table
from .targets import LOWER, TARGETS

_NARROW = 4


@dataclass(frozen=True)
class Line:
    """One of issue 3's measures: what was measured, and what was asked for. None: not measured, no own floor."""

    name: str
    lower: bool
    value: float | None
    own: float | None
    floor: float
    goal: float
    holds: bool | None
    under: bool
    by_set: Mapping[str, float]


def lines(parts: Sequence[Part], floors: Mapping[str, float], missed: Sequence[str]) -> list[Line]:
    """A line for each target, in the issue's order."""
    measured = {name: value for part in parts for name, value in part.measures.items()}
    found = []
    for target in TARGETS:
        value = measured.get(target.name)
        holds = None if value is None else (value <= target.floor if target.lower else value >= target.floor)
        of = {file: kept[target.name] for part in parts for file, kept in part.by_set.items() if target.name in kept}
        under = target.name in missed
        own = floors.get(target.name)
        found.append(Line(target.name, target.lower, value, own, target.floor, target.goal, holds, under, of))
    return found


def shown(cell: Cell | None) -> str:
    """A share with three digits, a count or a word as it is, a dash for what is not there."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def write_html(
    parts: Sequence[Part], floors: Mapping[str, float], missed: Sequence[str], place: Path, *, errors: bool
) -> Path:
    """Write `report.html` into `place`; returns its path."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"share": shown, "svg": curve_svg}
    made = f"{clock.shanghai(clock.now()):%Y-%m-%d %H:%M}"
    page = environment.get_template("report.html.j2").render(
        parts=parts, targets=lines(parts, floors, missed), made=made, errors=errors
    )
    file = place / "report.html"
    file.write_text(page, encoding="utf-8")
    return file


def print_part(console: Console, part: Part, *, errors: bool) -> None:
    """Everything of one part but the drawings and the wide matrices."""
    console.rule(f"{part.title}: {part.count} lines" if not part.skipped else part.title)
    if part.skipped:
        console.print(f"skipped: {part.skipped}")
        return
    if part.measures:
        columns = ("measure", "all", *part.by_set)
        made: list[tuple[Cell, ...]] = []
        for name, value in part.measures.items():
            made.append((name, value, *(found.get(name, float("nan")) for found in part.by_set.values())))
        console.print(_rich(Table("Measures", columns, tuple(made))))
    for table in (*(_heat(heat) for heat in part.heats if len(heat.names) <= _NARROW), *part.tables):
        console.print(_rich(table))
    for wrong in part.wrong if errors else ():
        line = f"{wrong.truth} -> {wrong.said} {wrong.score:.2f} {wrong.text}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_targets(console: Console, found: Sequence[Line]) -> None:
    """Issue 3's table with what was measured beside it."""
    table = Rich("measure", "measured", "own floor", "issue's floor", "goal", "", title="Targets", title_justify="left")
    for line in found:
        words = {True: "yes", False: "under the issue's floor", None: "not measured"}[line.holds]
        name = f"{line.name} (less is better)" if line.name in LOWER else line.name
        table.add_row(name, *(shown(cell) for cell in (line.value, line.own, line.floor, line.goal)), words)
    console.print(table)


def _heat(heat: Heat) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, *counts) for name, counts in zip(heat.names, heat.counts, strict=True)]
    return Table(heat.title, ("", *heat.names), tuple(rows))


def _rich(table: Table) -> Rich:
    made = Rich(*table.columns, title=table.title, title_justify="left", caption=table.note, caption_justify="left")
    for row in table.rows:
        made.add_row(*map(shown, row))
    return made
