"""Run by hand: choose the weights of the search by measurement, and say how good it is.

    python -m policy_faq.calibrate            # measure what is there
    python -m policy_faq.calibrate --write    # choose anew, write weights.json

The encoder was tuned on the entries' wordings, so they say nothing any more about how near a new question comes:
fusion and logistic learn from texts it has not seen, the development set and any file given with `--fit`; so do the
thresholds. What is reported is how a file given with `--test` is answered, which nothing was chosen on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from .entry import load_entries
from .handbook import WEIGHTS, Answer, Handbook
from .passages import vectors
from .ranking import FEATURES, PARTS, Fit, Vector, Weights, features

DEVELOPMENT = Path(__file__).parent / "development.jsonl"
RIDGE = 0.01
ABSTAIN_SHARE, QUIET_SHARE = 0.95, 0.9
"""Shares of the unanswerable development texts that must not be answered, and not even asked back about."""
START = Weights((1.0,) * len(PARTS), 0.0, (0.0,) * len(FEATURES), 0.5, 0.35)


@dataclass(frozen=True)
class Case:
    """A text of the development set; `entries`: the ids that answer it, none for an unanswerable one."""

    text: str
    entries: tuple[str, ...]
    kind: str


def load_cases(path: Path = DEVELOPMENT) -> tuple[Case, ...]:
    """The development set: one JSON object a line with `text`, `entries` and `kind`."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return tuple(Case(row["text"], tuple(row["entries"]), row["kind"]) for row in rows)


@dataclass(frozen=True)
class Trial:
    """One text asked of a part of the book: its fit, the right entry's place in it (None: it is not there)."""

    fit: Fit
    right: int | None


def trials(handbook: Handbook, cases: Sequence[Case], cache: Path | None) -> list[Trial]:
    """Each case asked of the whole book; of several right entries, the one that ranks first counts."""
    found = []
    for case, vector in zip(cases, vectors([case.text for case in cases], _beside(cache)), strict=True):
        fit = handbook.fit(case.text, vector)
        order = [handbook.entries[int(index)].id for index in fit.order]
        ranks = [order.index(entry) for entry in case.entries if entry in order]
        found.append(Trial(fit, int(fit.order[min(ranks)]) if ranks else None))
    return found


def _beside(cache: Path | None) -> Path | None:
    return cache.with_suffix(".cases.npz") if cache else None


