"""`python -m sms_gateway.triage.train [--cache FILE]`: fit the heads on `examples/*.jsonl`, write `weights.npz`.

scikit-learn is needed here only. Embeddings are kept in the cache file by text and model, so that a second run is
quick.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from texts.embedding import DIMENSIONS, embed
from texts.normalise import for_encoder
from texts.tuned import key

from . import features
from .classifier import (
    EXAMPLES,
    HEADS,
    WEIGHTS,
    Classifier,
    Head,
    Kernel,
    Matrix,
    Vocabulary,
    data_hash,
    grams,
    save,
    squares_of,
)
from .examples_file import Example, read
from .judgement import Harm, Lane
from .lexicon import load_lexicon

CACHE = Path("var") / "triage-embeddings.npz"
LINEAR = 4.0
DENSE_SHARE = 0.05
KERNEL = 3.0
GAMMA = 10.0
COMPONENTS = 128
GRAMS_SHARE = 1.0
LEXICON_SHARE = 0.5
VECTOR_SHARE = 0.3
"""Chosen by measurement (DECISIONS.md): inverse regularisation of the heads, scale of the dense row beside the
characters in them; inverse regularisation of the kernel, its width in units of 1/384, how many of the rows' widest directions it
sees, the weight of the characters in it; the scale of the lexicon's columns and of the vector's: the encoder was tuned on these very examples, so it looks
surer of them than it is of new texts, and is given less weight."""


def joined(example: Example) -> str:
    """The text with what came before it, as `Triage.judge` joins them."""
    return "，".join((*example.earlier, example.text))


def vectors(texts: Sequence[str], cache: Path | None = CACHE) -> Matrix:
    """Embeddings of `texts`, shape (n, 384), from the cache where it knows them."""
    known: dict[str, NDArray[Any]] = {}
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    keys = [key(for_encoder(text)) for text in texts]
    fresh = False
    for place, text in zip(keys, texts, strict=True):
        if place not in known:
            known[place], fresh = embed(text), True
    if cache is not None and fresh:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, allow_pickle=False, keys=np.array(list(known)), vectors=np.asarray(list(known.values())))
    return np.asarray([known[place] for place in keys], dtype=np.float32)


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


Held = tuple[Sequence[Example], Matrix]
"""Examples and their rows that neither encoder nor heads have learned from."""


def fit(examples: Sequence[Example], table: Matrix, *, held: Held | None = None) -> Classifier:
    """All heads, fitted on `table` (one row an example); the last layer on the votes about `held`, else about folds."""
    from sklearn.linear_model import LogisticRegression

    views = _views(examples)
    lanes = _lanes(examples)
    vocabulary, lane, kernel = _fit_lane(views, table, lanes)
    if held is None:
        votes, truth = _folded(views, table, lanes), lanes
    else:
        part = vocabulary, lane, kernel
        votes = np.asarray([_votes(part, row, view) for row, view in zip(held[1], _views(held[0]), strict=True)])
        truth = _lanes(held[0])
    last = LogisticRegression(C=0.3, max_iter=2000).fit(votes, truth)
    heads = {"lane": lane}
    for name in HEADS[1:]:
        chosen = [i for i, example in enumerate(examples) if _asked(name, example)]
        labels = np.array([LABELS[name](examples[i]) for i in chosen])
        heads[name] = _fit_head(_sparse(vocabulary, [views[i] for i in chosen]), table[chosen], labels)
    return Classifier(heads, vocabulary, kernel, _single(last.coef_.T), _single(last.intercept_))


Part = tuple[Vocabulary, Head, Kernel]


def _views(examples: Sequence[Example]) -> list[str]:
    return [load_lexicon().find(joined(example)).view for example in examples]


def _lanes(examples: Sequence[Example]) -> NDArray[np.str_]:
    return np.array([LABELS["lane"](example) for example in examples])


def _folded(views: Sequence[str], table: Matrix, lanes: NDArray[np.str_], folds: int = 5) -> Matrix:
    """Votes about each example by heads fitted on the other folds, shape (n, 6)."""
    from sklearn.model_selection import StratifiedKFold

    votes = np.zeros((len(views), 6), dtype=np.float32)
    for learn, held in StratifiedKFold(folds, shuffle=True, random_state=11).split(table, lanes):
        part = _fit_lane([views[i] for i in learn], table[learn], lanes[learn])
        votes[held] = [_votes(part, table[i], views[i]) for i in held]
    return votes


def _fit_lane(views: Sequence[str], table: Matrix, lanes: NDArray[np.str_]) -> Part:
    vocabulary = _fit_vocabulary(views)
    characters = _sparse(vocabulary, views)
    return vocabulary, _fit_head(characters, table, lanes), _fit_kernel(characters, table, lanes)


def _votes(part: Part, row: Matrix, view: str) -> Matrix:
    vocabulary, head, kernel = part
    places, weighed = vocabulary.weigh(view)
    return np.concatenate([head.odds(row, places, weighed), kernel.votes(row, places, weighed)])


def _fit_vocabulary(views: Sequence[str]) -> Vocabulary:
    """Runs of characters that stand in at least two texts."""
    texts_with: Counter[str] = Counter(run for view in views for run in grams(view))
    known = sorted(run for run, count in texts_with.items() if count > 1)
    idf = [1 + np.log((1 + len(views)) / (1 + texts_with[run])) for run in known]
    return Vocabulary({run: column for column, run in enumerate(known)}, _single(idf))


def _sparse(vocabulary: Vocabulary, views: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    weighed = [vocabulary.weigh(view) for view in views]
    starts = np.cumsum([0, *(len(places) for places, _ in weighed)])
    places = np.concatenate([places for places, _ in weighed])
    weights = np.concatenate([weights for _, weights in weighed])
    return csr_matrix((weights, places, starts), shape=(len(views), len(vocabulary.columns)))


def _scaling(table: Matrix) -> tuple[Matrix, Matrix]:
    mean, scale = table.mean(axis=0), table.std(axis=0)
    scale = np.where(scale < 1e-3, 1.0, scale).astype(np.float32)
    scale[DIMENSIONS:] /= LEXICON_SHARE
    scale[:DIMENSIONS] /= VECTOR_SHARE
    return mean, scale


def _single(values: Any) -> Matrix:
    return np.asarray(values, dtype=np.float32)


def _fit_head(characters: Any, table: Matrix, labels: NDArray[np.str_]) -> Head:
    """One multinomial logistic regression on characters and standardised columns, the scaling folded in."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    mean, scale = _scaling(table)
    both = hstack([csr_matrix((table - mean) / scale * DENSE_SHARE), characters]).tocsr()
    model = LogisticRegression(C=LINEAR, max_iter=2000).fit(both, labels)
    columns = table.shape[1]
    weights = model.coef_.T[:columns] * DENSE_SHARE / scale[:, None]
    parts = (weights, model.coef_.T[columns:], model.intercept_ - mean @ weights)
    return Head(tuple(map(str, model.classes_)), *(_both_sides(part, len(model.classes_)) for part in parts))


