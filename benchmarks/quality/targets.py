"""Issue 3's targets, and the floors that `make eval` fails under (`benchmarks/floors.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FLOORS = Path(__file__).parents[1] / "floors.json"


class FloorsAreWrong(ValueError):
    """The floors file names a measure that is none, or holds something that is no share."""


@dataclass(frozen=True)
class Target:
    """A measure with the floor and goal that issue 3 sets for the blind sets, shares 0-1."""

    name: str
    floor: float
    goal: float
    lower: bool = False


TARGETS = (
    Target("emergency recall", 0.97, 0.99),
    Target("plain danger now seen", 1.0, 1.0),
    Target("emergency precision, half traps", 0.85, 0.93),
    Target("false alarms on plain texts", 0.01, 0.0, lower=True),
    Target("right service", 0.92, 0.97),
    Target("lane", 0.85, 0.92),
    Target("harm seen", 0.95, 0.98),
    Target("intent macro-F1", 0.88, 0.94),
    Target("FAQ right", 0.90, 0.97),
    Target("FAQ abstains", 0.92, 0.97),
    Target("FAQ false abstention", 0.06, 0.03, lower=True),
    Target("dialogues right", 0.90, 0.97),
    Target("danger dialogues right", 1.0, 1.0),
)
LOWER = frozenset(target.name for target in TARGETS if target.lower)
STEP = 0.01
"""How far below what is measured `--write-floors` puts a floor: one text in a hundred may turn."""


def read_floors(path: Path = FLOORS) -> dict[str, float]:
    """Floor of each measure by name (the most that is allowed where lower is better). Raises FloorsAreWrong."""
    floors = json.loads(path.read_text(encoding="utf-8"))
    known = {target.name for target in TARGETS}
    for name, floor in floors.items():
        if name not in known or not isinstance(floor, int | float) or not 0 <= floor <= 1:
            raise FloorsAreWrong(f"{path.name}: “{name}” is no measure with a share of 0 to 1.")
    return {name: float(floor) for name, floor in floors.items()}


def just_below(measured: Mapping[str, float], old: Mapping[str, float]) -> dict[str, float]:
    """Floors just below what was measured; those not measured now stay as they were. A whole stays whole."""
    floors = {}
    for target in TARGETS:
        if target.name not in measured:
            if target.name in old:
                floors[target.name] = old[target.name]
            continue
        value = measured[target.name]
        slack = 0.0 if target.floor == 1.0 and value == 1.0 else STEP
        floors[target.name] = round(min(1.0, value + slack) if target.lower else max(0.0, value - slack), 3)
    return floors


def write_floors(floors: Mapping[str, float], path: Path = FLOORS) -> None:
    """One line a measure."""
    path.write_text(json.dumps(dict(floors), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
