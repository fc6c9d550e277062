"""Development texts that stand too near a training text: they would measure memory, not understanding.

Two ways: by letters (normalised edit similarity) and by meaning (cosine of centred vectors of the shipped encoder).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from policy_faq.entry import load_entries
from policy_faq.outside import load_outside
from sms_gateway.settings import ROOT
from sms_gateway.triage.train import read_all
from texts.normalise import normalise

from . import faq, intents, triage
from .findings import Part, Table, Wrong
from .vectors import vectors

LETTERS = 0.9
MEANING = 0.9
_ROWS = 200

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Near:
    """A development text and the training text nearest to it; nearness 0-1."""

    text: str
    other: str
    nearness: float


def training_texts() -> list[str]:
    """Every text that anything is trained on: triage examples, NLU examples, the handbook's wordings, outside texts."""
    found = [example.text for example in read_all()]
    for path in sorted((ROOT / "bot" / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = str(block.get("examples", "")).splitlines()
            found += [line.strip()[2:].strip() for line in lines if line.strip().startswith("- ")]
    found += [wording for entry in load_entries() for wording in entry.wordings]
    found += [*load_outside(), *texts_of(ROOT / "policy_faq" / "questions.jsonl")]
    return list(dict.fromkeys(found))


def texts_of(file: Path) -> Iterator[str]:
    """The texts of a file of JSON lines; none when it is not there."""
    if file.is_file():
        yield from (json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def nearest_by_letters(texts: Sequence[str], others: Sequence[str]) -> list[Near]:
    """For each text the training text of the smallest edit distance, in the form that words are looked for in."""
    plain = [normalise(text) for text in others]
    found = []
    for start in range(0, len(texts), _ROWS):
        part = texts[start : start + _ROWS]
        table = process.cdist([normalise(text) for text in part], plain, scorer=fuzz.ratio, dtype=np.uint8)
        best = table.argmax(axis=1)
        found += [Near(text, others[i], int(row[i]) / 100) for text, i, row in zip(part, best, table, strict=True)]
    return found


def nearest_by_meaning(texts: Sequence[str], others: Sequence[str], one: Matrix, two: Matrix) -> list[Near]:
    """For each text (vectors `one`) the nearest training text (vectors `two`): what all have in common, taken away."""
    middle = two.mean(axis=0)
    here, there = _centred(one, middle), _centred(two, middle)
    found = []
    for start in range(0, len(texts), _ROWS):
        table = here[start : start + _ROWS] @ there.T
        best = table.argmax(axis=1)
        part = texts[start : start + _ROWS]
        found += [Near(text, others[i], float(row[i])) for text, i, row in zip(part, best, table, strict=True)]
    return found


def _centred(rows: Matrix, middle: Matrix) -> Matrix:
    moved = rows - middle
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def examine() -> Part:
    """Every development text against every training text."""
    others = training_texts()
    there = vectors(others, "shipped")
    rows: list[tuple[str | int, ...]] = []
    near: list[Wrong] = []
    for file in (*triage.FILES, *intents.FILES, *faq.FILES):
        if texts := list(texts_of(file)):
            letters = nearest_by_letters(texts, others)
            meaning = nearest_by_meaning(texts, others, vectors(texts, "shipped"), there)
            rows.append(_row(file, letters, meaning))
            near += _found(letters, meaning, file.stem)
    columns = ("set", "texts", "the same", f"letters ≥ {LETTERS}", f"meaning ≥ {MEANING}", "either")
    note = f"Against {len(others)} training texts. `--only duplicates --show` lists them."
    return Part(
        name="duplicates",
        title="Near duplicates of training texts",
        count=sum(int(row[1]) for row in rows),
        tables=(Table("Development texts near a training text", columns, tuple(rows), note),),
        wrong=tuple(near),
    )


def _row(file: Path, letters: list[Near], meaning: list[Near]) -> tuple[str | int, ...]:
    by_letters = [near.nearness >= LETTERS for near in letters]
    by_meaning = [near.nearness >= MEANING for near in meaning]
    either = sum(one or two for one, two in zip(by_letters, by_meaning, strict=True))
    same = sum(near.nearness >= 1 for near in letters)
    return (file.stem, len(letters), same, sum(by_letters), sum(by_meaning), either)


def _found(letters: list[Near], meaning: list[Near], name: str) -> Iterator[Wrong]:
    for one, two in zip(letters, meaning, strict=True):
        if one.nearness >= LETTERS:
            yield Wrong(name, "letters", one.nearness, f"{one.text} ~ {one.other}")
        elif two.nearness >= MEANING:
            yield Wrong(name, "meaning", two.nearness, f"{two.text} ~ {two.other}")
