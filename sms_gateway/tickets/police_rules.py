"""What a request of the police must say, and who may do what with it. Pure.

Law: the police show a 调取证据通知书 and at least two officers (公安机关办理刑事案件程序规定 62); who is asked gives what is there,
unchanged (刑事诉讼法 54): the original words and pictures, not the reworded copy that departments get.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sms_gateway.errors import BadInput

from .police_models import Stage

LONGEST = 120


class LetterIsIncomplete(BadInput):
    sentence = "请写全：文书号、办案单位、两名以上办案人员的姓名和警号。"


class PeriodIsWrong(BadInput):
    sentence = "起止日期不对：开始那天不能晚于结束那天。"


@dataclass(frozen=True)
class Letter:
    """What the letter says. `since`, `until`: Shanghai's days, both within."""

    number: str
    unit: str
    officers: str
    since: date
    until: date


def checked(letter: Letter) -> Letter:
    """The letter with blanks squeezed. Raises `LetterIsIncomplete`, `PeriodIsWrong` (422)."""
    number, unit, officers = (" ".join(words.split()) for words in (letter.number, letter.unit, letter.officers))
    if not all(4 <= len(words) <= LONGEST for words in (number, unit, officers)):
        raise LetterIsIncomplete
    if (
        len(
            [
                one
                for one in officers.replace("，", "、").replace(",", "、").replace("；", "、").split("、")
                if one.strip()
            ]
        )
        < 2
    ):
        raise LetterIsIncomplete
    if letter.since > letter.until:
        raise PeriodIsWrong
    return Letter(number, unit, officers, letter.since, letter.until)


def may_decide(*, state: str, asked_by: int, by: int) -> bool:
    """Whether `by` may allow or refuse it: never who entered it."""
    return state == Stage.ASKED and asked_by != by


def may_make(*, state: str, asked_by: int, by: int) -> bool:
    """Whether `by` may have the file made, once: who entered it, after another allowed it."""
    return state == Stage.APPROVED and asked_by == by
