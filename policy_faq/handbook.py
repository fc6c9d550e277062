"""The handbook itself: a question in, a sourced short answer, one clarifying question, or an honest "not sure" out."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from texts.embedding import embed

from .entry import Entry, check_together, load_entries
from .outside import load_outside
from .passages import book_vectors
from .past_review import short_answer
from .places import asks_elsewhere, asks_figure
from .plea import is_plea, is_statement
from .ranking import PARTS, Fit, Ranking, Vector, Weights, probability

WEIGHTS = Path(__file__).parent / "weights.json"

EXACT = 0.98
"""The score of a text that is an entry's own wording: what people copy out of a clarifying reply."""

LOCAL_FIGURES = ("orphans", "unattended", "assistance", "left-behind", "education", "medical", "institutions")
"""Topics whose amounts and counts differ from province to province even where the rule is national."""

NOT_SURE = "这个我不确定，不敢乱说。换个说法再问一次也行；想让真人答，回0。有危险别等，打110。"
ELSEWHERE = "外省的规定我不确定，不敢乱说。请打当地区号加12345问；想让这边的真人帮忙，回0。有危险打110。"


@dataclass(frozen=True)
class Choice:
    """One of the two entries a clarifying reply names."""

    entry_id: str
    question: str


@dataclass(frozen=True)
class Answer:
    """What is said to a question. `text` carries no signature; `score` is the probability that the best entry is
    right; `entry_id` and `long` are given with `kind="answer"` only, `choices` with `kind="clarify"` only."""

    text: str
    entry_id: str | None
    score: float
    abstained: bool
    kind: Literal["answer", "clarify", "abstain"]
    choices: tuple[Choice, ...] = ()
    long: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One line of `search`: `score` is the entry's share among all entries (0-1, not the answer's probability),
    `parts` the nearness by each of `ranking.PARTS`."""

    entry: Entry
    score: float
    parts: dict[str, float]


class Handbook:
    """A fixed set of entries with their index. To change an entry build a new one and swap it whole."""

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        cache: Path | None = None,
        weights: Weights | None = None,
        known: Mapping[str, Vector] | None = None,
    ) -> None:
        """Index `entries`. Texts not in `known`, the shipped vectors or `cache` are embedded. Raises HandbookError."""
        check_together(entries)
        self.entries = tuple(sorted(entries, key=lambda entry: entry.id))
        self._by_id = {entry.id: entry for entry in self.entries}
        self.weights = weights or load_weights()
        rows = book_vectors(self.entries, load_outside(), cache, known)
        self.middle = np.asarray(rows.wordings.mean(axis=0), dtype=np.float32)
        """What all wordings have in common, shape (384,): taken away before meanings are compared (`likeness`)."""
        self._ranking = Ranking(self.entries, rows, self.weights)

    @classmethod
    def load(cls, folder: Path | None = None, cache: Path | None = None) -> Handbook:
        """The handbook of a folder of entry files (the repo's by default). Raises HandbookError."""
        return cls(load_entries(folder), cache=cache)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id, if it is in this handbook."""
        return self._by_id.get(entry_id)

    def answer(self, text: str, vector: Vector | None = None, *, today: datetime.date | None = None) -> Answer:
        """What to say to `text`; `vector` is `texts.embedding.embed(text)` when the caller has it. Never raises.

        `today` (Shanghai): figures past their review date are said as such.
        """
        if not text.strip() or is_plea(text) or is_statement(text):
            return _abstain(0.0, NOT_SURE)
        fit = self._ranking.fit(text, _usable(text, vector))
        first, second = (self.entries[index] for index in _first_two(fit))
        score = EXACT if fit.exact is not None else probability(fit, self.weights)
        if asks_elsewhere(text) and (
            first.region != "national" or (asks_figure(text) and first.topic in LOCAL_FIGURES)
        ):
            return _abstain(min(score, self.weights.clarify_from / 2), ELSEWHERE)
        if score >= self.weights.answer_from:
            return Answer(short_answer(first, today), first.id, score, False, "answer", long=first.long)
        if score >= self.weights.clarify_from and first is not second:
            return _clarify(score, first, second)
        return _abstain(score, NOT_SURE)

    def fit(self, text: str, vector: Vector | None = None) -> Fit:
        """How every entry fits a text, as `ranking` measures it: for `calibrate`."""
        return self._ranking.fit(text, _usable(text, vector))

    def search(self, text: str, k: int = 5, vector: Vector | None = None) -> list[Candidate]:
        """The `k` entries that fit best, best first."""
        fit = self._ranking.fit(text, _usable(text, vector))
        return [
            Candidate(
                self.entries[index],
                float(fit.shares[index]),
                {name: round(float(value), 3) for name, value in zip(PARTS, fit.parts[index], strict=True)},
            )
            for index in _order(fit)[:k]
        ]


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The weights that `python -m policy_faq.calibrate --write` has chosen."""
    values = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Weights(
        parts=tuple(values["parts"]),
        intercept=values["intercept"],
        coefficients=tuple(values["coefficients"]),
        answer_from=values["answer_from"],
        clarify_from=values["clarify_from"],
    )


def _usable(text: str, vector: Vector | None) -> Vector:
    return embed(text) if vector is None else np.asarray(vector, dtype=np.float32)


def _order(fit: Fit) -> list[int]:
    """Entries from the best to the worst; the one that has this very wording is the best whatever else fits."""
    order = [int(index) for index in fit.order if index != fit.exact]
    return order if fit.exact is None else [fit.exact, *order]


def _first_two(fit: Fit) -> tuple[int, int]:
    order = _order(fit)
    return order[0], order[min(1, len(order) - 1)]


def _abstain(score: float, text: str) -> Answer:
    return Answer(text, None, score, True, "abstain")


def _clarify(score: float, first: Entry, second: Entry) -> Answer:
    questions = [entry.question.rstrip("？?") for entry in (first, second)]
    text = f"您想问的是“{questions[0]}”，还是“{questions[1]}”？照着写一句发来就行。都不是，换个说法；找真人回0。"
    choices = tuple(Choice(entry.id, entry.question) for entry in (first, second))
    return Answer(text, None, score, True, "clarify", choices)