def choose_fusion(asked: Sequence[Trial]) -> Weights:
    """The weights of the parts by softmax regression: the right entry's share of the cases that have one."""
    from scipy.optimize import minimize

    known = [trial for trial in asked if trial.right is not None]
    parts = np.stack([trial.fit.parts for trial in known]).astype(np.float64)
    right = np.asarray([trial.right for trial in known])
    rows = np.arange(len(right))
    scale = parts.std(axis=(0, 1))
    parts = parts / scale

    def loss(weights: Vector) -> tuple[float, Vector]:
        fused = parts @ weights
        shares = np.exp(fused - fused.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        missed = shares.copy()
        missed[rows, right] -= 1
        slope = np.einsum("ne,nek->k", missed, parts) / len(rows) + 2 * RIDGE * weights
        return float(-np.log(shares[rows, right] + 1e-12).mean() + RIDGE * weights @ weights), slope

    found = minimize(loss, np.full(len(PARTS), 0.5), jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(PARTS))
    for name, part in zip(PARTS, np.moveaxis(parts, 2, 0), strict=True):
        print(f"{name} alone: right entry first in {float((part.argmax(axis=1) == right).mean()):.3f}")
    print(f"fused: {float(((parts @ found.x).argmax(axis=1) == right).mean()):.3f} with {np.round(found.x, 2)}")
    return replace(START, parts=tuple(round(float(value), 4) for value in found.x / scale))


def fit_probability(asked: Sequence[Trial], weights: Weights) -> Weights:
    """The logistic over the best entry's features: right or not."""
    from sklearn.linear_model import LogisticRegression

    rows = np.stack([features(trial.fit) for trial in asked])
    right = np.asarray([trial.right is not None and trial.fit.order[0] == trial.right for trial in asked])
    scale = rows.std(axis=0) + 1e-6
    model = LogisticRegression(C=0.3, max_iter=2000, class_weight="balanced").fit(rows / scale, right)
    coefficients = tuple(round(float(value), 4) for value in model.coef_[0] / scale)
    print("logistic:", dict(zip(FEATURES, coefficients, strict=True)))
    return replace(weights, intercept=round(float(model.intercept_[0]), 4), coefficients=coefficients)


@dataclass(frozen=True)
class Result:
    """How one development text was answered."""

    case: Case
    answer: Answer
    first: str
    """The best entry, answered with or not."""

    @property
    def right(self) -> bool:
        return self.answer.entry_id in self.case.entries


def ask(handbook: Handbook, cases: Sequence[Case], cache: Path | None = None) -> list[Result]:
    """The handbook's answers to the cases; `cache` keeps their vectors beside the book's."""
    results = []
    for case, vector in zip(cases, vectors([case.text for case in cases], _beside(cache)), strict=True):
        first = handbook.search(case.text, 1, vector)[0].entry.id
        results.append(Result(case, handbook.answer(case.text, vector), first))
    return results


def measures(results: Sequence[Result]) -> dict[str, float]:
    """The measures of issue 3: `recall` (right answer among answerable), `abstains` (among unanswerable),
    `false_abstention`, and beside them `wrong` (answered, but not rightly) and `first` (right entry ranked first)."""
    known = [result for result in results if result.case.entries]
    unknown = [result for result in results if not result.case.entries]
    return {
        "recall": _share(result.right for result in known),
        "abstains": _share(result.answer.abstained for result in unknown),
        "false_abstention": _share(result.answer.abstained for result in known),
        "wrong": _share(not result.right and not result.answer.abstained for result in known),
        "first": _share(result.first in result.case.entries for result in known),
    }


def _share(flags: Iterator[bool] | Sequence[bool]) -> float:
    values = list(flags)
    return round(sum(values) / max(len(values), 1), 4)


def choose_thresholds(weights: Weights, cases: Sequence[Case], cache: Path | None) -> Weights:
    """The lowest answering threshold at which the wanted share of unanswerable texts is abstained from; clarifying
    begins where the wanted share of them is not even asked about."""
    handbook = Handbook(load_entries(), cache=cache, weights=replace(weights, answer_from=0.0, clarify_from=0.0))
    results = ask(handbook, cases, cache)
    scores = sorted(
        0.0 if result.answer.abstained else result.answer.score for result in results if not result.case.entries
    )

    def above(share: float) -> float:
        return round(scores[min(int(share * len(scores)), len(scores) - 1)] + 0.005, 3)

    for threshold in np.arange(0.1, 0.9, 0.05):
        tried = [_at(result, float(threshold)) for result in results]
        print(f"answering from {threshold:.2f}: {measures(tried)}")
    return replace(weights, answer_from=above(ABSTAIN_SHARE), clarify_from=above(QUIET_SHARE))


def _at(result: Result, threshold: float) -> Result:
    abstained = result.answer.abstained or result.answer.score < threshold
    answer = replace(result.answer, abstained=abstained, entry_id=None if abstained else result.answer.entry_id)
    return replace(result, answer=answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="choose the weights anew and write weights.json")
    parser.add_argument("--cache", type=Path, help="file of vectors kept between runs")
    parser.add_argument("--misses", action="store_true", help="print each development text that went wrong")
    parser.add_argument("--fit", type=Path, nargs="*", default=[], help="more files to learn from")
    parser.add_argument("--test", type=Path, nargs="*", default=[], help="files to report on only")
    options = parser.parse_args()
    learned = [case for path in (DEVELOPMENT, *options.fit) for case in load_cases(path)]
    weights = None
    if options.write:
        book = Handbook(load_entries(), cache=options.cache, weights=START)
        weights = choose_fusion(trials(book, learned, options.cache))
        book = Handbook(load_entries(), cache=options.cache, weights=weights)
        weights = fit_probability(trials(book, learned, options.cache), weights)
        weights = choose_thresholds(weights, learned, options.cache)
        WEIGHTS.write_text(json.dumps(asdict(weights), indent=2) + "\n", encoding="utf-8")
    book = Handbook(load_entries(), cache=options.cache, weights=weights)
    results = ask(book, learned, options.cache)
    print(f"{len(book.entries)} entries, {len(learned)} texts learned from: {measures(results)}")
    for path in options.test:
        tested = ask(book, load_cases(path), options.cache)
        print(f"{path.name}, {len(tested)} texts nothing was chosen on: {measures(tested)}")
        results += tested
    for result in results if options.misses else ():
        if not result.right and (result.case.entries or not result.answer.abstained):
            print(
                f"{result.answer.kind} {result.answer.score:.2f} {result.case.text} -> {result.first}, should be {result.case.entries}"
            )


if __name__ == "__main__":
    main()
