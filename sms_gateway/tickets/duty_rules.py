"""The hotline's own duty to report suspected harm to a child: to whom, by when, and the clocks that hang on it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from sms_gateway.clock import shanghai
from sms_gateway.departments.categories import Sensitivity, load
from sms_gateway.departments.units import Unit, superior, unit_at
from sms_gateway.triage.judgement import Harm
from texts.normalise import reading

REPORT_ORANGE_WITHIN = timedelta(hours=2)
"""Wall-clock, from the text that told of it (PRACTICE sections 1 and 8; default of the hotline)."""
REPORT_RED_WITHIN = timedelta(minutes=3)
"""Danger known to danger handed over (PRACTICE section 8; default of the hotline)."""
FEEDBACK_WITHIN = timedelta(days=3)
"""After the police took or filed the case (强制报告意见 第10条: 受案或立案后3日内反馈)."""
EVIDENCE_WITHIN = timedelta(hours=72)
"""Evidence and medicine after sexual harm (PRACTICE section 8)."""
PUT_AGAIN_AFTER = (timedelta(0), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""A late report is put before the shift lead so long after it fell due (default of the hotline); it stays on the page till then."""

POLICE, CIVIL, SCHOOLS, LABOUR = "police", "civil", "edu", "hrss"
COMPULSORY_AGES = range(6, 16)
"""义务教育法 第11条: from six, nine years."""
WORKING_AGE = 16
"""未保法 第61条."""
ACCIDENTS = frozenset({Harm.FIRE, Harm.TRAFFIC, Harm.DROWNING, Harm.MEDICAL, Harm.NONE})
"""Nobody did it: help comes by 119, 120 and 122, there is no report of harm."""

_BY_HARM = {
    Harm.VIOLENCE: (POLICE,), Harm.SEXUAL: (POLICE,), Harm.SELF_HARM: (POLICE,), Harm.MISSING: (POLICE,),
    Harm.CONFINED: (POLICE,), Harm.ALONE: (POLICE, CIVIL), Harm.OTHER: (POLICE,),
}  # fmt: skip
_BY_CATEGORY = {
    "D03": (POLICE, CIVIL), "D04": (POLICE, CIVIL), "D05": (POLICE, CIVIL), "D06": (POLICE, CIVIL), "D07": (POLICE, CIVIL),
    "D08": (POLICE, CIVIL), "D09": (POLICE,), "D10": (POLICE,), "D11": (POLICE, SCHOOLS), "D12": (SCHOOLS,), "D22": (POLICE, CIVIL),
    "D23": (POLICE,), "D24": (POLICE, CIVIL), "D26": (POLICE, LABOUR), "D50": (POLICE, CIVIL),
}  # fmt: skip
"""By category of `data/categories.yml`, where a person has put the matter into one; sources in `whom_to_tell`."""
_AT_SCHOOL = frozenset({"D11", "D12", "D13", "D40", "D41"})


def is_suspected_harm(harm: str | None) -> bool:
    """Whether somebody may be harming, neglecting or endangering a child, in a matter that is orange or red: all but accidents."""
    return harm is None or harm not in ACCIDENTS


def whom_to_tell(
    harm: str | None, category: str | None, place: str, *, age: int | None = None, at_school: bool = False,
    avoid: Iterable[str] = (),
) -> list[Unit]:  # fmt: skip
    """The units that must be told of suspected harm: `harm` of triage, `category` if a person chose one, adcode, the child's age.

    - 公安 always, except for a child merely out of school: 未成年人保护法 第11条第2款 (immediately to police, civil affairs, education
      and others), 强制报告意见 第2、4条 (suspicion is enough; nine situations), 云南反家暴条例 第25条.
    - 民政 where nobody cares for the child or the home is not safe: 未成年人保护法 第91–94条 (临时监护、长期监护), 强制报告意见 第4条(六)(八)
      (遗弃、长期无人照料、组织乞讨).
    - 教育 where it happens at or through a school: 未成年人保护法 第39、40条 (严重欺凌、性侵 told to police and education),
      未成年人学校保护规定 第47条; and for a child of compulsory age that is out of school: 未成年人保护法 第83条.
    - 人社 for a working child under sixteen: 未成年人保护法 第61条, 禁止使用童工规定 第5条.
    The unit is the one of the place told (its county, or higher where that is all we know). One of `avoid` (unit codes
    complained of) is replaced by the one above it; where there is none above, it is left out and the rest stands.
    Raises `UnitNotFound` for a place that does not exist.
    """
    departments = dict.fromkeys(_departments(harm, category, age=age, at_school=at_school))
    shunned = set(avoid)
    told: list[Unit] = []
    for department in departments:
        unit: Unit | None = unit_at(department, place)
        while unit is not None and unit.code in shunned:
            unit = superior(unit)
        if unit is not None and unit not in told:
            told.append(unit)
    return told


