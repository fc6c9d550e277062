"""Intents on the development sets, through the trained Rasa model, as `hotline predict intent` asks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sms_gateway.commands.predict import intent_reader
from sms_gateway.settings import ROOT
from texts.embedding import pack_base64

from .findings import WITHOUT_COPIES, Bars, Heat, Part, Table, Wrong, reliability_curve, reliability_table
from .measures import Labels, by_class, confusion, grouped, macro_f1, reliability, worst_confusions
from .training import Copies
from .vectors import vectors

FILES = tuple(ROOT / "tests" / "quality" / f"{name}.jsonl" for name in ("intents", "intents-fresh", "intents-blind"))

Read = Callable[[dict[str, Any]], dict[str, Any]]


class ModelDidNotAnswer(RuntimeError):
    """The assistant's model ended, or cannot be read."""


@dataclass(frozen=True)
class Case:
    """One line and what the model said of it."""

    text: str
    intent: str
    difficulty: str
    said: str
    confidence: float

    @property
    def right(self) -> bool:
        return self.said == self.intent


def examine(files: Sequence[Path] = FILES) -> Part:
    """Ask the model every line of the files. Raises ModelDidNotAnswer, TrainingFailed."""
    read = intent_reader()
    return part({file.stem: ask(file, read) for file in files if file.is_file()}, Copies())


def ask(file: Path, read: Read) -> list[Case]:
    """The model's answer to each line."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    cases = []
    for row, vector in zip(rows, vectors([row["text"] for row in rows]), strict=True):
        said = read({"id": None, "text": row["text"], "e5": pack_base64(vector)})
        if "error" in said:
            raise ModelDidNotAnswer(said["error"])
        difficulty = row.get("difficulty") or "-"
        cases.append(Case(row["text"], row["intent"], difficulty, said["intent"], float(said["confidence"])))
    return cases


def part(by_set: dict[str, list[Case]], copies: Container[str] = ()) -> Part:
    """What there is to say about these answers; `copies`: texts that are training texts too."""
    cases = [case for found in by_set.values() for case in found]
    by_set = {**by_set, WITHOUT_COPIES: [case for case in cases if case.text not in copies]}
    labels, classes = _labels(cases), by_class(_labels(cases))
    bins = reliability([case.confidence for case in cases], [case.right for case in cases])
    names = tuple(score.label for score in classes)
    wrong = sorted((case for case in cases if not case.right), key=lambda case: (case.intent, case.confidence))
    return Part(
        name="intents",
        title="Intents",
        count=len(cases),
        measures=measure(cases),
        by_set={name: measure(found) for name, found in by_set.items()},
        tables=(
            Table(
                "Intents",
                ("intent", "texts", "precision", "recall", "F1"),
                tuple((score.label, score.count, score.precision, score.recall, score.f1) for score in classes),
            ),
            Table("By difficulty", ("", "texts", "macro-F1", "right"), _by_difficulty(cases)),
            Table("Worst confusions", ("it is", "said", "times"), tuple(worst_confusions(labels))),
            reliability_table("Confidence: does it mean what it says?", bins),
        ),
        heats=(Heat("Intent: what it is (rows), what was said", names, confusion(labels, names)),),
        curves=(reliability_curve("Intents: confidence", bins),),
        bars=(Bars("F1 of each intent", tuple((score.label, score.f1) for score in classes)),),
        wrong=tuple(Wrong(case.intent, case.said, case.confidence, case.text) for case in wrong),
    )


def measure(cases: Sequence[Case]) -> dict[str, float]:
    """Macro-F1 over the intents that are there, and the share that is right."""
    right = sum(case.right for case in cases) / len(cases) if cases else float("nan")
    return {"intent macro-F1": macro_f1(_labels(cases)), "intent right": right}


def _labels(cases: Sequence[Case]) -> Labels:
    return [(case.intent, case.said) for case in cases]


def _by_difficulty(cases: Sequence[Case]) -> tuple[tuple[str, int, float, float], ...]:
    groups = grouped(cases, lambda case: case.difficulty)
    return tuple((name, len(group), *measure(group).values()) for name, group in groups.items())  # type: ignore[misc]
