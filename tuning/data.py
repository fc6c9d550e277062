"""What the encoder learns from: every labelled text of the repository, one row for each task's answers."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("lane", "type", "immediacy", "writer", "sexual", "service", "intent", "entry")
OUTSIDE = "outside"
"""The handbook's class for texts that no entry answers."""


@dataclass
class Sample:
    """A text and its label in each task that it teaches."""

    text: str
    labels: dict[str, str] = field(default_factory=dict)


def triage(paths: Sequence[Path]) -> Iterator[Sample]:
    """Texts joined with what came before them, as `Triage.judge` joins them."""
    for row in _lines(paths):
        harm = row["lane"] != "blue"
        labels = {"lane": row["lane"], "writer": row.get("writer") or "unknown", "sexual": str(bool(row.get("sexual")))}
        if harm:
            labels |= {"type": row["type"], "immediacy": row["immediacy"]}
        if row["lane"] == "red":
            labels["service"] = " ".join(row["services"])
        yield Sample("，".join((*row.get("earlier", ()), row["text"])), labels)


def intents(folder: Path = ROOT / "bot" / "data" / "nlu") -> Iterator[Sample]:
    """The NLU examples."""
    for path in sorted(folder.glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in str(block.get("examples", "")).splitlines():
                if line.strip().startswith("- "):
                    yield Sample(line.strip()[2:].strip(), {"intent": block["intent"]})


def handbook(folder: Path = ROOT / "policy_faq") -> Iterator[Sample]:
    """Wordings of every entry, and the texts that none answers."""
    for path in sorted((folder / "entries").glob("*.md")):
        front, long = path.read_text(encoding="utf-8").split("\n---\n", 1)
        entry = yaml.safe_load(front.removeprefix("---\n"))
        for text in (entry["question"], *entry["variants"], entry["question"] + entry["short"], long[:150]):
            yield Sample(str(text), {"entry": entry["id"]})
    for line in (folder / "outside.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield Sample(line.strip(), {"entry": OUTSIDE})


def everything() -> list[Sample]:
    """All training texts of the repository; of the handbook's, which stand closest together, two in three."""
    examples = sorted((ROOT / "sms_gateway" / "triage" / "examples").glob("*.jsonl"))
    return [*triage(examples), *intents(), *(s for n, s in enumerate(handbook()) if n % 3)]


def _lines(paths: Sequence[Path]) -> Iterator[dict]:  # type: ignore[type-arg]
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


_MARKS = re.compile(r"[\s，。！？、,.!?~…]+")


def disturbed(text: str, chance: random.Random) -> str:
    """The text as a hurried thumb might send it, one time in four: a character lost, two swapped, one doubled, or all
    marks gone. Never replaces writing (issue 3): it only keeps the encoder from leaning on one character."""
    if chance.random() > 0.25 or len(text) < 4:
        return text
    at = chance.randrange(1, len(text) - 1)
    return chance.choice([
        text[:at] + text[at + 1 :],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        text[:at] + text[at] + text[at:],
        _MARKS.sub("", text),
        _MARKS.sub(" ", text),
    ])  # fmt: skip
