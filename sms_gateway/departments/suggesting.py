"""Which categories a person's words fit, best first: an aid for the operator, who decides. Pure, offline, the same every time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import NDArray

from texts.normalise import normalise

from .categories import load
from .learning import weights

LONGEST_READ = 2_000
PART_WEIGHT = 0.35
"""What two neighbouring characters count against a whole phrase."""
VECTOR_WEIGHT = 10.0
NAMES_SHOWN = 4
_HAN = re.compile("[\u4e00-\u9fff]{2}")


@dataclass(frozen=True)
class Suggestion:
    """`score` only orders; `because`: phrases found in the text, the weightiest first (none: it is only near in meaning)."""

    category: str
    name: str
    score: float
    because: tuple[str, ...]


@dataclass(frozen=True)
class _Index:
    phrases: Mapping[str, tuple[tuple[str, float], ...]]
    """By phrase: the categories that have it, with its weight."""
    by_first: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[tuple[str, float], ...]]
    """By two neighbouring characters."""


@cache
def _index() -> _Index:
    owners: dict[str, set[str]] = defaultdict(set)
    part_owners: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for category in load().categories.values():
        for phrase in category.words:
            owners[normalise(phrase)].add(category.code)
        for phrase in (*map(normalise, category.words), normalise(category.name)):
            for part in _parts(phrase):
                part_owners[part][category.code] += 1
    total = len(load().categories)
    phrases = {
        phrase: tuple((code, len(phrase) * log(1 + total / len(codes))) for code in sorted(codes))
        for phrase, codes in owners.items()
    }
    by_first: dict[str, list[str]] = defaultdict(list)
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)):
        by_first[phrase[0]].append(phrase)
    parts = {
        part: tuple((code, log(1 + total / len(codes)) * (1 + log(times))) for code, times in sorted(codes.items()))
        for part, codes in part_owners.items()
    }
    return _Index(phrases, {first: tuple(found) for first, found in by_first.items()}, parts)


def _parts(text: str) -> set[str]:
    return {pair for at in range(len(text) - 1) if _HAN.fullmatch(pair := text[at : at + 2])}


def suggest(
    words: str, vector: Sequence[float] | NDArray[np.float32] | None = None, *, limit: int = 5
) -> list[Suggestion]:
    """At most `limit` categories, the likeliest first; none for words that say nothing. Never raises on words.

    `vector`: the text's embedding (`texts.embedding.embed`, 384 numbers), if there is one.
    """
    text = normalise(words)[:LONGEST_READ]
    scores: dict[str, float] = defaultdict(float)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    index = _index()
    for phrase in _phrases_in(text, index):
        for code, weight in index.phrases[phrase]:
            scores[code] += weight
            found[code][phrase] = weight
    for part in _parts(text):
        for code, weight in index.parts.get(part, ()):
            scores[code] += PART_WEIGHT * weight
    if vector is not None:
        for code, nearness in _nearness(np.asarray(vector, dtype=np.float32)).items():
            scores[code] += VECTOR_WEIGHT * nearness
    ranked = sorted(scores, key=lambda code: (-scores[code], code))[:limit]
    categories = load().categories
    return [
        Suggestion(code, categories[code].name, round(scores[code], 3), _weightiest(found[code])) for code in ranked
    ]


def _weightiest(found: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda phrase: (-found[phrase], phrase))[:NAMES_SHOWN])


def _phrases_in(text: str, index: _Index) -> set[str]:
    return {
        phrase for at, sign in enumerate(text) for phrase in index.by_first.get(sign, ()) if text.startswith(phrase, at)
    }


def _nearness(vector: NDArray[np.float32]) -> dict[str, float]:
    """How much likelier than the middle one each category is by meaning, as log odds."""
    codes, directions, bias = weights()
    odds = directions @ vector + bias
    return {code: float(gain) for code, gain in zip(codes, odds - np.median(odds), strict=True)}
