"""The operators' measures as one HTML file: how long a ring took, how far off the ladder's steps were, what memory did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sms_gateway import clock
from sms_gateway.settings import ROOT

from .results import Row, percentile

if TYPE_CHECKING:
    from .operators_soak import Soaked

WIDE, HIGH, LEFT, TOP, BELOW = 560, 220, 56, 12, 40
COLOURS = ("#1f6feb", "#c4302b", "#1a7f4b", "#8a5cd6", "#b7791f", "#0d7a8a", "#d6336c", "#5b6875")
BINS = 24


@dataclass(frozen=True)
class Chart:
    """One drawing with its title and a line of words below it."""

    title: str
    svg: Markup
    words: str


@dataclass
class Plots:
    """What there is to draw. Milliseconds, seconds, MB."""

    ring_ms: Sequence[float] = ()
    limit_ms: float = 500.0
    deviations: Mapping[int, Sequence[float]] = field(default_factory=dict)
    """By step of the ladder: seconds off schedule."""
    knee: Sequence[tuple[float, float]] = ()
    """Texts a second, and the p95 in ms at that rate."""


def write_report(
    *, plots: Plots | None = None, soaked: Soaked | None = None, rows: Sequence[Row] = (), name: str = "operators.html"
) -> Path:
    """Write `results/<name>`; returns its path."""
    charts: list[Chart] = []
    if plots is not None:
        charts += _latency(plots)
    if soaked is not None:
        charts.append(_memory(soaked))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made = f"{clock.shanghai(clock.now()):%Y-%m-%d %H:%M}"
    page = environment.get_template("operators_report.html.j2").render(charts=charts, rows=rows, made=made)
    place = ROOT / "results"
    place.mkdir(exist_ok=True)
    (file := place / name).write_text(page, encoding="utf-8")
    return file


def _latency(plots: Plots) -> list[Chart]:
    charts = []
    if plots.ring_ms:
        words = f"{len(plots.ring_ms)} danger texts; p50 {percentile(plots.ring_ms, 0.5):.0f} ms, p95 {percentile(plots.ring_ms, 0.95):.0f} ms; dashed: {plots.limit_ms:.0f} ms."
        svg = histogram_svg(plots.ring_ms, "ms", mark=plots.limit_ms)
        charts.append(Chart("Danger text in to ringing in an open browser", svg, words))
    if plots.knee:
        charts.append(
            Chart("p95 by texts a second", lines_svg({"p95, ms": plots.knee}, "texts/s", "ms"), "The knee is where it leaves the flat part.")
        )  # fmt: skip
    for step, off in sorted(plots.deviations.items()):
        words = f"{len(off)} steps; most off: {max(map(abs, off)):.2f} s."
        charts.append(Chart(f"Ladder step {step}: seconds after its time", histogram_svg(off, "s", mark=1.0), words))
    return charts


def _memory(soaked: Soaked) -> Chart:
    words = f"{soaked.sent_in + soaked.sent_out} texts in {soaked.took:.0f} s; lost {soaked.lost}, reordered {soaked.reordered}."
    return Chart("Memory of each process", lines_svg(soaked.memory, "s", "MB"), words)


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
