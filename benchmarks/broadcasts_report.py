"""The measures of outreach as one HTML file with curves: `results/broadcasts.html`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .charts import Chart, histogram_svg, lines_svg, write_page
from .results import Row, percentile

if TYPE_CHECKING:
    from .broadcasts_whole import Whole


def write(
    rows: Sequence[Row], whole: Whole, idle: Sequence[float], *, workers: Sequence[tuple[int, float]],
    name: str = "broadcasts.html",
) -> Path:  # fmt: skip
    """Write `results/<name>`; its path. `workers`: sending processes, and texts a second of them together."""
    return write_page("Outreach", [*_whole(whole, idle), *_scale(workers)], rows, name=name)


def _whole(whole: Whole, idle: Sequence[float]) -> list[Chart]:
    memory = {name: list(enumerate(values)) for name, values in whole.memory.items()}
    states = ", ".join(f"{state} {n:,}" for state, n in sorted(whole.states.items()))
    charts = [
        Chart("Numbers that are through", lines_svg({"numbers": whole.rates}, "s", "numbers"), states),
        Chart("Memory of our processes meanwhile", lines_svg(memory, "s", "MB"), "Each second, resident."),
    ]
    if whole.talk_ms:
        p50, at_rest = percentile(whole.talk_ms, 0.5), percentile(list(idle), 0.5)
        words = f"p50 {p50:.0f} ms meanwhile, {at_rest:.0f} ms when nothing else happens; dashed: twice that."
        svg = histogram_svg(whole.talk_ms, "ms", mark=2 * at_rest)
        charts.append(Chart("Answer to a talk while the broadcast runs", svg, words))
    return charts


def _scale(workers: Sequence[tuple[int, float]]) -> list[Chart]:
    if not workers:
        return []
    best = workers[0][1]
    series = {"measured": workers, "in proportion": [(n, best * n / workers[0][0]) for n, _ in workers]}
    return [Chart("Texts a second by sending processes", lines_svg(series, "processes", "texts/s"), "One external PostgreSQL, a carrier that answers after 100 ms.")]  # fmt: skip
