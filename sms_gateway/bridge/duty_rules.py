"""What a line of the duty book may be, and when it turns red. Pure.

Kinds and the monthly test come from PRACTICE section 7 (值守通讯录，每月拨测一遍，拨不通变红).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import phonenumbers

from sms_gateway.clock import shanghai
from sms_gateway.errors import BadInput
from texts.normalise import clean

KINDS: Mapping[str, str] = {
    "desk110": "110 台", "police_post": "派出所", "civil_night": "民政、未保机构（夜间）", "shelter": "临时照料", "hospital": "医院急诊",
    "township": "乡镇儿童督导员", "village": "村儿童主任", "education": "教体", "women": "妇联", "justice": "驻点司法社工",
}  # fmt: skip
"""In the order in which a night's danger needs them: who goes there, who takes the child in, who knows the family."""
NEEDED: Mapping[str, frozenset[str]] = {
    "county": frozenset(KINDS),
    "prefecture": frozenset({"desk110", "civil_night"}),
    "province": frozenset({"desk110", "civil_night"}),
}
"""Kinds that a place of each level must have; one that is missing is shown as missing."""
RESULTS: Mapping[str, str] = {"answered": "接通", "unanswered": "没人接", "wrong_number": "号码不对"}
"""What a test call came to, by hand or by machine."""
BAD = frozenset({"unanswered", "wrong_number"})
RED_AFTER = timedelta(days=31)
"""A post that was reached by nobody for so long is not to be relied on."""
CALLING_FOR = timedelta(minutes=10)
"""A machine's call without an end after this is taken for none."""
LONGEST_NAME, LONGEST_HOURS, LONGEST_NOTE, LONGEST_PHONE = 80, 40, 500, 40

_WITH_AREA = re.compile(r"(0[0-9]{2,3})[-\s]?(1[0-9]{2,4})", re.ASCII)
"""区号＋短号: 0870-110, 0870 12345."""
_SHORT = re.compile(r"1[0-9]{2,4}", re.ASCII)


class NotADutyNumber(BadInput):
    """The number itself is kept out of the error: errors end up in logs."""

    sentence = "电话认不出来：写 11 位手机号，或“区号-号码”，如 0870-1234567；短号前要加区号，如 0870-110。"


class ShortNumberNeedsArea(BadInput):
    sentence = "短号前要加区号，如 0870-110：在昆明拨 110，接的是昆明。"


class KindIsUnknown(BadInput):
    sentence = "请选是哪一类值守电话。"


class NameIsMissing(BadInput):
    sentence = f"请写名称（单位、姓或职务），不超过 {LONGEST_NAME} 字。"


class HoursAreTooLong(BadInput):
    sentence = f"值守时段不超过 {LONGEST_HOURS} 字。"


def parse_phone(words: str) -> str:
    """As it is dialled: a mobile or landline as E.164 (`+8613800000001`), a short number behind its area code (`0870110`).

    Raises `ShortNumberNeedsArea`, `NotADutyNumber`.
    """
    words = clean(words).strip()
    if _SHORT.fullmatch(words):
        raise ShortNumberNeedsArea
    short = _WITH_AREA.fullmatch(words)
    if short is not None:
        return short.group(1) + short.group(2)
    if not words or len(words) > LONGEST_PHONE or any(letter.isalpha() for letter in words):
        raise NotADutyNumber
    try:
        number = phonenumbers.parse(words, "CN")
    except phonenumbers.NumberParseException:
        raise NotADutyNumber from None  # the library's message may quote the number
    if number.country_code != 86 or number.extension or not phonenumbers.is_valid_number(number):
        raise NotADutyNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown_phone(phone: str) -> str:
    """A number of the book as people read and dial it: `138 0000 0001`, `0870 215 8276`, `0870-110`."""
    short = _WITH_AREA.fullmatch(phone)
    if short is not None:
        return f"{short.group(1)}-{short.group(2)}"
    try:
        number = phonenumbers.parse(phone, "CN")
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def check_line(kind: str, name: str, hours: str) -> tuple[str, str]:
    """(name, hours) without blanks around them. Raises `KindIsUnknown`, `NameIsMissing`, `HoursAreTooLong`."""
    name, hours = " ".join(clean(name).split()), " ".join(clean(hours).split())
    if kind not in KINDS:
        raise KindIsUnknown
    if not name or len(name) > LONGEST_NAME:
        raise NameIsMissing
    if len(hours) > LONGEST_HOURS:
        raise HoursAreTooLong
    return name, hours


def is_red(*, made_at: datetime, tested_at: datetime | None, result: str | None, now: datetime) -> bool:
    """Whether the last test that ended failed, or none was made for `RED_AFTER` (a new line has as long for its first)."""
    return result in BAD or (tested_at or made_at) < now - RED_AFTER


def month_begins(now: datetime) -> datetime:
    """When this month began in Yunnan: a post without a test since then is to be tested."""
    return shanghai(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
