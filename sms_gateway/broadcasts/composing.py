"""What a text will cost and what may stop it, before anybody approves it. Pure.

The signature 【…】 and the footer count in the 70 (FIELD section 4, item 13); mainland carriers have blocked texts with links or
phone numbers since 2025 even under a registered template (FIELD section 3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from sms_gateway.errors import BadInput
from sms_gateway.messages.segments import segments, units

FOOTER = "本热线不要验证码、不要转账"
"""Every outreach text ends so: who imitates this line is told by it (issue 6)."""
MOST_SEGMENTS = 4
FIELDS = frozenset({"county", "prefecture"})
"""Personal fields of a text. A name is none: it would tell whoever reads the phone that this line knows the household."""
_LINK = re.compile(r"https?://|www\.|[a-z0-9-]+\.(?:cn|com|net|org|gov|edu)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![0-9])(?:\+?86)?(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|400-?[0-9]{3}-?[0-9]{4})(?![0-9])")
_ASKED_FOR_HELP = re.compile(
    "您?(?:孩子|家|家里|家中)?(?:反映|投诉|举报|求助|咨询)的|(?:您|你)(?:的)?(?:工单|案件|求助|投诉|举报)|受害|被害|"
    "(?:遭受|遭到|受到)(?:家暴|性侵|虐待|侵害)的?(?:您|你)|回访|个案"
)
"""Words that tell whoever holds the phone that somebody there has asked for help."""


class TextIsTooLong(BadInput):
    pass


class UnknownField(BadInput):
    sentence = "只能用这些变量：{county}（县）、{prefecture}（州市）。大括号要成对。"


class ShowsThatSomebodyAsked(BadInput):
    sentence = "这句话会让看到手机的人知道这家人求助过。群发只写政策和热线，不写“您反映的”“工单”“回访”。"


class Warning(StrEnum):  # noqa: A001 - what it is called on the page
    LINK = "link"
    PHONE_NUMBER = "phone_number"
    OUTSIDE_BMP = "outside_bmp"
    """Emoji and rare Han: two units each, and some phones show a box."""


@dataclass(frozen=True)
class Composed:
    """`text`: with signature and footer, fields filled with the longest values; `fen`: the price of one recipient."""

    text: str
    units: int
    segments: int
    warnings: tuple[Warning, ...]
    fen: float


def compose(body: str, *, signature: str, longest: dict[str, str], fen_per_segment: float) -> Composed:
    """The text as the longest recipient gets it. `signature`: without brackets; `longest`: the longest value of each field.

    Raises `UnknownField`, `ShowsThatSomebodyAsked`, `TextIsTooLong` (with the number of segments).
    """
    if _ASKED_FOR_HELP.search(body):
        raise ShowsThatSomebodyAsked
    text = whole(body, signature=signature, fields=longest)
    count = segments(text)
    if count > MOST_SEGMENTS:
        raise TextIsTooLong(f"这条要分 {count} 段发，最多 {MOST_SEGMENTS} 段。请写短一些。")
    return Composed(text, units(text), count, warnings(body), count * fen_per_segment)


def whole(body: str, *, signature: str, fields: dict[str, str]) -> str:
    """Signature, body with its fields filled, footer. Raises `UnknownField`."""
    try:
        fields_in = [field for field in Formatter().parse(body) if field[1] is not None]
        names = {str(name) for _, name, _, _ in fields_in}
        if not names <= FIELDS or any(spec or turn for _, _, spec, turn in fields_in):  # a width may be a million signs
            raise UnknownField
        filled = body.format(**{name: fields.get(name, "") for name in names})
    except (ValueError, IndexError):
        raise UnknownField from None
    footer = "" if FOOTER in filled else FOOTER + "。"
    joint = "" if not footer or filled.endswith(("。", "！", "？", "!", "?", "\n")) else "。"
    return f"【{signature}】{filled}{joint}{footer}"


def warnings(body: str) -> tuple[Warning, ...]:
    """What a carrier may block or a phone may not show."""
    found = []
    if _LINK.search(body):
        found.append(Warning.LINK)
    if _NUMBER.search(body):
        found.append(Warning.PHONE_NUMBER)
    if any(ord(sign) > 0xFFFF for sign in body):
        found.append(Warning.OUTSIDE_BMP)
    return tuple(found)
