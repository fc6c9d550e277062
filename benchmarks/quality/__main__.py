"""`python -m benchmarks.quality` (`make eval`): measure, print, write the report, fail under the floors."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything that embeds

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from sms_gateway.supervision.bot_model import TrainingFailed

from . import dialogues, duplicates, faq, intents, triage
from .findings import Part
from .measures import under
from .report import lines, print_part, print_targets, write_html
from .targets import LOWER, just_below, read_floors, write_floors
from .vectors import folder

PARTS: dict[str, Callable[[], Part]] = {
    "triage": triage.examine,
    "intents": intents.examine,
    "faq": faq.examine,
    "dialogues": dialogues.examine,
    "duplicates": duplicates.examine,
}
_WIDTH = 132


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="make eval", description="How well texts are understood.")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part only; may be given again")
    parser.add_argument("--errors", action="store_true", help="also the development lines that came out wrong")
    parser.add_argument("--show", action="store_true", help="also the near duplicates, to be removed")
    parser.add_argument("--write-floors", action="store_true", help="put the floors just below what is measured")
    return parser.parse_args(words)


def examined(name: str, examine: Callable[[], Part]) -> Part:
    """The part, or why it could not be measured: one that breaks does not cost the others."""
    try:
        return examine()
    except (RuntimeError, TrainingFailed) as error:
        return Part(name, name.capitalize(), skipped=f"{type(error).__name__}: {error}", failed=True)


def main(words: Sequence[str]) -> int:
    """Run; returns the exit code, 1 when a measure is under its floor."""
    given, console = arguments(words), Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    floors = read_floors()
    parts = []
    for name in given.only or PARTS:
        console.print(f"{name} …")
        parts.append(examined(name, PARTS[name]))
    measured = {name: value for part in parts for name, value in part.measures.items()}
    if given.write_floors:
        floors = just_below(measured, floors)
        write_floors(floors)
    missed = under(measured, floors, LOWER)
    for part in parts:
        print_part(console, part, errors=given.show if part.name == "duplicates" else given.errors)
    print_targets(console, lines(parts, floors, missed))
    file = write_html(parts, floors, missed, folder(), errors=given.errors)
    console.print(f"Report: {file}")
    for name in missed:
        console.print(f"under its floor: {name}: {measured[name]:.3f}, floor {floors[name]:.3f}", style="red")
    return 1 if missed or any(part.failed for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
