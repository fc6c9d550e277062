"""The one question a person may answer with a digit: how long it stands and what each digit means (PRACTICE section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sms_gateway.tickets.marks import is_unsolved
from texts.normalise import normalise


class Kind(StrEnum):
    """Who reads the answer."""

    DANGER = "danger"
    """A question about danger; which one says the wording key that asked it."""
    SILENT_BACK = "silent_back"
    """After silence: is it convenient now?"""
    ASSISTANT = "assistant"
    """A form, or a choice between two answers: Rasa reads it."""
    TRANSFER = "transfer"
    """Another province: shall we pass it on?"""
    SURVEY = "survey"
    """How satisfied, 5 best."""
    FEEDBACK = "feedback"
    """Whether an answer helped: asked beside it, and only while nothing else is asked."""


DANGER_VALID = timedelta(minutes=30)
FORM_VALID = timedelta(hours=24)
CHOICE_VALID = timedelta(minutes=30)
SURVEY_VALID = timedelta(days=7)
FEEDBACK_VALID = timedelta(minutes=30)

VALID_FOR: Mapping[Kind, timedelta] = {
    Kind.DANGER: DANGER_VALID,
    Kind.SILENT_BACK: DANGER_VALID,
    Kind.ASSISTANT: FORM_VALID,
    Kind.TRANSFER: FORM_VALID,
    Kind.SURVEY: SURVEY_VALID,
    Kind.FEEDBACK: FEEDBACK_VALID,
}


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    STARS = "stars"
    UNRESOLVED = "unresolved"
    """To the survey: 没解决."""


SAFE_KEYS = (
    "ask.safe", "orange.harm", "orange.abuse", "orange.witness", "form.stopped", "human.joins", "keep.secret", "will.arrest",
)  # fmt: skip
"""Fixed texts that end in "are you safe now"."""
ASKS: Mapping[str, Kind] = {
    **dict.fromkeys((*SAFE_KEYS, "red.abuse", "red.suicide", "red.disaster", "parent.rage"), Kind.DANGER),
    "silent.back": Kind.SILENT_BACK, "other.province": Kind.TRANSFER, "form.outside": Kind.TRANSFER,
    "survey": Kind.SURVEY, "eval.reask": Kind.SURVEY, "feedback.ask": Kind.FEEDBACK,
}  # fmt: skip
"""The question a fixed text ends in, by its wording key; texts not here ask nothing that the line itself reads."""

FORM_DANGER = frozenset({"form.help.danger", "form.report.danger"})
"""The assistant's own questions about danger: a yes is read by the line itself."""

MEANS_DANGER: Mapping[str, frozenset[Answer]] = {
    **dict.fromkeys(SAFE_KEYS, frozenset({Answer.NO})),
    "red.abuse": frozenset({Answer.YES}),  # that person is beside them
    "red.suicide": frozenset(Answer),  # whether somebody is there or not: the danger stands
    "red.disaster": frozenset({Answer.NO}),
    **dict.fromkeys(("parent.rage", *FORM_DANGER), frozenset({Answer.YES})),
}
"""Answers that say the danger is now, whatever was judged before, by the wording key that asked."""

_YES_NO = {1: Answer.YES, 2: Answer.NO, 3: Answer.UNCLEAR}
_DIGIT = re.compile(r"[\s\W]*(?:选|回|按)?\s*([0-9])\s*(?:星|分)?[\s\W]*")
_LEADING = re.compile(r"\s*([1-5])[\s、.,，。:：]*(\D*)")
_SAFE_WORDS = (
    "安全|安全的|现在安全|我安全|我很安全|是|是的|嗯|没事|没事了|暂时安全",
    "不安全|我不安全|现在不安全|不|不是|没有|危险|有危险|很危险|不太安全",
)
_WORDS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(SAFE_KEYS, _SAFE_WORDS),
    "red.abuse": ("在|在旁边|在的|是|嗯|在家|他在|就在旁边", "不在|没在|没有|走了|出去了|不在家|不|他不在"),
    "red.suicide": ("有|有人|在|是|嗯", "没有|没|没人|没有人|不|就我一个|就我自己|我一个人"),
    "red.disaster": ("是|是的|都出来了|出来了|嗯", "没有|没|不|没出来|还没|还有人"),
    "parent.rage": ("有|受伤了|有的|是|嗯", "没有|没|没受伤|不"),
    "silent.back": ("方便|方便了|可以|是|嗯|在|好", "不方便|不|不行"),
    "other.province": ("要|要的|需要|好|是|嗯|帮我转", "不用|不要|不需要|不|没有"),
    "form.outside": ("要|要的|需要|好|是|嗯|帮我转", "不用|不要|不需要|不|没有"),
    "feedback.ask": ("有用|有用的|很有用|有帮助|有点用", "没用|没有用|没得用|没帮助|没有帮助"),
}
_UNSURE = "说不清|不知道|不清楚|不晓得|不好说|不确定"
_STARS = {
    "很满意": 5,
    "非常满意": 5,
    "满意": 4,
    "一般": 3,
    "一般般": 3,
    "不满意": 2,
    "不太满意": 2,
    "很不满意": 1,
    "非常不满意": 1,
}
_EDGES = " ,，。.!！~、"


