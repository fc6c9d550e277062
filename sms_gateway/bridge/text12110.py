"""12110 短信报警: a hand-over to the police by text, for somebody who cannot speak. Off unless it is set.

The number is `12110` and the last three digits of the place's area code. Source: CCTV News's notice "在12110后加上电话区号后3位",
as copied by daydaynews.cc and jkzy5.com; whether every prefecture of Yunnan has opened it is not known [recalled], which is
why it is off by default and never counts as accepted before somebody answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sms_gateway.messages.segments import segments
from sms_gateway.wording import SIGNATURE

SEGMENTS: Final = 2
POLICE: Final = "12110"

AREAS: Final[dict[str, str]] = {
    "5301": "871", "5303": "874", "5304": "877", "5305": "875", "5306": "870", "5307": "888", "5308": "879", "5309": "883",
    "5323": "878", "5325": "873", "5326": "876", "5328": "691", "5329": "872", "5331": "692", "5333": "886", "5334": "887",
}  # fmt: skip
"""Area codes without the 0 by the first four digits of the adcode; checked in a test against the numbering plan of `phonenumbers`."""

OPENING: Final = "短信报警："
CLOSING: Final = "本人不能说话，请勿回拨。收到请回复。"
_POLICE_NUMBER = re.compile(r"(?:\+?86)?(12110[0-9]{0,4})", re.ASCII)


def number_of(adcode: str | None) -> str | None:
    """The police's text number for a place; None where not even the prefecture is known."""
    area = AREAS.get((adcode or "")[:4])
    return POLICE + area if area else None


def read_number(sender: str) -> str | None:
    """The police's text number as `number_of` writes it, when `sender` is one."""
    found = _POLICE_NUMBER.fullmatch(sender.strip())
    return found[1] if found else None


def compose(*, place: str, what: str, facts: Sequence[str] = (), approach: str = "") -> str:
    """The text, at most `SEGMENTS` segments with the signature: where, what, what else the police need, how to come near.

    What does not fit is cut from the least important end: other facts first, then what happened. The place is told
    whole where that is possible, and "do not call back" always.
    """
    parts = [_plain(place), _plain(what), _plain(approach), *(_plain(fact) for fact in facts)]
    order = [0, 1, 2, *range(3, len(parts))]
    chosen = ["" for _ in parts]
    for index in order:
        chosen[index] = _fitting(parts[index], chosen, index)
    return _joined(chosen)


def _joined(parts: Sequence[str]) -> str:
    told = "；".join(part for part in parts if part)
    return f"{OPENING}{told}。{CLOSING}"


def _fitting(part: str, chosen: Sequence[str], index: int) -> str:
    """As much of `part` as still fits, in place `index`."""

    def fits(length: int) -> bool:
        tried = [*chosen]
        tried[index] = part[:length]
        return segments(SIGNATURE + _joined(tried)) <= SEGMENTS

    shortest, longest = 0, len(part)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if fits(middle):
            shortest = middle
        else:
            longest = middle - 1
    return part[:shortest].rstrip("，、；。 ")


def _plain(words: str) -> str:
    """One line without the marks that part facts."""
    return " ".join(words.replace("；", "，").split()).strip("。；，, ")
