"""What a text says, without how it was typed: one form for triage, the NLU and the handbook. Pure.

Full width, capitals, invisible characters, look-alike letters, traditional script (OpenCC), emoji, homophones and initials
(`spellings.tsv`), phrases in pinyin (`pinyin.tsv`), words pulled apart with blanks or signs, characters held down.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from .letters import INVISIBLE, plain
from .pinyin import in_han
from .spellings import in_plain_words

if TYPE_CHECKING:
    from opencc import OpenCC

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_REPEATED = re.compile(r"(.)\1{3,}")
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])[ \-_.·•*~`'^|/\\+=#@&—–――○●◦◯□■▪☆★]+(?=[{_HAN}])")
_SPELLED_OUT = re.compile(rf"(?<![{_HAN}\w])[{_HAN}](?:[^\w{_HAN}]{{1,3}}[{_HAN}]){{2,}}(?![{_HAN}\w])")
_NOT_HAN = re.compile(rf"[^{_HAN}]+")
_LETTERS_APART = re.compile(r"(?<![a-z0-9])[a-z](?:[ .\-_*·,]{1,3}[a-z](?![a-z0-9])){1,7}")
_SOFT_BLANK = re.compile(rf"(?<=[{_HAN}]{{2}})\s+(?=[{_HAN}]{{2}})")
_ROUNDS = 6
SHORT = 1_000
"""Characters up to which a normal form is kept for a moment."""

ENCODER_LIMIT = 160
"""Characters the encoder is given (DESIGN section 2: about 1 ms a token on one thread)."""


def clean(text: str) -> str:
    """`text` without NUL, control and invisible characters, lone surrogates replaced: safe to store and show."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return INVISIBLE.sub("", _CONTROL.sub(" ", text)).strip()


def normalise(text: str) -> str:
    """The form that words are looked for in; of any text, never raises, and is its own normal form.

    NFKC (full width to half width), lower case, simplified, nothing invisible, look-alike letters Latin, runs of white
    space one blank, a character repeated more than three times three times, blanks and signs between Han characters and
    in words spelled out removed, pinyin phrases in Han characters, the spellings of `spellings.tsv` replaced by what they mean.
    """
    return _kept(text) if len(text) <= SHORT else _normal(text)


def _normal(text: str) -> str:
    for _ in range(_ROUNDS):  # what one step makes, an earlier one may undo: seldom more than two rounds
        before, text = text, _once(text)
        if text == before:
            break
    return text


_kept = lru_cache(maxsize=16)(_normal)
"""A text is read by triage, forms, categories and search one after the other: the last few are not worked out anew."""


def _once(text: str) -> str:
    text = _SPACES.sub(" ", _simplified(_CONTROL.sub(" ", plain(text))))
    text = _together(_REPEATED.sub(r"\1\1\1", text))
    return _together(_REPEATED.sub(r"\1\1\1", in_plain_words(in_han(text)))).strip()


def _together(text: str) -> str:
    """Words that stand in pieces put together: 救 . 命, 自-杀, 我、不、想、活, z s."""
    text = _SPELLED_OUT.sub(lambda match: _NOT_HAN.sub("", match.group()), _BETWEEN_HAN.sub("", text))
    return _LETTERS_APART.sub(lambda match: re.sub("[^a-z]", "", match.group()), text)


def reading(text: str) -> str:
    """`normalise`, but a blank between two phrases stays visible as a comma: people type blanks for punctuation."""
    text = text.encode("utf-8", "ignore").decode("utf-8")
    return normalise(_SOFT_BLANK.sub("，", unicodedata.normalize("NFKC", clean(text))))


def for_encoder(text: str) -> str:
    """At most `ENCODER_LIMIT` characters of the reading, its head and its tail; the lexicon reads all of it."""
    if len(text) > 10 * ENCODER_LIMIT:  # the middle is not looked at, so it need not be read
        text = text[: 5 * ENCODER_LIMIT] + text[-5 * ENCODER_LIMIT :]
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
