"""Whether a text is written in another language, or in pinyin: such a person is answered in both and brought a person. Pure."""

from __future__ import annotations

import re
import unicodedata

from texts.normalise import clean

_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile("[a-z']+")


def _words(block: str) -> frozenset[str]:
    return frozenset(block.split())


_COMMON = _words(
    """
    i you he she we they me my your his her our their him them it its a an the this that these those and or but if so to of in
    on at from with for by not no yes is am are was were be been do does did done have has had can could will would should
    may must what who where when why how which there here please help need want know think feel like love hate tell say said
    ask call come go get got give take make let see look live stay run home house school teacher mother father mom mum dad
    parent parents brother sister uncle friend friends child children kid kids boy boys girl girls baby son daughter people
    someone anyone nobody nothing something anything everything all every always never now today yesterday tomorrow day night
    week month year money food hurt hit hits hitting beat beats beating kill die dead afraid scared sad alone lost sick hungry
    safe danger dangerous police phone speak english chinese understand answer question information orphan insurance sorry
    very much many more about any some only too also because after before again
    """
)
_SMALL_TALK = _words(
    "hi hello hey ok okay yes no thanks thank you bye goodbye good morning evening night afternoon there sir madam"
)
_SYLLABLE = (
    "(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|"
    "uo|ue|ui|ve|a|e|i|o|u|v)|ang|ai|ao|an|ou|en|er|a|e|o)"
)
_PINYIN = re.compile(f"{_SYLLABLE}+")
_SHARE = 3
"""One word in so many must be a common English one."""
MINIMUM_LETTERS = 4
MINIMUM_ACCENTED = 2


def is_foreign(text: str) -> bool:
    """Whether the text has no Chinese and is English, or letters of another script; a lone "hello" or "ok" is not."""
    plain = clean(text).lower()
    if _HAN.search(plain):
        return False
    letters = [character for character in plain if character.isalpha()]
    other = [each for each in letters if not each.isascii() and "LATIN" not in unicodedata.name(each, "")]
    accented = [each for each in letters if not each.isascii()]
    if len(other) * 2 > len(letters) or len(accented) >= MINIMUM_ACCENTED:
        return len(letters) >= MINIMUM_LETTERS
    words = _WORD.findall(plain)
    if not set(words) - _SMALL_TALK:
        return False
    return len(words) > 1 and sum(word in _COMMON for word in words) * _SHARE >= len(words)


def is_pinyin(text: str) -> bool:
    """Whether the text has no Chinese and every word of it reads as pinyin."""
    plain = clean(text).lower()
    words = _WORD.findall(plain)
    if _HAN.search(plain) or not words or is_foreign(text):
        return False
    return len("".join(words)) >= MINIMUM_LETTERS and all(_PINYIN.fullmatch(word) for word in words)
