"""The one question a person may answer with a digit: how long it stands and what each digit means (PRACTICE section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from texts.normalise import normalise


class Asked(StrEnum):
    """What was asked. The first six are danger questions: they replace any other and are replaced by none."""

    SAFE = "safe"
    """Are you safe now? 1 yes, 2 no, 3 unclear (`ask.safe`, `orange.*`, `human.joins`)."""
    HE_IS_NEAR = "he_is_near"
    """Is that person beside you? (`red.abuse`)"""
    SOMEBODY_WITH_YOU = "somebody_with_you"
    """Is anybody with you? (`red.suicide`)"""
    EVERYONE_OUT = "everyone_out"
    """Is everybody out? (`red.disaster`)"""
    CHILD_HURT = "child_hurt"
    """Is the child hurt? (`parent.rage`)"""
    CONVENIENT = "convenient"
    """After silence: is it convenient? (`silent.back`)"""
    ASSISTANT = "assistant"
    """A form question; the assistant reads the digit itself."""
    CHOICE = "choice"
    """The assistant offered two handbook entries."""
    ABOUT_A_CHILD = "about_a_child"
    """Is this about a child? (`scope.ask`)"""
    TRANSFER = "transfer"
    """Shall we pass it on to another province? (`other.province`, `form.outside`)"""
    SURVEY = "survey"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    CHOICE = "choice"
    STARS = "stars"
    UNRESOLVED = "unresolved"
    """To the survey: 没解决."""


DANGER = frozenset({Asked.SAFE, Asked.HE_IS_NEAR, Asked.SOMEBODY_WITH_YOU, Asked.EVERYONE_OUT, Asked.CHILD_HURT, Asked.CONVENIENT})

VALID_FOR: Mapping[Asked, timedelta] = {
    **dict.fromkeys(DANGER, timedelta(minutes=30)),
    Asked.ASSISTANT: timedelta(hours=24),
    Asked.CHOICE: timedelta(minutes=30),
    Asked.ABOUT_A_CHILD: timedelta(hours=24),
    Asked.TRANSFER: timedelta(hours=24),
    Asked.SURVEY: timedelta(days=7),
}

CHANGES_LANE = frozenset({(Asked.SAFE, Answer.NO), (Asked.HE_IS_NEAR, Answer.YES), (Asked.CHILD_HURT, Answer.YES), (Asked.EVERYONE_OUT, Answer.NO)})
"""Answers that say the danger is now: red, whatever was judged before."""

ASKED_BY: Mapping[str, Asked] = {
    "ask.safe": Asked.SAFE, "orange.harm": Asked.SAFE, "orange.abuse": Asked.SAFE, "orange.witness": Asked.SAFE, "form.stopped": Asked.SAFE,
    "human.joins": Asked.SAFE, "keep.secret": Asked.SAFE, "will.arrest": Asked.SAFE,
    "red.abuse": Asked.HE_IS_NEAR, "red.suicide": Asked.SOMEBODY_WITH_YOU, "red.disaster": Asked.EVERYONE_OUT, "parent.rage": Asked.CHILD_HURT,
    "silent.back": Asked.CONVENIENT, "scope.ask": Asked.ABOUT_A_CHILD, "other.province": Asked.TRANSFER, "form.outside": Asked.TRANSFER,
    "survey": Asked.SURVEY, "eval.reask": Asked.SURVEY, "policy.clarify": Asked.CHOICE,
}  # fmt: skip
"""The question a fixed text ends in, by its wording key; texts not here ask nothing a digit answers."""

_YES_NO = {1: Answer.YES, 2: Answer.NO, 3: Answer.UNCLEAR}
_DIGIT = re.compile(r"[\s\W]*(?:选|回|按)?\s*([0-9])\s*(?:星|分)?[\s\W]*")
_LEADING = re.compile(r"\s*([1-5])\s*[、.,，。:：\s]*(\D*)")
_UNRESOLVED = re.compile(r"(?:还|都|根本|一直)?(?:没|没有|未|不)(?:给我?)?(?:解决|办好|处理|管)")
_WORDS: Mapping[Asked, tuple[str, str]] = {
    Asked.SAFE: ("安全|安全的|现在安全|我安全|是|是的|嗯|没事|没事了|暂时安全", "不安全|不|不是|没有|危险|有危险|很危险|不太安全"),
    Asked.HE_IS_NEAR: ("在|在旁边|在的|是|嗯|在家", "不在|没在|没有|走了|出去了|不在家|不"),
    Asked.SOMEBODY_WITH_YOU: ("有|有人|在|是|嗯", "没有|没|没人|没有人|不|就我一个|就我自己|我一个人"),
    Asked.EVERYONE_OUT: ("是|是的|都出来了|出来了|嗯", "没有|没|不|没出来|还没|还有人"),
    Asked.CHILD_HURT: ("有|受伤了|有的|是|嗯", "没有|没|没受伤|不"),
    Asked.CONVENIENT: ("方便|方便了|可以|是|嗯|在|好", "不方便|不|不行"),
    Asked.ABOUT_A_CHILD: ("是|是的|嗯|对", "不是|不|没有|否"),
    Asked.TRANSFER: ("要|要的|需要|好|是|嗯|帮我转", "不用|不要|不需要|不|没有"),
}
_UNSURE = "说不清|不知道|不清楚|不晓得|不好说|不确定"
_STARS = {"很满意": 5, "非常满意": 5, "满意": 4, "一般": 3, "不满意": 2, "不太满意": 2, "很不满意": 1, "非常不满意": 1}


@dataclass(frozen=True)
class PendingQuestion:
    """What was asked and when; `options`: how many choices were offered (CHOICE only)."""

    asked: Asked
    asked_at: datetime
    options: int = 2

    @property
    def valid_until(self) -> datetime:
        return self.asked_at + VALID_FOR[self.asked]


@dataclass(frozen=True)
class Read:
    """What a text answers: `value` is the star (1-5) or the choice (1-3), else None; `expired`: ask once more instead."""

    answer: Answer | None
    value: int | None = None
    expired: bool = False

    def means_danger(self, asked: Asked) -> bool:
        return (asked, self.answer) in CHANGES_LANE


def is_digit(text: str) -> bool:
    """Whether the whole text is one digit (an answer to some question, or a lost one)."""
    return _DIGIT.fullmatch(normalise(text)) is not None


def may_replace(new: Asked, standing: PendingQuestion | None, now: datetime) -> bool:
    """Whether `new` may take the place of the standing question: a valid danger question yields only to another one."""
    if standing is None or now >= standing.valid_until or new in DANGER:
        return True
    return standing.asked not in DANGER


def read_digit(question: PendingQuestion | None, text: str, now: datetime) -> Read | None:
    """What `text` answers to the standing question, by digit or by the plain words of the question.

    None: this text answers nothing (read it as a text), or it is a digit and nothing was asked (say `digit.lost`).
    `expired`: it would answer, but the question no longer stands: it is put again, never guessed. `ASSISTANT` questions
    are not read here: the assistant does.
    """
    if question is None or question.asked is Asked.ASSISTANT:
        return None
    read = _answer(question, normalise(text))
    if read is None:
        return None
    return Read(None, expired=True) if now >= question.valid_until else read


def _answer(question: PendingQuestion, words: str) -> Read | None:
    if question.asked is Asked.SURVEY:
        return _survey(words)
    digit = _DIGIT.fullmatch(words)
    if question.asked is Asked.CHOICE:
        value = int(digit.group(1)) if digit else 0
        return Read(Answer.CHOICE, value) if 1 <= value <= question.options + 1 else None
    if digit:
        answer = _YES_NO.get(int(digit.group(1)))
        return Read(answer) if answer else None
    leading = _LEADING.fullmatch(words)
    stem = (leading.group(2) if leading else words).strip(" ,，。.!！~、")
    yes, no = _WORDS[question.asked]
    for answer, known in ((Answer.YES, yes), (Answer.NO, no), (Answer.UNCLEAR, _UNSURE)):
        if re.fullmatch(f"(?:{known})(?:了|的|啊|呀|呢)?", stem):
            # "1 不安全": digit and word disagree; that is no answer but something to look at.
            agrees = leading is None or _YES_NO.get(int(leading.group(1))) is answer
            return Read(answer if agrees else Answer.UNCLEAR)
    return None


def _survey(words: str) -> Read | None:
    if _UNRESOLVED.match(words.strip(" ,，。.!！")):
        return Read(Answer.UNRESOLVED)
    digit = _DIGIT.fullmatch(words) or _LEADING.fullmatch(words)
    if digit:
        stars = int(digit.group(1))
        word = _STARS.get(words.strip(" ,，。.!！").lstrip("12345、., "))
        return Read(Answer.STARS, stars) if 1 <= stars <= 5 and word in (None, stars) else None
    stars_said = _STARS.get(re.sub("(?:的|了|吧|啊)+$", "", words.strip(" ,，。.!！")))
    return Read(Answer.STARS, stars_said) if stars_said else None
