"""Makes `data/category-weights.npz` anew after words or examples of a category changed: `python -m sms_gateway.departments.learning`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from .categories import load
from .units import DATA

FILE = DATA / "category-weights.npz"
EXAMPLES = DATA / "category-examples.jsonl"
EXAMPLE_WEIGHT = 2.0
"""A sentence as people write it counts twice a phrase."""
STRENGTH = 3.0
"""Inverse of the penalty of the logistic regression; 3, 10 and 30 differ by less than the noise (DECISIONS, Casework)."""


def lessons() -> Iterator[tuple[str, str, float]]:
    """(category, text, weight): each name and phrase of categories.yml, then each example."""
    for category in load().categories.values():
        for phrase in (*category.words, category.name):
            yield category.code, phrase, 1.0
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        example = json.loads(line)
        yield example["category"], example["text"], EXAMPLE_WEIGHT


def told_by() -> str:
    """Fingerprint of all that is learned from; stored with the weights, so that a test sees old ones."""
    return sha256("\n".join(f"{code} {text} {weight}" for code, text, weight in lessons()).encode()).hexdigest()


@cache
def weights() -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32]]:
    """Codes (55), weights (55 × 384) and bias (55) as stored."""
    stored = np.load(FILE, allow_pickle=False)
    codes = tuple(str(code) for code in stored["codes"])
    return codes, stored["weights"].astype(np.float32), stored["bias"].astype(np.float32)


def make() -> None:
    """Embed every lesson, fit a logistic regression, store it as float16. Takes about 20 seconds."""
    from sklearn.linear_model import LogisticRegression

    from texts.embedding import embed

    codes, texts, weight = zip(*lessons(), strict=True)
    fitted = LogisticRegression(C=STRENGTH, max_iter=2000).fit(
        np.stack([embed(text) for text in texts]), codes, sample_weight=weight
    )
    np.savez(
        FILE,
        codes=fitted.classes_.astype(str),
        weights=fitted.coef_.astype("<f2"),
        bias=fitted.intercept_.astype("<f2"),
        told_by=np.array(told_by()),
    )


if __name__ == "__main__":
    make()
