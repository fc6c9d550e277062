"""Phone numbers: one spelling for the database, a masked one for people."""

from __future__ import annotations

import re

import phonenumbers

from sms_gateway.errors import BadInput
from texts.normalise import clean

LONGEST_INPUT = 40
"""No number is written with more characters; anything longer is a text."""

SHORTEST_NATIONAL = 7
"""Digits without the country code; shorter ones are service codes (12345, 10086), not people."""

_MAINLAND_MOBILE = re.compile(r"\+861[3-9]\d{9}")


class NotAPhoneNumber(BadInput):
    """The number itself is kept out of the error: errors end up in logs."""

    sentence = "这不像一个电话号码，请检查后再试。"


def parse(text: str, *, region: str = "CN") -> str:
    """`text` as E.164 ("+8613800000001"). A number without a country code is read as one of `region`.

    Raises `NotAPhoneNumber` for what cannot be a number: short codes, letters, too many digits.
    """
    text = clean(text)
    if not text or len(text) > LONGEST_INPUT or any(character.isalpha() for character in text):
        raise NotAPhoneNumber
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise NotAPhoneNumber from None  # the library's message may quote the number
    short_code = len(str(number.national_number)) < SHORTEST_NATIONAL
    if number.extension or short_code or not phonenumbers.is_possible_number(number):
        raise NotAPhoneNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_mainland_mobile(number: str) -> bool:
    """Whether an E.164 `number` is a mobile of the Chinese mainland (the only ones outreach may go to)."""
    return _MAINLAND_MOBILE.fullmatch(number) is not None


def masked(number: str) -> str:
    """An E.164 `number` for people to see: "138****0001"; others keep country code and the last two digits."""
    if is_mainland_mobile(number):
        return f"{number[3:6]}****{number[-4:]}"
    if not number.startswith("+") or len(number) < 7:
        return "****"
    return f"{number[:3]}****{number[-2:]}"
