"""Outreach, all of it: import, sending, receipts, one broadcast from end to end, more workers; and its report."""

from __future__ import annotations

from rich.console import Console

from . import (
    broadcasts_import,
    broadcasts_receipts,
    broadcasts_report,
    broadcasts_scale,
    broadcasts_sending,
    broadcasts_whole,
)
from .results import Row


async def measure(console: Console, *, recipients: int = broadcasts_whole.USUAL) -> list[Row]:
    """Every row of the area. `recipients`: of the broadcast from end to end; a million in `make bench-long`."""
    rows = await broadcasts_import.measure(console)
    rows += await broadcasts_sending.measure(console)
    rows += await broadcasts_receipts.measure(console)
    small, whole, idle = await broadcasts_whole.run(console, recipients)
    rows += broadcasts_whole.rows(small, whole, idle)
    more, workers = await broadcasts_scale.measure(console)
    rows += more
    console.print(f"broadcasts: {broadcasts_report.write(rows, whole, idle, workers=workers)}")
    return rows


async def measure_long(console: Console) -> list[Row]:
    """A million recipients end to end."""
    small, whole, idle = await broadcasts_whole.run(console, broadcasts_whole.LONG)
    rows = broadcasts_whole.rows(small, whole, idle)
    console.print(
        f"broadcasts: {broadcasts_report.write(rows, whole, idle, workers=(), name='broadcasts-million.html')}"
    )
    return rows
