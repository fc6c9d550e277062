"""What one part of the evaluation found, before anyone draws or prints it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .measures import Bin, calibration_error

Cell = str | int | float
WITHOUT_COPIES = "without copies"
"""Beside the files: all lines but those that stand, letter for letter, among the training texts."""


@dataclass(frozen=True)
class Table:
    """Rows of cells; shares (0-1) are floats."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Heat:
    """A confusion matrix: a row for what it is, a column for what was said."""

    title: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in 0-1 joined by a line, the area of each dot by `weights`; `diagonal`: where they should lie."""

    title: str
    x: str
    y: str
    points: tuple[tuple[float, float], ...]
    weights: tuple[int, ...] = ()
    diagonal: bool = False


@dataclass(frozen=True)
class Bars:
    """One share (0-1) a label."""

    title: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Wrong:
    """A development line that came out wrong: what it is, what was said, how surely."""

    truth: str
    said: str
    score: float
    text: str


@dataclass(frozen=True)
class Part:
    """`measures`: shares by name, over all lines; `by_set` the same for each file. `skipped`: why there is nothing;
    `failed`: and that there should be."""

    name: str
    title: str
    count: int = 0
    measures: dict[str, float] = field(default_factory=dict)
    by_set: dict[str, dict[str, float]] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    heats: tuple[Heat, ...] = ()
    curves: tuple[Curve, ...] = ()
    bars: tuple[Bars, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    skipped: str = ""
    failed: bool = False


def reliability_table(title: str, bins: list[Bin]) -> Table:
    """Bins as rows."""
    rows = tuple((f"{each.said:.2f}", each.count, each.true) for each in bins)
    return Table(
        title,
        ("mean probability said", "texts", "came true"),
        rows,
        f"Expected calibration error {calibration_error(bins):.3f}.",
    )


def reliability_curve(title: str, bins: list[Bin]) -> Curve:
    """Bins as dots; those on the diagonal mean what they say."""
    points = tuple((each.said, each.true) for each in bins)
    return Curve(title, "said", "came true", points, tuple(each.count for each in bins), diagonal=True)
