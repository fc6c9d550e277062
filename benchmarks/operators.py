"""The operators' measures on one running hotline: ringing in a browser, a drill on a quick ladder, a short soak; and their report."""

from __future__ import annotations

import asyncio

from rich.console import Console

from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir

from .operators_drill import CASES, Drilled, drill
from .operators_line import QUICK_LADDER, WHOLE, desk_line
from .operators_report import Plots, write_report
from .operators_ringing import LISTENERS, Rung, measure_ringing
from .operators_soak import rows as soak_rows
from .operators_soak import soak, tell
from .results import Row, percentile, row

AREA = "operators"
LIMIT_MS = 500.0


async def measure(console: Console, *, ringing: float = 60.0, soaking: float = 120.0) -> list[Row]:
    """About six minutes. Seconds of the ringing and of the soak."""
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    async with desk_line(*WHOLE, model=model, settings=QUICK_LADDER) as line:
        rung = await measure_ringing(line, console, seconds=ringing)
        console.print(
            f"operators: knee at {rung.knee:.0f} texts/s; {len(rung.milliseconds)} rang, {rung.missed} did not; "
            f"load generator used {rung.own_cpu:.0%} of one core"
        )
        drilled = await drill(line)
        soaked = await soak(line, seconds=soaking)
    tell(console, soaked)
    found = [*_ringing_rows(rung), *_drill_rows(drilled), *soak_rows(soaked)]
    plots = Plots(rung.milliseconds, LIMIT_MS, drilled.deviations, rung.steps)
    console.print(f"operators: report: {write_report(plots=plots, soaked=soaked, rows=found)}")
    return found


def _ringing_rows(rung: Rung) -> list[Row]:
    what = f"Danger text in to ringing in an open browser, 0.6 of the knee, {LISTENERS} listeners"
    times = rung.milliseconds
    return [
        row(AREA, f"{what}: p95", [percentile(times, 0.95)], "ms", target=LIMIT_MS),
        row(AREA, f"{what}: p50", [percentile(times, 0.5)], "ms"),
        row(AREA, f"{what}: did not ring", [rung.missed], "texts", target=0),
        row(AREA, "Knee: texts a second with a stable p95", [rung.knee], "1/s", better="higher"),
    ]


def _drill_rows(drilled: Drilled) -> list[Row]:
    what = f"Drill of {CASES}, a third of operators never answer"
    rings = [score.ring * 1000 for score in drilled.scores if score.ring is not None]
    return [
        row(AREA, f"{what}: reach a human or the bridge", [drilled.reached], "%", target=100, better="higher"),
        row(AREA, f"{what}: ladder step furthest from its time", [drilled.most_off], "s", target=1),
        row(AREA, f"{what}: text to first ring, p95", [percentile(rings, 0.95)], "ms"),
    ]
