"""How characters look, undone: invisible ones, marks on letters, letters in boxes, letters of other scripts that look Latin."""

from __future__ import annotations

import re
import unicodedata

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Tone marks of pinyin (zì shā), strokes through Han characters, circles and keys around letters."""
_SKIN = range(0x1F3FB, 0x1F400)
_BOXES = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Where the alphabets in squares, discs and full squares begin, and that of flags; NFKC undoes the first only."""
_UNDRAWN = str.maketrans(
    {start + i: chr(ord("a") + i) for start in _BOXES for i in range(26)}
    | dict.fromkeys(_SKIN)
    | {0x2800: " ", 0xFFFC: " ", 0x30FB: "·", 0x4EBE: "死"}
)
_WORD = re.compile(
    "[a-z]*[\u0370-\u03ff\u0400-\u052f\u13a0-\u13f5\ua4d0-\ua4f7][a-z\u0370-\u03ff\u0400-\u052f\u13a0-\u13f5\ua4d0-\ua4f7]*"
)
_SOME_LATIN = re.compile("[a-z]")
_LOOK_ALIKES = (
    str.maketrans("авеіїјкмнорстухѕһԁԛԝɡ", "abeiijkmhopctyxshdqwg")
    | str.maketrans("αβεηικμνορτυχωϲϳ", "abenikuvoptuxwcj")
    | str.maketrans("ꓮꓐꓚꓓꓰꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdeghijklmnoprstuvwxyz")
)


def plain(text: str) -> str:
    """`text` in NFKC, lower case, without anything that is not seen, without marks; lone surrogates are dropped."""
    text = INVISIBLE.sub("", text.encode("utf-8", "ignore").decode("utf-8"))
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text.translate(_UNDRAWN)).lower()
    unmarked = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return _latin(INVISIBLE.sub("", unicodedata.normalize("NFKC", unmarked)))


def has_letters(text: str) -> bool:
    """Whether a letter, a digit or a Han character was typed; emoji and signs are none, letters in boxes are."""
    return any(character.isalnum() for character in plain(text))


def _latin(text: str) -> str:
    """Words that Cyrillic, Greek or Lisu letters make look Latin; of a text really in such letters, only mixed words."""
    foreign = any(not word.translate(_LOOK_ALIKES).isascii() for word in _WORD.findall(text))

    def seen(match: re.Match[str]) -> str:
        word = match.group()
        latin = word.translate(_LOOK_ALIKES)
        return latin if latin.isascii() and (not foreign or _SOME_LATIN.search(word)) else word

    return _WORD.sub(seen, text)
