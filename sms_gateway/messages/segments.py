"""How long a text is on a phone, and where a long one is cut."""

from __future__ import annotations

import re

SINGLE = 70
"""UCS-2 units of a text that goes out alone. Chinese texts are always UCS-2, so GSM-7 is not counted."""
PART = 67
"""UCS-2 units of each part of a joined text: 6 octets go to the joining header (3GPP TS 23.040)."""

_SENTENCE_END = re.compile(r"(?<=[。！？!?；;\n])[”’）)」』]*\s*")
_PAUSE = re.compile(r"(?<=[，,、：:\s])")
_GLUED = re.compile("[\u200d\ufe00-\ufe0f\u0300-\u036f\U0001f3fb-\U0001f3ff]")
"""Characters that belong to the one before them; a cut there would spoil an emoji."""


def units(text: str) -> int:
    """UCS-2 units of `text`: a character beyond the BMP (most emoji) counts two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def segments(text: str) -> int:
    """Segments a carrier bills: 1 up to 70 units, else parts of 67 that do not cut a surrogate pair."""
    if units(text) <= SINGLE:
        return 1
    count, free = 1, PART
    for character in text:
        width = units(character)
        if width > free:
            count, free = count + 1, PART
        free -= width
    return count


def split(text: str, limit_segments: int, *, reserve: int = 0) -> list[str]:
    """`text` as texts of at most `limit_segments` segments each, cut after a sentence, else at a pause, else anywhere.

    `reserve` units are kept free in each (the signature). Joined again the parts are `text`: nothing is lost.
    Raises `ValueError` when `limit_segments` leaves no room for a character.
    """
    room = (SINGLE if limit_segments == 1 else PART * limit_segments) - reserve
    if limit_segments < 1 or room < 2 + limit_segments:
        raise ValueError("no room for any text")
    if segments("文" * reserve + text) <= limit_segments:
        return [text]
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, limit_segments, reserve):
        if current and segments("文" * reserve + current + piece) > limit_segments:
            parts.append(current)
            current = ""
        current += piece
    return [*parts, current]


def _pieces(text: str, limit_segments: int, reserve: int) -> list[str]:
    """Sentences; where one is too long its clauses; where one of these is too long, as much as fits."""
    pieces: list[str] = []
    for sentence in _cut(_SENTENCE_END, text):
        if segments("文" * reserve + sentence) <= limit_segments:
            pieces.append(sentence)
            continue
        for clause in _cut(_PAUSE, sentence):
            pieces += _chop(clause, limit_segments, reserve)
    return pieces


def _cut(pattern: re.Pattern[str], text: str) -> list[str]:
    ends = sorted({match.end() for match in pattern.finditer(text)} | {len(text)})
    starts = [0, *ends[:-1]]
    return [text[start:end] for start, end in zip(starts, ends, strict=True) if end > start]


def _chop(clause: str, limit_segments: int, reserve: int) -> list[str]:
    """`clause` in runs that fit, counted as `segments` counts; a cut never parts a character from its modifiers."""
    room = (SINGLE if limit_segments == 1 else PART * limit_segments - (limit_segments - 1)) - reserve
    runs, start, used = [], 0, 0
    for index, character in enumerate(clause):
        width = units(character)
        if used + width > room:
            cut = _before_glue(clause, start, index)
            runs.append(clause[start:cut])
            start, used = cut, units(clause[cut:index])
        used += width
    return [*runs, clause[start:]]


def _before_glue(clause: str, start: int, index: int) -> int:
    """The last place at or before `index` where a cut does not part an emoji; `index` when there is none near."""
    for cut in range(index, max(start, index - 12), -1):
        if not _GLUED.match(clause[cut]) and clause[cut - 1] != "\u200d":
            return cut
    return index
