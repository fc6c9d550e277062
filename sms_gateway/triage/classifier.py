"""The small classifier: linear heads on the e5 vector and the lexicon's features, weights in `weights.npz`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import features

Matrix = NDArray[np.float32]
_HERE = Path(__file__).parent
WEIGHTS = _HERE / "weights.npz"
EXAMPLES = _HERE / "examples"
HEADS = ("lane", "type", "immediacy", "writer", "sexual", "hurt", "disaster")


class WeightsAreStale(RuntimeError):
    """The weights were made for another lexicon; `python -m sms_gateway.triage.train` makes them anew."""


def data_hash() -> str:
    """SHA-256 over all training examples and the lexicon: what the weights were made from."""
    digest = hashlib.sha256()
    for path in (*sorted(EXAMPLES.glob("*.jsonl")), _HERE / "lexicon.yml", _HERE / "traditional.txt"):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """One question: `labels` of its answers, weights (n features, n labels), bias (n labels)."""

    labels: tuple[str, ...]
    weights: Matrix
    bias: Matrix

    def answer(self, row: Matrix) -> dict[str, float]:
        """Probability of each label."""
        scores = row @ self.weights + self.bias
        scores = np.exp(scores - scores.max())
        return dict(zip(self.labels, (scores / scores.sum()).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Classifier:
    """All heads; `answer` takes one row of features, shape (384 + len(features.names()),)."""

    heads: dict[str, Head]

    def answer(self, row: Matrix) -> dict[str, dict[str, float]]:
        """Probabilities by head and label."""
        return {name: head.answer(row) for name, head in self.heads.items()}


def save(classifier: Classifier, path: Path, *, made_from: str) -> None:
    """Write the weights as a plain .npz (no pickles)."""
    arrays: dict[str, NDArray[np.generic]] = {
        "data_sha256": np.array(made_from),
        "features": np.array(features.names()),
    }
    for name, head in classifier.heads.items():
        arrays[f"{name}.labels"] = np.array(head.labels)
        arrays[f"{name}.weights"] = head.weights.astype(np.float32)
        arrays[f"{name}.bias"] = head.bias.astype(np.float32)
    np.savez_compressed(path, allow_pickle=False, **arrays)


@lru_cache(maxsize=1)
def load_classifier(path: Path = WEIGHTS) -> Classifier:
    """The committed weights; raises WeightsAreStale when the lexicon has other features than they know."""
    with np.load(path, allow_pickle=False) as stored:
        if tuple(stored["features"].tolist()) != features.names():
            raise WeightsAreStale("triage weights do not match lexicon.yml: run python -m sms_gateway.triage.train")
        heads = {
            name: Head(
                tuple(stored[f"{name}.labels"].tolist()),
                np.asarray(stored[f"{name}.weights"], dtype=np.float32),
                np.asarray(stored[f"{name}.bias"], dtype=np.float32),
            )
            for name in HEADS
        }
    return Classifier(heads)


def stored_hash(path: Path = WEIGHTS) -> str:
    """The SHA-256 of the data that the committed weights were made from."""
    with np.load(path, allow_pickle=False) as stored:
        return str(stored["data_sha256"])
