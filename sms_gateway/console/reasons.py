"""Why somebody opens what is shut by default: danger in hand gives the reason by itself, all else is said (未保法 63). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sms_gateway.errors import BadInput

REASONS: Mapping[str, str] = {
    "danger": "现在有危险，要看以前说过什么",
    "same_child": "核对是不是同一个孩子、同一件事",
    "asked": "来信人请我看以前说过的",
    "other": "其他（写明）",
}
"""For what a person wrote before."""
FOR_A_TALK: Mapping[str, str] = {
    "ticket": "办工单，要看原话",
    "asked": "来信人或家里人来电，要接着说",
    "watch": "听小助手或同事怎么答的",
    "other": "其他（写明）",
}
"""For a talk that called nobody."""
FOR_A_CHILD: Mapping[str, str] = {
    "police": "报告、转给公安或民政，要写姓名",
    "same_child": "核对是不是同一个孩子、同一件事",
    "mend": "登记或改正姓名",
    "other": "其他（写明）",
}
"""For a child's name."""
BY_ITSELF: Mapping[str, str] = {"red": "红色在办，值班中", "orange": "橙色在办，值班中"}
IN_HAND, THEIR_WORK = "会话在自己手上", "办这件单"
"""Reasons that being at work gives."""
FOR_A_TICKET: Mapping[str, str] = {
    "asked": "来信人、家里人或单位来问这件单",
    "same_child": "核对是不是同一个孩子、同一件事",
    "watch": "督办、复看怎么办的",
    "other": "其他（写明）",
}
"""For a ticket that is over or of a sensitive matter, and not theirs to work on."""
LONGEST_REASON = 200


class SayWhy(BadInput):
    sentence = "请选一个理由；选“其他”要写明。"


def by_itself(lane: str, *, on_duty: bool, is_open: bool = True) -> str | None:
    """The reason that need not be said: whoever is on duty while red or orange is open; None: it must be said."""
    return BY_ITSELF.get(lane) if on_duty and is_open else None


def for_a_ticket(lane: str, *, on_duty: bool, is_open: bool, is_harm: bool, at_it: bool) -> str | None:
    """The reason that need not be said. `at_it`: they had a hand in it; an open ordinary one is the desk's own work. None: say it."""
    danger = by_itself(lane, on_duty=on_duty, is_open=is_open)
    return danger or (THEIR_WORK if at_it or (is_open and not is_harm) else None)


def said_why(why: str, words: str, *, among: Mapping[str, str] = REASONS) -> str:
    """The reason as the audit keeps it: one of `among`, with the operator's words. Raises `SayWhy`."""
    words = " ".join(words.split())[:LONGEST_REASON]
    if why not in among or (why == "other" and not words):
        raise SayWhy
    return words if why == "other" else f"{among[why]}：{words}" if words else among[why]


def masked_name(name: str) -> str:
    """A person's name for people to see who gave no reason: the first sign and stars, as many whatever its length."""
    name = name.strip()
    return f"{name[:1]}＊＊" if name else ""
