"""Plays a file of dialogues through `hotline replay` and checks what each turn expects.

A line: `{"id", "title", "danger", "turns": [...], "expect": [...]}`; one expectation a turn (null: none) with any of
`says_any`, `says_all`, `says_none` (parts of the replies, joined), `silent` (nothing comes back), `state` (each named
value as `replay` gives it; `ticket` true or false means that there is one or not).

    .venv/bin/python -m tests.quality.replaying [file]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("dialogues.jsonl")
LONGEST_SECONDS = 1800


@dataclass(frozen=True)
class Result:
    """How one dialogue went; `why` says of each turn that went wrong what was missed and what came instead."""

    id: str
    title: str
    danger: bool
    right: bool
    why: list[str]


def run(path: Path = FILE) -> list[Result]:
    """The results in the order of the file. Raises `RuntimeError` when the replay itself does not run."""
    dialogues = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    asked = "".join(json.dumps(dialogue, ensure_ascii=False) + "\n" for dialogue in dialogues)
    done = subprocess.run(
        [sys.executable, "-m", "sms_gateway.cli", "replay"],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, input=asked, capture_output=True, text=True, check=False,
        timeout=LONGEST_SECONDS,
    )  # fmt: skip
    played = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(played) != len(dialogues):
        raise RuntimeError(f"the replay ended with {done.returncode} after {len(played)} of {len(dialogues)} dialogues")
    return [examine(dialogue, answer) for dialogue, answer in zip(dialogues, played, strict=True)]


def examine(dialogue: dict[str, Any], answer: dict[str, Any]) -> Result:
    """What one played dialogue missed."""
    why = [f"did not run: {answer['error']}"] if "error" in answer else _missed_turns(dialogue, answer["turns"])
    return Result(str(dialogue["id"]), dialogue["title"], bool(dialogue.get("danger")), not why, why)


def _missed_turns(dialogue: dict[str, Any], turns: Sequence[dict[str, Any]]) -> list[str]:
    why = []
    for number, (expected, turn) in enumerate(zip(dialogue["expect"], turns, strict=True), start=1):
        said = turn.get("user", f"[{turn.get('wait')} s]")
        why += [f"{number} {said!r}: {missed}" for missed in _missed(expected or {}, turn)]
    return why


def _missed(expected: dict[str, Any], turn: dict[str, Any]) -> list[str]:
    replies = "\n".join(turn["replies"])
    missed = []
    if expected.get("says_any") and not any(part in replies for part in expected["says_any"]):
        missed.append(f"none of {expected['says_any']} in {turn['replies']}")
    missed += [f"no {part!r} in {turn['replies']}" for part in expected.get("says_all", ()) if part not in replies]
    missed += [f"{part!r} in {turn['replies']}" for part in expected.get("says_none", ()) if part in replies]
    if "silent" in expected and expected["silent"] != (not turn["replies"]):
        missed.append(f"silent is not {expected['silent']}: {turn['replies']}")
    for name, wanted in expected.get("state", {}).items():
        found = turn["state"][name]
        same = (found is not None) == wanted if name == "ticket" and isinstance(wanted, bool) else found == wanted
        if not same:
            missed.append(f"{name} is {found!r}, not {wanted!r}")
    return missed


def told(results: Sequence[Result]) -> str:
    """The shares, and every dialogue that went wrong."""
    lines = []
    for name, some in (("all", results), ("danger", [result for result in results if result.danger])):
        right = sum(result.right for result in some)
        lines.append(f"{name}: {right} of {len(some)} right ({right / max(1, len(some)):.1%})")
    for result in results:
        if not result.right:
            lines += [f"\n{result.id} {result.title}{' (danger)' if result.danger else ''}"]
            lines += [f"    {why}" for why in result.why]
    return "\n".join(lines)


if __name__ == "__main__":
    print(told(run(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE)))
