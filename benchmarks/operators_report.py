"""The operators' measures as one HTML file: how long a ring took, how far off the ladder's steps were, what memory did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .charts import Chart, histogram_svg, lines_svg, write_page
from .results import Row, percentile

if TYPE_CHECKING:
    from .operators_soak import Soaked


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
    return write_page("Operators and the ladder", charts, rows, name=name)


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
