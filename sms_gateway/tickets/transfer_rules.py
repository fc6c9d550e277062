"""A matter that goes to another hotline: its states, and the one rule which side owns number, state and clock. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sms_gateway.errors import Conflict
from texts.normalise import normalise

GENERAL = "general"
"""The general 12345 platform of the province; any other partner is a province's short name."""
ELSEWHERE = "外省"
"""Another province, not known which."""
PROVINCES = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南",
    "湖北", "湖南", "广东", "广西", "海南", "四川", "贵州", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆",
)  # fmt: skip
"""Short names, as `regions` tells other provinces by."""
PARTNERS = frozenset({GENERAL, ELSEWHERE, *PROVINCES})
PAUSES = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""Before each new try to hand a matter over; after the last one an operator does it by hand."""
WAITS_FOR_NUMBER = timedelta(minutes=30)
"""Taken without a number: asked again after this, which is safe (one number of ours is one matter of theirs)."""
SOON = timedelta(minutes=15)
"""What became of it may be told so long after the person's text also at night: they have just written."""


class State(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    """They have it, under their number."""
    BY_HAND = "by_hand"
    """No machine can hand it over: an operator does, and writes their number down."""
    REFUSED = "refused"
    RETURNED = "returned"
    """They gave it back: ours again."""
    CLOSED = "closed"
    """They are done with it."""


FOR_AN_OPERATOR = (State.BY_HAND, State.REFUSED)
"""States in which an operator has to do something."""


class Side(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True)
class Ownership:
    """Whose number people are told, whose state counts, whose clock runs."""

    number: Side
    state: Side
    clock: Side


_OURS = Ownership(Side.OURS, Side.OURS, Side.OURS)
_THEIRS = Ownership(Side.THEIRS, Side.THEIRS, Side.THEIRS)
OWNERS: Mapping[State, Ownership] = {
    State.REQUESTED: _OURS, State.BY_HAND: _OURS, State.REFUSED: _OURS, State.RETURNED: _OURS,
    State.ACCEPTED: _THEIRS, State.CLOSED: _THEIRS,
}  # fmt: skip
"""All three go over together, at the moment the other side has given its number, and come back together.

Ours is then `transferred`, with their number beside it; what they do is noted, never worked on here. So no matter is open on
both sides, and none on neither (PRACTICE section 11: 这边办结，那边还开着，就是事故).
"""

MOVES: Mapping[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.ACCEPTED, State.REFUSED, State.BY_HAND, State.CLOSED, State.RETURNED}),
    State.BY_HAND: frozenset({State.ACCEPTED, State.REFUSED}),
    State.REFUSED: frozenset({State.ACCEPTED}),  # an operator got it through after all
    State.ACCEPTED: frozenset({State.CLOSED, State.RETURNED}),
    State.CLOSED: frozenset({State.RETURNED}),
    State.RETURNED: frozenset(),  # once more is a new transfer
}
"""From a request straight to `closed` or `returned`: their answer was lost, their later word came through."""


class TransferCannotMove(Conflict):
    sentence = "这一单的转办已经不是这个状态了，请刷新后再看。"


def check(state: str, to: State) -> None:
    """Raise `TransferCannotMove` unless a transfer may go from `state` to `to`."""
    if to not in MOVES[State(state)]:
        raise TransferCannotMove


def owner(state: State | str) -> Ownership:
    """Which side owns number, state and clock while a transfer is in that state."""
    return OWNERS[State(state)]


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: no more tries."""
    return PAUSES[tries - 1] if 0 < tries <= len(PAUSES) else None


_MATTER = re.compile(
    "停水|停电|停气|断水|断电|来水|来电|水管|自来水|漏水|积水|下水道|井盖|路灯|红绿灯|坑洼|路面|修路|堵车|违停|乱停|停车费|停车场|占道|"
    "噪音|噪声|扰民|广场舞|施工|油烟|臭味|异味|污染|排污|垃圾|环卫|公厕|公交|地铁|出租车|网约车|物业|业委会|电梯|小区|漏雨|拆迁|征地|违建|房产证|"
    "公积金|社保|养老金|退休金|医保卡|失业金|工资|欠薪|拖欠|劳动合同|工伤|加班费|个税|营业执照|驾驶证|驾照|违章|罚单|发票|退款|退货|假货|消费|"
    "办证|居住证|燃气|暖气|宽带|信号|快递|养狗|流浪狗|野狗"
)
_A_CHILDS = re.compile(
    "(?<!没)(?<!没有)(?:孩子|小孩|娃|儿子|女儿|姑娘|学生|孙子|孙女|宝宝)|未成年|同学|老师|学校|幼儿园|读书|上学|我妈|我爸|爸爸|妈妈|后爹|继父|后妈"
)


def is_general_matter(text: str) -> bool:
    """Whether a text that is none of ours is plainly a matter for the general desk: no chatter, nothing that may be a child's.

    Wrong to the side of no: who is not transferred is told to call 12345, and an operator can still transfer it.
    """
    words = normalise(text)
    return _MATTER.search(words) is not None and _A_CHILDS.search(words) is None