def _both_sides(part: NDArray[Any], labels: int) -> Matrix:
    """sklearn keeps one column of two labels: the other is zero."""
    return _single(np.concatenate([np.zeros_like(part), part], axis=-1) if labels == 2 else part)


def _widest(scaled: Matrix) -> Matrix:
    """The directions in which the rows differ most, shape (columns, COMPONENTS), each of length one."""
    _, directions = np.linalg.eigh(scaled.T @ scaled)
    return _single(directions[:, ::-1][:, :COMPONENTS])


def _fit_kernel(characters: Any, table: Matrix, lanes: NDArray[np.str_]) -> Kernel:
    """One support vector machine for each pair of the three lanes; its kernel adds rows' nearness and characters."""
    from sklearn.svm import SVC

    mean, scale = _scaling(table)
    axes = _widest((table - mean) / scale) / scale[:, None]
    scaled = (table - mean) @ axes
    gamma = GAMMA / DIMENSIONS
    squares = squares_of(scaled)
    near = np.exp(-gamma * (squares[:, None] + squares[None, :] - 2 * scaled @ scaled.T))
    model = SVC(C=KERNEL, kernel="precomputed").fit(near + GRAMS_SHARE * (characters @ characters.T).toarray(), lanes)
    weights = np.zeros((len(model.support_), 3), dtype=np.float32)
    ends = np.cumsum(model.n_support_)
    starts = ends - model.n_support_
    for column, (one, other) in enumerate(((0, 1), (0, 2), (1, 2))):
        weights[starts[one] : ends[one], column] = model.dual_coef_[other - 1, starts[one] : ends[one]]
        weights[starts[other] : ends[other], column] = model.dual_coef_[one, starts[other] : ends[other]]
    vectors = _single(scaled[model.support_].astype(np.float16))
    by_characters = _single(GRAMS_SHARE * (characters[model.support_].T @ weights))
    return Kernel(mean, axes, vectors, squares_of(vectors), weights, by_characters, _single(model.intercept_), gamma)


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
    parser.add_argument("--calibrate", type=Path, nargs="*", default=[], help="labelled files nothing has learned from")
    given = parser.parse_args()
    made_from, examples = data_hash(), read_all()
    new = [example for path in given.calibrate for example in read(path)]
    held = (new, rows(new, given.cache)) if new else None
    save(fit(examples, rows(examples, given.cache), held=held), WEIGHTS, made_from=made_from)
    sys.stdout.write(f"{len(examples)} examples -> {WEIGHTS.name}" + "\n")


if __name__ == "__main__":
    main()