def _departments(harm: str | None, category: str | None, *, age: int | None, at_school: bool) -> list[str]:
    wanted: list[str] = []
    if harm and harm not in ACCIDENTS:
        wanted += _BY_HARM.get(Harm(harm), (POLICE,))
    wanted += _BY_CATEGORY.get(category or "", ())
    if category == "D12" and age is not None and age not in COMPULSORY_AGES:
        wanted.remove(SCHOOLS)
    if category == "D26" and age is not None and age >= WORKING_AGE:
        wanted.remove(POLICE)
    if at_school and harm in (Harm.SEXUAL, Harm.VIOLENCE):
        wanted.append(SCHOOLS)
    return wanted or [POLICE]


def happens_at_school(category: str | None, relations: Iterable[str | None]) -> bool:
    """Whether a teacher or fellow student is complained of, or the category is one of schools."""
    return category in _AT_SCHOOL or bool({"teacher", "student"} & set(relations))


def is_sexual(harm: str | None, category: str | None, sensitivity: str | None) -> bool:
    """Whether the 72 hours count."""
    known = load().categories.get(category or "")
    return harm == Harm.SEXUAL or Sensitivity.SEXUAL in (
        sensitivity,
        known.sensitivity if known and category == "D09" else None,
    )


def due_at(lane: str, since: datetime) -> datetime:
    """By when the report must be made; always wall-clock time. `since`: when the text that told of it reached our door."""
    return since + (REPORT_RED_WITHIN if lane == "red" else REPORT_ORANGE_WITHIN)


def put_again_at(due: datetime, steps: int) -> datetime | None:
    """When a report that is `steps` times overdue is put before the lead next; None: no more."""
    return due + PUT_AGAIN_AFTER[steps] if steps < len(PUT_AGAIN_AFTER) else None


def steps_due(due: datetime, now: datetime) -> int:
    """How many of those moments have come."""
    return sum(due + after <= now for after in PUT_AGAIN_AFTER)


# ---- when it happened ----

_DIGITS = {
    "一": 1,
    "两": 2,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
    "半": 0.5,
}
_AGO = re.compile(
    "(?P<n>[0-9]{1,2}|[一两二三四五六七八九十半])个?(?P<unit>小时|钟头|分钟|天|星期|礼拜|周|月|年)(?:多)?(?:以?前|之前)"
)
_JUST = re.compile("刚刚|刚才|刚(?=被|着|把)|方才|就在?刚")
_DAY = re.compile(
    "(?P<day>大前天|前天|昨天|昨日|昨|今天|今日|今)(?P<part>凌晨|早上|早晨|一早|上午|中午|下午|傍晚|晚上|晚|夜里|夜|半夜)?"
)
_BACK = {"大前天": 3, "前天": 2, "昨天": 1, "昨日": 1, "昨": 1, "今天": 0, "今日": 0, "今": 0}
_HOUR = {
    "凌晨": 0, "早上": 6, "早晨": 6, "一早": 6, "上午": 8, "中午": 11, "下午": 12, "傍晚": 17, "晚上": 18, "晚": 18, "夜里": 18,
    "夜": 18, "半夜": 23,
}  # fmt: skip
_UNIT_HOURS = {
    "小时": 1,
    "钟头": 1,
    "分钟": 1 / 60,
    "天": 24,
    "星期": 168,
    "礼拜": 168,
    "周": 168,
    "月": 720,
    "年": 8760,
}


def occurred_at(words: str, told_at: datetime) -> datetime | None:
    """The earliest moment somebody's words allow for what happened, not after `told_at`; None where they do not say.

    Earliest, so that a countdown rather ends too early.
    """
    said = reading(words[:2000])
    if match := _AGO.search(said):
        number = match.group("n")
        count = float(number) if number.isascii() else _DIGITS[number]
        return told_at - timedelta(hours=(count + 0.5 if count >= 1 else count) * _UNIT_HOURS[match.group("unit")])
    if _JUST.search(said):
        return told_at - timedelta(hours=1)
    if (match := _DAY.search(said)) and (match.group("part") or len(match.group("day")) > 1):
        return min(_day_of(match, told_at), told_at)
    return None


def _day_of(match: re.Match[str], told_at: datetime) -> datetime:
    here = shanghai(told_at)
    hour = _HOUR.get(match.group("part") or "", 0)
    day = here.replace(hour=hour, minute=0, second=0, microsecond=0) - timedelta(days=_BACK[match.group("day")])
    return day.astimezone(told_at.tzinfo)


def evidence_until(words: str, told_at: datetime) -> tuple[datetime, str]:
    """When evidence and medicine end, and what that counts from: `told` (the words say when) or `received` (the text)."""
    happened = occurred_at(words, told_at)
    return ((happened or told_at) + EVIDENCE_WITHIN, "told" if happened else "received")
