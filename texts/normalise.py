"""One normal form for matching: what a text says, without how it was typed."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_REPEATED = re.compile(r"(.)\1{3,}")
_BETWEEN_HAN = re.compile(r"(?<=[\u4e00-\u9fff])[ \-_.·•*~`'^|/\\]+(?=[\u4e00-\u9fff])")

ENCODER_LIMIT = 160
"""Characters the encoder is given (DESIGN section 2: about 1 ms a token on one thread)."""


def clean(text: str) -> str:
    """`text` without NUL, control and invisible characters, lone surrogates replaced: safe to store and show."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _INVISIBLE.sub("", _CONTROL.sub(" ", text)).strip()


def normalise(text: str) -> str:
    """The form that words are looked for in.

    NFKC (full width to half width), lower case, invisible characters gone, runs of white space one blank, a
    character repeated more than three times three times, blanks and dots between Han characters removed.
    """
    text = unicodedata.normalize("NFKC", clean(text)).lower()
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    text = _REPEATED.sub(r"\1\1\1", text)
    return _BETWEEN_HAN.sub("", text).strip()


def for_encoder(text: str) -> str:
    """At most `ENCODER_LIMIT` characters of the cleaned text, its head and its tail; the lexicon reads all of it."""
    text = _SPACES.sub(" ", clean(text))
    if len(text) <= ENCODER_LIMIT:
        return text
    half = ENCODER_LIMIT // 2
    return text[:half] + text[-half:]
