"""Finding by the letters: BM25 over runs of one and two characters of everything an entry says, its wordings, its
short and its long answer. Needs no word list and forgives typos."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .speech import levelled, levelled_question

Vector = NDArray[np.float32]
_SATURATION = 1.2
_LENGTH = 0.5
_PRIOR = 2.0
"""Weight added to every question's, so that a question of one rare letter does not look like a sure hit."""


def grams(plain: str) -> Counter[str]:
    """Runs of 1 and 2 characters of a levelled text."""
    return Counter(plain[at : at + size] for size in (1, 2) for at in range(len(plain) - size + 1))


def _bag(parts: Sequence[str]) -> Counter[str]:
    bag: Counter[str] = Counter()
    for part in parts:
        bag.update(grams(levelled(part)))
    return bag


@dataclass(frozen=True)
class Match:
    """How a question fits each document: `scores` of shape (documents,), about 0-2; `known`, 0-1, the share of the
    question's weight that any document contains at all."""

    scores: Vector
    known: float


class LetterIndex:
    """An inverted index; immutable once built. One document an entry, given as its parts."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._count = len(documents)
        bags = [_bag(parts) for parts in documents]
        seen = Counter(gram for bag in bags for gram in bag)
        self._idf = {gram: math.log((self._count - n + 0.5) / (n + 0.5) + 1) for gram, n in seen.items()}
        self._unseen = math.log((self._count + 0.5) / 0.5 + 1)
        lengths = [bag.total() for bag in bags]
        mean = sum(lengths) / max(self._count, 1) or 1.0
        postings: dict[str, tuple[list[int], list[float]]] = {gram: ([], []) for gram in seen}
        for row, (bag, length) in enumerate(zip(bags, lengths, strict=True)):
            damping = _SATURATION * (1 - _LENGTH + _LENGTH * length / mean)
            for gram, n in bag.items():
                postings[gram][0].append(row)
                postings[gram][1].append(n * (_SATURATION + 1) / (n + damping))
        self._postings = {
            gram: (np.asarray(rows), np.asarray(weights, dtype=np.float32))
            for gram, (rows, weights) in postings.items()
        }

    def match(self, text: str) -> Match:
        """The fit of a question; all zeros for one without letters."""
        scores = np.zeros(self._count, dtype=np.float32)
        known = total = 0.0
        for gram in grams(levelled_question(text)):
            posting = self._postings.get(gram)
            idf = self._idf.get(gram, self._unseen)
            total += idf
            if posting is not None:
                known += idf
                scores[posting[0]] += np.float32(idf) * posting[1]
        return Match(scores / np.float32(total + _PRIOR), known / total if total else 0.0)