@dataclass(frozen=True)
class Standing:
    """The question that is open: `key` is the wording that asked it."""

    kind: Kind
    key: str
    valid_until: datetime


@dataclass(frozen=True)
class Read:
    """What a text answers: `stars` (1-5) to the survey, else None; `expired`: put the question again instead of guessing."""

    answer: Answer | None
    stars: int | None = None
    expired: bool = False


def ask(key: str, now: datetime) -> Standing | None:
    """The question that stands once the fixed text `key` was sent at `now`; None when it asks nothing."""
    kind = ASKS.get(key)
    return Standing(kind, key, now + VALID_FOR[kind]) if kind else None


def may_replace(new: Kind, standing: Standing | None, now: datetime) -> bool:
    """Whether a question of kind `new` may take the place of the standing one: danger yields only to danger, and
    whether an answer helped is asked only where nothing else is."""
    if standing is None or now >= standing.valid_until or new in (Kind.DANGER, Kind.SILENT_BACK):
        return True
    if new is Kind.FEEDBACK:
        return standing.kind is Kind.FEEDBACK
    return standing.kind not in (Kind.DANGER, Kind.SILENT_BACK)


def is_digit(text: str) -> bool:
    """Whether the whole text is one digit: an answer to some question, or a lost one."""
    return digit_of(text) is not None


def digit_of(text: str) -> int | None:
    """The one digit the whole text is ("１", "1。", "选2"), else None."""
    found = _DIGIT.fullmatch(normalise(text))
    return int(found.group(1)) if found else None


def means_danger(key: str, answer: Answer | None) -> bool:
    """Whether `answer` to the fixed text `key` says that the danger is now."""
    return answer is not None and answer in MEANS_DANGER.get(key, frozenset())


def read_digit(standing: Standing | None, text: str, now: datetime) -> Read | None:
    """What `text` answers to the standing question, by digit or by the question's own plain words ("不安全").

    None: it answers nothing (read it as a text; a bare digit then gets `digit.lost`). What the assistant asked is not
    read here. `expired`: it would answer, but the question no longer stands.
    """
    if standing is None or standing.kind is Kind.ASSISTANT:
        return None
    words = normalise(text)
    read = _survey(words) if standing.kind is Kind.SURVEY else _yes_no(standing.key, words)
    if read is None:
        return None
    return Read(None, expired=True) if now >= standing.valid_until else read


def _yes_no(key: str, words: str) -> Read | None:
    digit = _DIGIT.fullmatch(words)
    if digit:
        answer = _YES_NO.get(int(digit.group(1)))
        return Read(answer) if answer else None
    leading = _LEADING.fullmatch(words)
    stem = (leading.group(2) if leading else words).strip(_EDGES)
    yes, no = _WORDS.get(key, ("", ""))
    for answer, known in ((Answer.YES, yes), (Answer.NO, no), (Answer.UNCLEAR, _UNSURE)):
        if known and re.fullmatch(f"(?:{known})[了的啊呀呢]?", stem):
            # "1 不安全": digit and word disagree; that is unclear, and somebody should look at it.
            agrees = leading is None or _YES_NO.get(int(leading.group(1))) is answer
            return Read(answer if agrees else Answer.UNCLEAR)
    return None


def _survey(words: str) -> Read | None:
    stripped = words.strip(_EDGES)
    if is_unsolved(stripped.lstrip("12345、., ")):
        return Read(Answer.UNRESOLVED)
    match = _DIGIT.fullmatch(words) or _LEADING.fullmatch(words)
    said = _STARS.get(re.sub("[的了吧啊]+$", "", stripped.lstrip("12345、., ")))
    if match is None:
        return Read(Answer.STARS, said) if said else None
    stars = int(match.group(1))
    plain = _DIGIT.fullmatch(words) is not None
    return Read(Answer.STARS, stars) if 1 <= stars <= 5 and (plain or said == stars) else None
