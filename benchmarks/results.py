"""What a run found: rows, the file they are kept in, and the rule that a part of a run replaces its own area only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Literal

RESULTS = Path(__file__).with_name("results.json")
AREAS = ("turns", "webhooks", "understanding", "casework", "operators", "broadcasts", "cmpp", "trust")
"""Every area there will be (DESIGN section 7); those without a measure yet are simply not run."""

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Row:
    """One measured number: the median of its rounds (`samples`), and whether it keeps its target, where there is one."""

    area: str
    name: str
    value: float
    unit: str
    target: float | None
    better: Better
    holds: bool | None
    samples: list[float]


def row(
    area: str, name: str, samples: Sequence[float], unit: str, *, target: float | None = None, better: Better = "lower"
) -> Row:
    """The row of these round values. Raises ValueError for an unknown area or no value at all."""
    if area not in AREAS or not samples:
        raise ValueError("a row has an area of the contract and at least one round")
    value = _short(median(samples))
    holds = None if target is None else (value <= target if better == "lower" else value >= target)
    return Row(area, name, value, unit, target, better, holds, [_short(sample) for sample in samples])


def _short(value: float) -> float:
    """Four digits say all that a shared machine can."""
    return float(f"{value:.4g}")


def read(path: Path = RESULTS) -> list[Row]:
    """The rows kept last; none when nothing was measured yet."""
    if not path.is_file():
        return []
    return [Row(**found) for found in json.loads(path.read_text(encoding="utf-8"))]


LONG = "1,000,000 recipients end to end"
FAULTS = "Faults under 10 texts/s"
OWN_RUNS = (LONG, FAULTS)
"""How the names of rows begin that only `make bench-long` and `make chaos` measure; `make bench` leaves them as they are."""


def keep(rows: Iterable[Row], areas: Iterable[str], path: Path = RESULTS) -> list[Row]:
    """Replace the rows of `areas` by `rows`; all others stay, and those of `OWN_RUNS`. What the file holds now."""
    run = set(areas)
    new = {(row.area, row.name): row for row in rows if row.area in run}
    stay = [old for old in read(path) if old.area not in run or old.name.startswith(OWN_RUNS)]
    whole = [old for old in stay if (old.area, old.name) not in new] + list(new.values())
    whole.sort(key=lambda each: AREAS.index(each.area))
    lines = ",\n ".join(json.dumps(asdict(each), ensure_ascii=False) for each in whole)
    path.write_text(f"[{lines}]\n", encoding="utf-8")
    return whole


def add(rows: Iterable[Row], path: Path = RESULTS) -> list[Row]:
    """Put `rows` beside those that are there, each in place of the row of the same area and name."""
    new = list(rows)
    areas, named = {each.area for each in new}, {(each.area, each.name) for each in new}
    kept = [old for old in read(path) if old.area in areas and (old.area, old.name) not in named]
    return keep([*kept, *new], areas, path)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0-1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
