"""The small classifier: one linear head for each question and a kernel for the lane, weights in `weights.npz`.

Every part reads the same row (e5 vector, then the lexicon's features) and the text's characters in ones, twos and
threes. For the lane, a last linear layer fitted on held-out folds weighs head and kernel and makes them
probabilities. numpy only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import features

Matrix = NDArray[np.float32]
_HERE = Path(__file__).parent
_TEXTS = _HERE.parents[1] / "texts"
WEIGHTS = _HERE / "weights.npz"
EXAMPLES = _HERE / "examples"
HEADS = ("lane", "type", "immediacy", "writer", "sexual", "hurt", "disaster")
_SEEN = 160
_ARRAYS = ("weights", "grams", "bias")


class WeightsAreStale(RuntimeError):
    """The weights were made for another lexicon; `python -m sms_gateway.triage.train` makes them anew."""


def data_hash() -> str:
    """SHA-256 over all training examples, the lexicon, the spellings and the tuned encoder: what the weights were made from."""
    digest = hashlib.sha256()
    for path in (
        *sorted(EXAMPLES.glob("*.jsonl")),
        _HERE / "lexicon.yml",
        *sorted(_TEXTS.glob("*.tsv")),
        _TEXTS / "tuned.npz",
    ):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def grams(view: str) -> Counter[str]:
    """Runs of one to three characters and how often they stand, in head and tail of a long text."""
    seen = view if len(view) <= _SEEN else view[: _SEEN // 2] + view[-_SEEN // 2 :]
    return Counter(seen[i : i + size] for size in (1, 2, 3) for i in range(len(seen) - size + 1))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Column and inverse document frequency of each known run of characters."""

    columns: dict[str, int]
    idf: Matrix

    def weigh(self, view: str) -> tuple[NDArray[np.intp], Matrix]:
        """Columns present in `view` and their weights, of length one together (empty where nothing is known)."""
        found = [(self.columns[run], count) for run, count in grams(view).items() if run in self.columns]
        places = np.array([column for column, _ in found], dtype=np.intp)
        counts = np.array([count for _, count in found], dtype=np.float32)
        if not found:
            return places, counts
        weights = (1 + np.log(counts)) * self.idf[places]
        return places, np.asarray(weights / np.linalg.norm(weights), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Head:
    """One question: `labels` of its answers, weights on the dense row and on the characters."""

    labels: tuple[str, ...]
    weights: Matrix
    grams: Matrix
    bias: Matrix

    def odds(self, row: Matrix, places: NDArray[np.intp], weighed: Matrix) -> Matrix:
        """Log odds, shape (n labels,); `places` and `weighed` from `Vocabulary.weigh`."""
        return np.asarray(row @ self.weights + weighed @ self.grams[places] + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Kernel:
    """Support vectors of the lane: exp(-gamma |x - v|²) @ weights + characters: one vote for each pair of lanes.

    x is the row on its `axes`, shape (len(row), components): the standardised columns' widest directions.
    """

    mean: Matrix
    axes: Matrix
    vectors: Matrix
    squares: Matrix
    weights: Matrix
    grams: Matrix
    bias: Matrix
    gamma: float

    def votes(self, row: Matrix, places: NDArray[np.intp], weighed: Matrix) -> Matrix:
        """Shape (3,)."""
        x = (row - self.mean) @ self.axes
        distance = self.squares - 2 * (self.vectors @ x) + x @ x
        near = np.exp(-self.gamma * distance) @ self.weights
        return np.asarray(near + weighed @ self.grams[places] + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Classifier:
    """All heads. `last` turns the votes for the lane, head then kernel, into log odds."""

    heads: dict[str, Head]
    vocabulary: Vocabulary
    kernel: Kernel
    last: Matrix
    last_bias: Matrix

    def answer(self, row: Matrix, view: str) -> dict[str, dict[str, float]]:
        """Probabilities by head and label; `row` has shape (384 + len(features.names()),), `view` is Finding.view."""
        places, weighed = self.vocabulary.weigh(view)
        answers = {}
        for name, head in self.heads.items():
            odds = head.odds(row, places, weighed)
            if name == "lane":
                votes = np.concatenate([odds, self.kernel.votes(row, places, weighed)])
                odds = np.asarray(votes @ self.last + self.last_bias, dtype=np.float32)
            answers[name] = dict(zip(head.labels, softmax(odds).tolist(), strict=True))
        return answers


def softmax(odds: Matrix) -> Matrix:
    """Probabilities of log odds."""
    powers = np.exp(odds - odds.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)


def save(classifier: Classifier, path: Path, *, made_from: str) -> None:
    """Write the weights as a plain .npz (no pickles); large parts as float16."""
    kernel, words = classifier.kernel, classifier.vocabulary
    arrays: dict[str, NDArray[np.generic]] = {
        "data_sha256": np.array(made_from),
        "features": np.array(features.names()),
        "vocabulary": np.array(list(words.columns)),
        "idf": words.idf.astype(np.float32),
        "last": classifier.last.astype(np.float32),
        "last_bias": classifier.last_bias.astype(np.float32),
        "kernel.mean": kernel.mean.astype(np.float32),
        "kernel.axes": kernel.axes.astype(np.float32),
        "kernel.vectors": kernel.vectors.astype(np.float16),
        "kernel.weights": kernel.weights.astype(np.float32),
        "kernel.grams": kernel.grams.astype(np.float16),
        "kernel.bias": kernel.bias.astype(np.float32),
        "kernel.gamma": np.array(kernel.gamma),
    }
    for name, head in classifier.heads.items():
        arrays[f"{name}.labels"] = np.array(head.labels)
        arrays[f"{name}.weights"] = head.weights.astype(np.float32)
        arrays[f"{name}.bias"] = head.bias.astype(np.float32)
        arrays[f"{name}.grams"] = head.grams.astype(np.float16)
    np.savez_compressed(path, allow_pickle=False, **arrays)


@lru_cache(maxsize=1)
def load_classifier(path: Path = WEIGHTS) -> Classifier:
    """The committed weights; raises WeightsAreStale when the lexicon has other features than they know."""
    with np.load(path, allow_pickle=False) as stored:
        if tuple(stored["features"].tolist()) != features.names():
            raise WeightsAreStale("triage weights do not match lexicon.yml: run python -m sms_gateway.triage.train")
        parts = {name: stored[name] for name in stored.files}

    def matrix(name: str) -> Matrix:
        return np.asarray(parts[name], dtype=np.float32)

    heads = {
        name: Head(tuple(parts[f"{name}.labels"].tolist()), *(matrix(f"{name}.{part}") for part in _ARRAYS))
        for name in HEADS
    }
    vectors = matrix("kernel.vectors")
    kernel = Kernel(
        mean=matrix("kernel.mean"),
        axes=matrix("kernel.axes"),
        vectors=vectors,
        squares=squares_of(vectors),
        weights=matrix("kernel.weights"),
        grams=matrix("kernel.grams"),
        bias=matrix("kernel.bias"),
        gamma=float(parts["kernel.gamma"]),
    )
    columns = {run: column for column, run in enumerate(parts["vocabulary"].tolist())}
    return Classifier(heads, Vocabulary(columns, matrix("idf")), kernel, matrix("last"), matrix("last_bias"))


def squares_of(vectors: Matrix) -> Matrix:
    """|v|² of each row."""
    return np.asarray((vectors * vectors).sum(axis=1), dtype=np.float32)


def stored_hash(path: Path = WEIGHTS) -> str:
    """The SHA-256 of the data that the committed weights were made from."""
    with np.load(path, allow_pickle=False) as stored:
        return str(stored["data_sha256"])
