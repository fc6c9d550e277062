"""How well each entry fits a text: nearness of meaning and of letters, fused into one number, and what tells a
good fit from a lucky one. Pure arithmetic on arrays; the weights come from `calibrate.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .entry import Entry
from .lexical import LetterIndex
from .speech import levelled, levelled_question

Vector = NDArray[np.float32]

PARTS = ("centre", "nearest", "answer", "body", "letters")
"""Nearness to the middle of an entry's wordings, to the nearest of them, to question and short answer, to the
beginning of the long answer, and of letters."""

FEATURES = (
    "share", "margin", "centre", "nearest", "answer", "body", "letters", "known", "outside", "gap", "inside", "agree",
)  # fmt: skip

SHRINK = 0.5
"""How far the spread within entries is levelled before it is divided out (chosen in `calibrate.py`)."""

GATE_RIDGE = 0.003

BODY = 150
"""Characters of the long answer that are embedded."""


@dataclass(frozen=True)
class Weights:
    """`parts` join the fits, `intercept` and `coefficients` turn the best entry's features into the probability that
    it is right; at `answer_from` it is said, from `clarify_from` on the two best are named."""

    parts: tuple[float, ...]
    intercept: float
    coefficients: tuple[float, ...]
    answer_from: float
    clarify_from: float


@dataclass(frozen=True)
class Vectors:
    """What the ranking is built from, unit rows of float32[384]: every wording (entry by entry), every entry's
    question with its short answer, every entry's long answer, every outside text."""

    wordings: Vector
    answers: Vector
    bodies: Vector
    outside: Vector


@dataclass(frozen=True)
class Fit:
    """One text against all entries. `parts`: shape (entries, PARTS); `fused`, `shares`: shape (entries,), the latter
    adding up to 1; `outside`: nearness to the nearest outside texts; `inside`: how much the text looks like a question
    to a handbook at all, about -1 to 1; `exact`: the entry that has this very wording."""

    parts: Vector
    fused: Vector
    shares: Vector
    known: float
    outside: float
    inside: float
    exact: int | None

    @property
    def order(self) -> NDArray[np.intp]:
        """Entries from the best fit to the worst."""
        return np.argsort(-self.fused)


class Ranking:
    """The index over one set of entries; immutable."""

    def __init__(self, entries: Sequence[Entry], vectors: Vectors, weights: Weights) -> None:
        self._weights = np.asarray(weights.parts, dtype=np.float32)
        owner = np.repeat(np.arange(len(entries)), [len(entry.wordings) for entry in entries])
        self._starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        self._mean, self._spread = _whitening(vectors.wordings, owner, self._starts)
        self._rows = self._project(vectors.wordings)
        self._centres = _unit(np.add.reduceat(self._rows, self._starts, axis=0))
        self._answers = self._project(vectors.answers, vectors.answers.mean(axis=0))
        self._bodies = self._project(vectors.bodies, vectors.bodies.mean(axis=0))
        self._outside = self._project(vectors.outside)
        self._gate = _gate(self._rows, self._outside)
        self._letters = LetterIndex([(*entry.wordings, entry.short, entry.long) for entry in entries])
        self._exact = {levelled(text): place for place, entry in enumerate(entries) for text in entry.wordings}

    def _project(self, vectors: Vector, mean: Vector | None = None) -> Vector:
        """Unit vectors in the space where the wordings of one entry lie close together."""
        return _unit(_product(vectors - (self._mean if mean is None else mean), self._spread))

    def fit(self, text: str, vector: Vector) -> Fit:
        """How each entry fits the text with its query vector."""
        query = self._project(vector[None, :])[0]
        match = self._letters.match(text)
        parts = np.stack(
            [
                _product(self._centres, query),
                np.maximum.reduceat(_product(self._rows, query), self._starts),
                _product(self._answers, query),
                _product(self._bodies, query),
                match.scores,
            ],
            axis=1,
        )
        fused = (parts * self._weights).sum(axis=1)  # not `@`: BLAS raises false floating point alarms on thin arrays
        shares = np.exp(fused - fused.max())
        outside = float(np.sort(_product(self._outside, query))[-3:].mean()) if len(self._outside) else -1.0
        inside = float((query * self._gate[:-1]).sum() + self._gate[-1])
        exact = self._exact.get(levelled_question(text))
        return Fit(parts, fused, shares / shares.sum(), match.known, outside, inside, exact)


def features(fit: Fit) -> Vector:
    """What is known about the best entry of a fit, in the order of `FEATURES`."""
    best, second = _best_two(fit.fused)
    centre, nearest, answer, body, letters = fit.parts[best]
    return np.asarray(
        [
            fit.shares[best],
            fit.fused[best] - fit.fused[second],
            centre,
            nearest,
            answer,
            body,
            letters,
            fit.known,
            fit.outside,
            fit.outside - nearest,
            fit.inside,
            float((fit.parts.argmax(axis=0) == best).mean()),
        ],
        dtype=np.float32,
    )


def probability(fit: Fit, weights: Weights) -> float:
    """How sure it is, 0-1, that the best entry of the fit is the right one."""
    return float(1 / (1 + np.exp(-(weights.intercept + (features(fit) * np.asarray(weights.coefficients)).sum()))))


def _best_two(fused: Vector) -> tuple[int, int]:
    order = np.argsort(-fused)
    return int(order[0]), int(order[min(1, len(order) - 1)])


def _whitening(vectors: Vector, owner: NDArray[np.intp], starts: NDArray[np.intp]) -> tuple[Vector, Vector]:
    """Mean, and the matrix that shrinks the directions in which the wordings of one entry differ anyway."""
    mean = vectors.mean(axis=0)
    counts = np.diff(np.r_[starts, len(vectors)])
    means = np.add.reduceat(vectors, starts, axis=0) / counts[:, None]
    within = (vectors - means[owner]).astype(np.float64)
    with np.errstate(all="ignore"):
        covariance = within.T @ within / max(len(within), 1)
    level = float(np.trace(covariance)) / len(covariance) or 1.0
    values, basis = np.linalg.eigh((1 - SHRINK) * covariance + SHRINK * level * np.eye(len(covariance)))
    return mean, (basis / np.sqrt(values)).astype(np.float32)


def _gate(rows: Vector, outside: Vector) -> Vector:
    """Ridge regression that tells wordings (1) from outside texts (-1), both weighing the same; the last weight is
    the constant. Without outside texts everything is inside."""
    if not len(outside):
        return np.append(np.zeros(rows.shape[1], dtype=np.float32), np.float32(1))
    sides = [np.c_[part, np.ones(len(part))].astype(np.float64) / np.sqrt(len(part)) for part in (rows, outside)]
    every = np.concatenate(sides)
    goal = np.r_[np.full(len(rows), 1 / np.sqrt(len(rows))), np.full(len(outside), -1 / np.sqrt(len(outside)))]
    ridge = GATE_RIDGE * np.eye(every.shape[1])
    with np.errstate(all="ignore"):
        return np.linalg.solve(every.T @ every + ridge, every.T @ goal).astype(np.float32)


def _product(left: Vector, right: Vector) -> Vector:
    """`left @ right`, deaf to the false alarms some BLAS kernels raise on good numbers."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return np.asarray(left @ right, dtype=np.float32)


def _unit(rows: Vector) -> Vector:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), dtype=np.float32)
