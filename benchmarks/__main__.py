"""`python -m benchmarks [AREA …]`: measure those areas (all without one); `long`: what takes a quarter of an hour; `table` copies
the newest results into README.

Ratios in one run: median of interleaved rounds, both sides warm and on the same scratch PostgreSQL. Only 127.0.0.1 is
called, with a bounded number of requests.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything that embeds

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console

from . import (
    broadcasts,
    casework_clocks,
    casework_pages,
    casework_push,
    cmpp,
    danger,
    limits,
    operators,
    table,
    trust_load,
    turns,
    understanding,
    webhooks,
)
from .results import AREAS, Row, add, keep

Measure = Callable[[Console], Awaitable[list[Row]]]

MEASURES: tuple[tuple[tuple[str, ...], Measure], ...] = (
    (("turns",), turns.measure),
    (("webhooks",), webhooks.measure),
    (("understanding",), understanding.measure),
    (("understanding",), limits.measure),
    (("webhooks", "understanding"), danger.measure),  # its load is what the memory is read after
    (("casework",), casework_clocks.measure),
    (("casework",), casework_push.measure),
    (("casework",), casework_pages.measure),
    (("operators",), operators.measure),
    (("broadcasts",), broadcasts.measure),
    (("cmpp",), cmpp.measure),
    (("trust",), trust_load.measure),
)
"""The areas each measure has rows for, and the measure."""


async def measure(areas: Sequence[str], console: Console) -> list[Row]:
    """Run every measure that has rows for one of `areas`; rows of other areas are left out."""
    rows: list[Row] = []
    for covered, run in MEASURES:
        if set(covered) & set(areas):
            began = time.monotonic()
            found = [each for each in await run(console) if each.area in areas]
            rows += found
            console.print(table.as_rich(found))
            console.print(f"  {'/'.join(covered)}: {time.monotonic() - began:.0f} s")
    return rows


def main(words: Sequence[str]) -> None:
    """The command line."""
    if list(words) == ["table"]:
        table.main()
        return
    if list(words) == ["long"]:
        add(asyncio.run(broadcasts.measure_long(Console())))
        return
    unknown = sorted(set(words) - set(AREAS))
    if unknown:
        raise SystemExit(f"AREA is one of {', '.join(AREAS)}; not {', '.join(unknown)}.")
    measured = {area for covered, _ in MEASURES for area in covered}
    areas = sorted(set(words) & measured) if words else sorted(measured)
    if not areas:
        raise SystemExit(f"Nothing is measured yet in {', '.join(words)}.")
    console = Console()
    rows = asyncio.run(measure(areas, console))
    keep(rows, areas)


if __name__ == "__main__":
    main(sys.argv[1:])
