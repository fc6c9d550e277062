"""Development texts that stand too near a training text: they would measure memory, not understanding.

Two ways: by letters (normalised edit similarity) and by meaning (cosine of centred vectors of the shipped encoder).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from . import faq, intents, triage
from .findings import Part, Table, Wrong
from .training import plain, texts_of, training_texts
from .vectors import vectors

LETTERS, MEANING = 0.9, 0.85
"""Chosen where nearness stops meaning a like subject and begins to mean the same text: a training text of another
label is no copy, and 3 of 931 intent texts reach 0.9 by letters with one, 4 reach 0.85 by meaning (of the same label
112 and 177); of 984 triage texts none (8 and 20). At 0.85 and 0.8 it would be 1 %."""
_ROWS = 200

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Near:
    """A development text and the training text nearest to it; nearness 0-1."""

    text: str
    other: str
    nearness: float


def nearest_by_letters(texts: Sequence[str], others: Sequence[str]) -> list[Near]:
    """For each text the training text of the smallest edit distance, in the form that words are looked for in."""
    choices = plain(tuple(others))
    found = []
    for start in range(0, len(texts), _ROWS):
        part = texts[start : start + _ROWS]
        table = process.cdist(plain(tuple(part)), choices, scorer=fuzz.ratio, dtype=np.uint8)
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
