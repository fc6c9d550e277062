"""Whole phrases typed in pinyin, read as Chinese: the cheapest row of words of `pinyin.tsv` over the run.

Only runs of three syllables and more that are pinyin from end to end; shorter ones stand in `spellings.tsv`. English
is left alone: hardly a sentence of it can be cut into syllables, and where one can, its common words give it away.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "pinyin.tsv"
_RUN = re.compile(r"(?<![a-z0-9./@_=&?#-])[a-z']+(?: +[a-z']+)*(?![a-z0-9]|[./@_=&-][a-z0-9])")
_SHORTEST = 3
_LONGEST = 1000
"""Letters of a run that is read; nobody types a longer one, and reading takes time in step with it."""
_LONGEST_WORD = 24
_ENGLISH = frozenset(
    ("a", "are", "can", "come", "die", "done", "game", "gun", "hate", "have", "he", "here", "hi", "home", "let", "like", "line", "long",
     "made", "make", "man", "me", "men", "mine", "more", "name", "no", "one", "page", "pen", "run", "same", "she", "sing", "some", "song",
     "sun", "take", "tell", "ten", "the", "time", "we", "women", "you")
)  # fmt: skip
_INITIALS = re.compile(r"((?: +|^)[bcdfghjklmnpqrstvwxz]{2,4}(?= |$) *)")
"""zs, bxh, qj between the syllables: they stay for `spellings.tsv`."""


def in_han(text: str) -> str:
    """`text` (lower case, half width) with its pinyin runs in Han characters."""
    return _RUN.sub(lambda match: "".join(map(_read, _INITIALS.split(match.group()))), text)


def _read(run: str) -> str:
    if len(run) > _LONGEST:
        return run
    tokens = [token for token in run.split(" ") if token]
    if 3 * sum(token in _ENGLISH for token in tokens) > len(tokens):
        return run
    letters = run.replace(" ", "").replace("'", "")
    return _cheapest(letters, _cuts(tokens)) or run


def _cuts(tokens: list[str]) -> frozenset[int]:
    """Where a syllable must begin: behind each blank and apostrophe."""
    cuts, at = set(), 0
    for token in tokens:
        for part in token.split("'"):
            cuts.add(at)
            at += len(part)
    return frozenset(cuts)


def _cheapest(letters: str, cuts: frozenset[int]) -> str:
    """The cheapest words that cover all `letters`; empty where none do or they are too short to tell."""
    table = _table()
    best: list[tuple[int, int, str] | None] = [(0, 0, "")] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - _LONGEST_WORD), end):
            before = best[start]
            if before is None:
                continue
            inside = [cut - start for cut in range(start + 1, end) if cut in cuts]
            for cost, begins, word in table.get(letters[start:end], ()):
                total = before[0] + cost
                now = best[end]
                if (now is None or total < now[0]) and begins.issuperset(inside):
                    best[end] = (total, start, word)
    return _collected(best)


def _collected(best: list[tuple[int, int, str] | None]) -> str:
    words: list[str] = []
    at = len(best) - 1
    while at > 0:
        step = best[at]
        if step is None:
            return ""
        words.append(step[2])
        at = step[1]
    han = "".join(reversed(words))
    return han if len(han) >= _SHORTEST else ""


@lru_cache(maxsize=1)
def _table() -> dict[str, list[tuple[int, frozenset[int], str]]]:
    """By letters without blanks: cost, where its syllables begin, the words."""
    table: dict[str, list[tuple[int, frozenset[int], str]]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        pinyin, word, cost = line.split("\t")
        begins, at = set(), 0
        for syllable in pinyin.split(" "):
            begins.add(at)
            at += len(syllable)
        table.setdefault(pinyin.replace(" ", ""), []).append((int(cost), frozenset(begins), word))
    return table
