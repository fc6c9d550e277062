"""The reviewed word list `lexicon.yml`, compiled; finds its cues in a text in linear time.

Every gap is bounded, so no pattern looks further than a few dozen characters from where it starts.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from texts.normalise import reading

from .judgement import Harm, Lane

_HERE = Path(__file__).parent
_SET = re.compile(r"\{([^{}\d][^{}]*)\}")
_BETWEEN = r"[\W_〇]"
_BETWEEN_QUIET = r"[^\w\s,.!?;:，。！？；：、\"'“”‘’《》「」()（）]"
"""Signs that no clause ends with."""
_NOT_WORD = re.compile(f"{_BETWEEN}+")
_NOT_WORD_QUIET = re.compile(f"{_BETWEEN_QUIET}+")
_APART = 8
_SEARCHED_HITS = 30
_REACH = 30
_BEFORE = 8
CONTEXTS = ("idiom", "fiction", "news", "policy", "hypothetical", "negation", "over", "past", "recent", "now", "joke",
            "pet", "sport", "matter", "quoted", "serious")  # fmt: skip


class LexiconIsBroken(ValueError):
    """The word list cannot be read; the message names the entry."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A group of words that speak for one harm; `weight` 3 says red by itself, 1 is only a hint."""

    name: str
    says: str
    type: Harm
    weight: int
    sure: bool
    lane: Lane | None
    services: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    plain: tuple[str, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a cue stands: `words` as found, the contexts that speak against its being real and present."""

    cue: Cue
    words: str
    start: int
    contexts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """All that the lexicon saw in one text; `view` is the reading it looked at, `mended` when it put a word together there."""

    hits: tuple[Hit, ...]
    contexts: frozenset[str]
    writers: frozenset[str]
    signals: frozenset[str]
    length: int
    view: str
    mended: bool


class Lexicon:
    """Compiled cues, contexts, writers and signals."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._sets: dict[str, str] = {}
        for name, words in data["sets"].items():
            self._sets[name] = self._expand(str(words))
        self.cues = tuple(self._cue(entry) for entry in data["cues"])
        hidden = {word: cue.weight for cue in self.cues for word in cue.hidden}
        heavy = {word: cue.weight for cue in self.cues for word in cue.plain if cue.weight >= 2 and word not in hidden}
        self._apart = ((_NOT_WORD, _torn(hidden, _BETWEEN)), (_NOT_WORD_QUIET, _torn(heavy, _BETWEEN_QUIET)))
        self._mask = self._compile(data["contexts"]["idiom"]["words"])
        self._contexts = {
            name: self._compile(entry["words"])
            for name, entry in data["contexts"].items()
            if name not in ("idiom", "negation")
        }
        self._reach = {name: int(entry.get("reach", _REACH)) for name, entry in data["contexts"].items()}
        negation = data["contexts"]["negation"]
        self._negation = re.compile("(?:" + "|".join(map(self._expand, negation["words"])) + ")$")
        self._not_negation = re.compile("(?:" + "|".join(map(self._expand, negation["unless"])) + ")")
        self._writers = {name: self._compile(words) for name, words in data["writers"].items()}
        self._signals = {name: self._compile(words) for name, words in data["signals"].items()}
        self.strong = frozenset(name for name, entry in data["contexts"].items() if entry.get("lowers") == "strong")
        self.signal_names = tuple(self._signals)
        self.writer_names = tuple(self._writers)

    def _expand(self, words: str) -> str:
        def fill(match: re.Match[str]) -> str:
            try:
                return self._sets[match.group(1)]
            except KeyError:
                raise LexiconIsBroken(f"lexicon.yml: no set named {match.group(1)!r}") from None

        filled = _SET.sub(fill, words)
        filled = filled.replace("……", "[^。！？!?；;\\n]{0,14}?").replace("…", "[^，,。！？!?；;\\n]{0,6}?")
        return re.sub(r"\((?!\?)", "(?:", filled)

    def _compile(self, words: list[str]) -> tuple[re.Pattern[str], ...]:
        compiled = []
        for word in words:
            if _stands_open(str(word)):
                raise LexiconIsBroken(f"lexicon.yml: {word!r}: put the choices of | in brackets")
            try:
                compiled.append(re.compile(self._expand(str(word).lower())))
            except re.error as error:
                raise LexiconIsBroken(f"lexicon.yml: {word!r}: {error}") from None
        return tuple(compiled)

    def _cue(self, entry: dict[str, Any]) -> Cue:
        words = [str(word) for word in entry["words"]]
        plain = tuple(w for w in words if re.fullmatch(r"[\u4e00-\u9fff]{2,6}", w))
        return Cue(
            name=entry["name"],
            says=entry["says"],
            type=Harm(entry["type"]),
            weight=int(entry["weight"]),
            sure=bool(entry.get("sure")),
            lane=Lane(entry["lane"]) if "lane" in entry else None,
            services=tuple(entry.get("services", ())),
            patterns=self._compile(words),
            plain=plain,
            hidden=plain if entry.get("hidden") else (),
        )

    def masked(self, view: str) -> str:
        """`view` with idioms blotted out, same length."""
        for pattern in self._mask:
            view = pattern.sub(lambda match: "□" * len(match.group()), view)
        return view

    def mended(self, view: str) -> str:
        """`view` with danger words put together that signs, blanks or line ends tear apart: 自，杀 and 着♪火."""
        for signs, words in self._apart:
            tight = signs.sub("", view)
            if len(tight) == len(view):
                continue
            for word, torn in words:
                if word in tight and tight.count(word) > view.count(word):
                    view = torn.sub(word, view)
        return view

    def find(self, text: str) -> Finding:
        """What stands in `text`; never raises, any length."""
        read = reading(text)
        view = self.mended(read)
        masked = self.masked(view)
        places = {name: _places(patterns, view) for name, patterns in self._contexts.items()}
        hits = [hit for cue in self.cues for hit in self._hits(cue, masked, places)]
        present = {name for name, found in places.items() if found}
        if masked != view:
            present.add("idiom")
        if any("negation" in hit.contexts for hit in hits):
            present.add("negation")
        return Finding(
            hits=tuple(hits),
            contexts=frozenset(present),
            writers=frozenset(n for n, ps in self._writers.items() if any(p.search(view) for p in ps)),
            signals=frozenset(n for n, ps in self._signals.items() if any(p.search(masked) for p in ps)),
            length=len(view),
            view=view,
            mended=view != read,
        )

    def _hits(self, cue: Cue, masked: str, places: dict[str, list[int]]) -> list[Hit]:
        hits: dict[int, Hit] = {}
        for pattern in cue.patterns:
            for number, match in enumerate(pattern.finditer(masked)):
                if number >= _SEARCHED_HITS:
                    break
                start = match.start()
                if match.group() and start not in hits:
                    hits[start] = Hit(cue, match.group(), start, self._against(masked, start, places))
        return list(hits.values())

    def _negated(self, text: str, start: int) -> frozenset[str]:
        before = text[max(0, start - _BEFORE) : start]
        found = self._negation.search(before)
        if found is None or self._not_negation.search(before[: found.end()]):
            return frozenset()
        return frozenset(("negation",))

    def _against(self, masked: str, start: int, places: dict[str, list[int]]) -> frozenset[str]:
        around = {
            name for name, found in places.items() if any(abs(place - start) <= self._reach[name] for place in found)
        }
        return frozenset(around) | self._negated(masked, start)


def _torn(words: dict[str, int], between: str) -> list[tuple[str, re.Pattern[str]]]:
    """Each word (with its cue's weight), the longest first, and how it looks with signs between its characters.

    Two characters of a lighter word may also meet by chance over a comma (愉快，来): there, one of them must stand alone.
    """
    return [
        (word, re.compile(_apart(word, words[word], between)))
        for word in sorted(words, key=lambda word: (-len(word), word))
    ]


def _apart(word: str, weight: int, between: str) -> str:
    if len(word) > 2 or weight >= 3 or between == _BETWEEN_QUIET:
        return f"{between}{{0,{_APART}}}".join(word)
    first, second = word[0], word[1]
    anything, quiet = f"{between}{{1,{_APART}}}", f"{_BETWEEN_QUIET}{{1,{_APART}}}"
    return rf"(?<!\w){first}{anything}{second}|{first}{anything}{second}(?!\w)|{first}{quiet}{second}"


def _stands_open(word: str) -> bool:
    """True when a | stands outside all brackets: it would cut the whole entry in two."""
    depth = 0
    for character in word:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            return True
    return False


def _places(patterns: tuple[re.Pattern[str], ...], view: str) -> list[int]:
    """Where one of `patterns` begins, at most `_SEARCHED_HITS` places for each."""
    return [match.start() for p in patterns for match in itertools.islice(p.finditer(view), _SEARCHED_HITS)]


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon of this folder; raises LexiconIsBroken naming the entry that cannot be read."""
    return Lexicon(yaml.safe_load((_HERE / "lexicon.yml").read_text(encoding="utf-8")))
