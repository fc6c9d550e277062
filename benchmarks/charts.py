"""Measures as one HTML file: drawings in SVG, rows as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sms_gateway import clock
from sms_gateway.settings import ROOT

from .results import Row

WIDE, HIGH, LEFT, TOP, BELOW = 560, 220, 56, 12, 40
COLOURS = ("#1f6feb", "#c4302b", "#1a7f4b", "#8a5cd6", "#b7791f", "#0d7a8a", "#d6336c", "#5b6875")
BINS = 24


@dataclass(frozen=True)
class Chart:
    """One drawing with its title and a line of words below it."""

    title: str
    svg: Markup
    words: str


def write_page(title: str, charts: Sequence[Chart], rows: Sequence[Row], *, name: str) -> Path:
    """Write `results/<name>`; returns its path."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made = f"{clock.shanghai(clock.now()):%Y-%m-%d %H:%M}"
    page = environment.get_template("report.html.j2").render(title=title, charts=charts, rows=rows, made=made)
    place = ROOT / "results"
    place.mkdir(exist_ok=True)
    (file := place / name).write_text(page, encoding="utf-8")
    return file


def histogram_svg(values: Sequence[float], unit: str, *, mark: float) -> Markup:
    """How often each value came; a dashed line at `mark`."""
    low, high = min(0.0, *values), max(mark * 1.1, *values)
    width = (high - low) / BINS
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / width))] += 1
    most = max(counts)
    parts = [_frame((low, high), (0, most), unit, "texts")]
    bar = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    for index, count in enumerate(counts):
        x, y = _place(index / BINS, count / most)
        parts.append(bar.format(x, y, WIDE / BINS - 1, TOP + HIGH - y))
    x, _y = _place((mark - low) / (high - low), 0)
    parts.append(Markup('<line class="ideal" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>').format(x, TOP, TOP + HIGH))
    return _picture(parts, 0)


def lines_svg(series: Mapping[str, Sequence[tuple[float, float]]], x_unit: str, y_unit: str) -> Markup:
    """A line for each name, with its colour beside it."""
    points = [point for one in series.values() for point in one] or [(0.0, 0.0)]
    most_x, most_y = max(x for x, _ in points) or 1.0, max(y for _, y in points) * 1.05 or 1.0
    parts = [_frame((0, most_x), (0, most_y), x_unit, y_unit)]
    for index, (name, one) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        placed = " ".join("{:.1f},{:.1f}".format(*_place(x / most_x, y / most_y)) for x, y in one)
        parts.append(Markup('<polyline class="line" style="stroke: {}" points="{}"/>').format(colour, placed))
        key = Markup('<text x="{}" y="{}" style="fill: {}">{}</text>')
        parts.append(key.format(LEFT + WIDE + 12, TOP + 14 + index * 16, colour, name))
    return _picture(parts, 110)


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + x * WIDE, TOP + (1 - y) * HIGH


def _frame(x: tuple[float, float], y: tuple[float, float], x_unit: str, y_unit: str) -> Markup:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        across, down = _place(share, share)
        parts.append(
            Markup('<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(LEFT, down, LEFT + WIDE, down)
        )
        side = Markup('<text x="{}" y="{:.1f}" text-anchor="end">{:.3g}</text>')
        parts.append(side.format(LEFT - 6, down + 4, y[0] + share * (y[1] - y[0])))
        below = Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:.3g}</text>')
        parts.append(below.format(across, TOP + HIGH + 16, x[0] + share * (x[1] - x[0])))
    units = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text><text x="4" y="{}">{}</text>')
    parts.append(units.format(LEFT + WIDE / 2, TOP + HIGH + 34, x_unit, TOP + 4, y_unit))
    return Markup("").join(parts)


def _picture(parts: Sequence[Markup], right: int) -> Markup:
    width, height = LEFT + WIDE + 14 + right, TOP + HIGH + BELOW
    return Markup('<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">{2}</svg>').format(
        width, height, Markup("").join(parts)
    )
