"""What a text says, without how it was typed: one form for triage, the NLU and the handbook.

Full width, capitals, invisible characters, traditional script (OpenCC), emoji, homophones, initials and the commonest
pinyin (`spellings.tsv`), words pulled apart with blanks or dots, characters held down. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_REPEATED = re.compile(r"(.)\1{3,}")
_BETWEEN_HAN = re.compile(r"(?<=[\u4e00-\u9fff])[ \-_.·•*~`'^|/\\]+(?=[\u4e00-\u9fff])")
_SOFT_BLANK = re.compile(r"(?<=[\u4e00-\u9fff]{2})\s+(?=[\u4e00-\u9fff]{2})")
_SPELLINGS = Path(__file__).parent / "spellings.tsv"

ENCODER_LIMIT = 160
"""Characters the encoder is given (DESIGN section 2: about 1 ms a token on one thread)."""


def clean(text: str) -> str:
    """`text` without NUL, control and invisible characters, lone surrogates replaced: safe to store and show."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _INVISIBLE.sub("", _CONTROL.sub(" ", text)).strip()


def normalise(text: str) -> str:
    """The form that words are looked for in.

    NFKC (full width to half width), lower case, simplified, invisible characters gone, runs of white space one blank,
    a character repeated more than three times three times, blanks and dots between Han characters removed, the
    spellings of `spellings.tsv` replaced by what they mean.
    """
    text = _SPACES.sub(" ", _INVISIBLE.sub("", _simplified(unicodedata.normalize("NFKC", clean(text)).lower())))
    text = _BETWEEN_HAN.sub("", _REPEATED.sub(r"\1\1\1", text)).strip()
    return _BETWEEN_HAN.sub("", _REPEATED.sub(r"\1\1\1", _in_plain_words(text)))


def reading(text: str) -> str:
    """`normalise`, but a blank between two phrases stays visible as a comma: people type blanks for punctuation."""
    return normalise(_SOFT_BLANK.sub("，", unicodedata.normalize("NFKC", clean(text))))


def for_encoder(text: str) -> str:
    """At most `ENCODER_LIMIT` characters of the reading, its head and its tail; the lexicon reads all of it."""
    text = reading(text)
    if len(text) <= ENCODER_LIMIT:
        return text
    half = ENCODER_LIMIT // 2
    return text[:half] + text[-half:]


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def _simplified(text: str) -> str:
    return text if text.isascii() else str(_converter().convert(text))


@lru_cache(maxsize=1)
def _spellings() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Left side, its pattern, what it means; the longest first."""
    lines = _SPELLINGS.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple((left, _whole(left), right) for left, right in sorted(pairs, key=lambda pair: -len(pair[0])))


def _whole(word: str) -> re.Pattern[str]:
    """Finds `word`; one that ends or begins in a Latin letter is not part of a longer word."""
    before = "(?<![a-z])" if word[0].isascii() and word[0].isalpha() else ""
    after = "(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else ""
    return re.compile(before + re.escape(word) + after)


def _in_plain_words(text: str) -> str:
    for left, pattern, right in _spellings():
        if left in text:
            text = pattern.sub(right, text)
    return text
