"""Judging texts: lexicon and classifier over a text and the contact's last ones."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from texts.embedding import embed
from texts.letters import has_letters

from . import features
from .classifier import Classifier, Matrix, load_classifier
from .decision import Answers, decide
from .judgement import LANE_RANK, Judgement, Lane
from .lexicon import Finding, Lexicon, load_lexicon

_FRAGMENT = 10
_TAKEN_BACK = 24
_JOINED_TEXTS = 4
_JOINED_LENGTH = 160
_EMBEDDED_AGAIN = 80
"""Characters up to which a text is embedded once more after words in it were put together; a long one would take too long."""
_ADDS = math.e
"""How many times the odds of red must grow for a short piece to make red of an orange statement: under harmless answers
("现在在学校", "三年级", "不要说我名字") 4 in 100 did without it, 1 in 60 do with it; real turns for the worse say so themselves."""
_HAN_OR_WORD = re.compile(r"[\u4e00-\u9fff]|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class _Weighed:
    finding: Finding
    judgement: Judgement


class Triage:
    """The judge. Needs neither Rasa nor the database; one text takes its embedding and about a millisecond."""

    def __init__(self, lexicon: Lexicon, classifier: Classifier | None) -> None:
        """`classifier` None: the weights cannot be used, and the lexicon judges alone."""
        self._lexicon = lexicon
        self._classifier = classifier

    @property
    def by_words_alone(self) -> bool:
        """True when the weights could not be loaded: plain danger is still found, hidden or indirect danger is not."""
        return self._classifier is None

    def judge(self, text: str, *, earlier: Sequence[str] = (), vector: Matrix | None = None) -> Judgement:
        """The lane, type and the rest for `text`, read together with the contact's last texts (oldest first).

        `vector` is `texts.embedding.embed(text)`, computed here when None. Never raises on any text. A short piece
        ("他又来了") is joined with what came before it, and "没事了" after danger never lowers what was said. A plain
        text stands for itself, and so does a piece that adds nothing to what was said before: the lane of the talk is
        the talk's to keep.
        """
        own = self._weigh(text, vector)
        before = [part for part in earlier if part.strip()][-_JOINED_TEXTS:]
        if not before or own.judgement.lane is Lane.RED:
            return own.judgement
        if own.finding.signals & {"fine_now", "quit_joke"} and _words(own.finding.view) <= _TAKEN_BACK:
            return self._not_lowered(own, before)
        if _is_fragment(own):
            return self._joined(text, own, before)
        return own.judgement

    def _not_lowered(self, own: _Weighed, before: list[str]) -> Judgement:
        """`own` takes back or plays down; the gravest of what was said before stands."""
        gravest = max((self._in_turn(before, i) for i in range(len(before))), key=_gravity)
        if _gravity(gravest) <= _gravity(own.judgement):
            return own.judgement
        return replace(gravest, reasons=(*gravest.reasons, "后来又说没事或闹着玩：不算数，请人看过再定"))

    def _in_turn(self, before: list[str], index: int) -> Judgement:
        alone = self._weigh(before[index], None)
        if alone.judgement.lane is Lane.RED or index == 0 or not _is_fragment(alone):
            return alone.judgement
        return self._joined(before[index], alone, before[:index])

    def _joined(self, text: str, own: _Weighed, before: list[str]) -> Judgement:
        together = "，".join((*before, text))[-_JOINED_LENGTH:]
        joined = self._weigh(together, None).judgement
        if _gravity(joined) <= _gravity(own.judgement):
            return own.judgement
        if joined.lane is not Lane.BLUE:
            said = max((self._weigh(part, None).judgement for part in before), key=_gravity)
            if not _adds(joined, said):
                return own.judgement
        return replace(joined, reasons=(*joined.reasons, f"和前面{len(before)}条连起来看"))

    def _weigh(self, text: str, vector: Matrix | None) -> _Weighed:
        finding = self._lexicon.find(text)
        return _Weighed(finding, decide(finding, self._answers(text, finding, vector)))

    def _answers(self, text: str, finding: Finding, vector: Matrix | None) -> Answers | None:
        if self._classifier is None or not _HAN_OR_WORD.search(finding.view) or not has_letters(text):
            return None  # signs and emoji only: no sentence to embed; the lexicon sees what a knife or an SOS means
        again = finding.mended and finding.length <= _EMBEDDED_AGAIN
        if vector is None or again:
            try:
                vector = embed(finding.view if again else text)
            except Exception:  # noqa: BLE001  the engine's own failure must not cost a judgement: the lexicon stands alone
                return None
        row = np.concatenate([np.asarray(vector, dtype=np.float32), features.lexical(finding)])
        return self._classifier.answer(row, finding.view)


def _gravity(judgement: Judgement) -> tuple[int, float]:
    return LANE_RANK[judgement.lane], judgement.score


def _adds(joined: Judgement, said: Judgement) -> bool:
    """Whether the last piece makes it worse than the gravest single text before it, which was judged for itself.

    A red text is never among `earlier` in a talk, since it was acted on; elsewhere it goes on counting.
    """
    if said.lane is Lane.RED:
        return True
    if LANE_RANK[joined.lane] <= LANE_RANK[said.lane]:
        return False
    return said.lane is Lane.BLUE or _odds(joined.score) >= _ADDS * _odds(said.score)


def _odds(chance: float) -> float:
    return chance / max(1 - chance, 1e-6)


def _words(view: str) -> int:
    return len(_HAN_OR_WORD.findall(view))


def _is_fragment(weighed: _Weighed) -> bool:
    """Too short to stand alone, or borderline by itself."""
    return _words(weighed.finding.view) <= _FRAGMENT or weighed.judgement.unsure


@lru_cache(maxsize=1)
def by_words() -> Triage:
    """A judge by the lexicon alone, some 2 ms a text: plain danger is found, hidden danger is not. To choose an order by, never to decide."""
    return Triage(load_lexicon(), None)


@lru_cache(maxsize=1)
def load() -> Triage:
    """The one judge of this process, from the committed lexicon and weights (about 0.3 s the first time).

    Weights that do not fit the lexicon, or cannot be read, must not stop the danger worker: the judge then goes by the
    lexicon alone and says so (`by_words_alone`). Raises LexiconIsBroken: without words there is no judge.
    """
    lexicon = load_lexicon()
    try:
        return Triage(lexicon, load_classifier())
    except Exception:  # noqa: BLE001  whatever is wrong with the file, a judge without it is better than none
        return Triage(lexicon, None)
