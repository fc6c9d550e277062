"""Contact broke off in danger: what to do next, in order, beside the talk (PRACTICE section 8: 保持打开，列下一步). Pure.

The order is PRACTICE's: nothing to the phone, since somebody else may hold it (sections 2, 5); the desk that has the matter, or
now gets it, with the last place (section 7); whoever lives near, and whoever told of the child, never the one who hurts it
(sections 7, 9); all of it written down, open until somebody has seen the child with their own eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What is known when contact is lost. `handed_to`: who has the matter (`110`), empty while nobody has; `place`: in words;
    `can_be_driven_to`: it leads below the county; `near`: names in the duty book; `safe_contact`: how they said they can be
    reached; `others`: how many more people told of this child; `may_write`: there is a phone or page at the other end."""

    handed_to: str = ""
    place: str = ""
    can_be_driven_to: bool = False
    near: Sequence[str] = ()
    safe_contact: str = ""
    others: int = 0
    may_write: bool = True
    ask_minutes: float = 30.0
    """How often the desk is asked until the child was seen (PRACTICE section 7); the setting, where it is another."""


def next_steps(facts: Facts) -> list[str]:
    """Short Chinese sentences, the first one first."""
    steps = []
    if facts.may_write:
        steps.append("手机上先停下：不回拨，不催。拿手机的可能是别人；对方来信会响。")
    steps += [_desk(facts), _place(facts), _near(facts)]
    if facts.others:
        steps.append(f"还有 {facts.others} 人报过这个孩子：问他们最后在哪见过，能不能去看一眼。")
    if facts.safe_contact and "先别" not in facts.safe_contact:
        steps.append(f"以前说过怎么找才安全：{facts.safe_contact}。只照这个找，不找伤害孩子的人。")
    steps.append("告诉值班长；找了谁、几点、怎么说，都记一句，交班时当面交。")
    steps.append("有人亲眼见到孩子，才点“已见到孩子”；之前一直开着。")
    return steps


def _desk(facts: Facts) -> str:
    if facts.handed_to:
        return f"告诉 {facts.handed_to}：联系断了，最后来信几点、说了什么，请上门看；每 {facts.ask_minutes:g} 分钟问一次，只问接警方。"
    return "马上交 110：说明联系断了，带上最后的地点、最后一句话和出警提示。"


def _place(facts: Facts) -> str:
    if facts.can_be_driven_to:
        return f"按最后说的地点找：{facts.place}。"
    known = f"现在只知道{facts.place}，" if facts.place else "地点还不知道，"
    return known + "把来信从头再看一遍，找学校、村、路口；请公安按号码查。"


def _near(facts: Facts) -> str:
    if facts.near:
        return f"打当地值守：{'、'.join(facts.near)}；再请乡镇儿童督导员、村儿童主任去看一眼，不说是谁报的。"
    return "通讯录里没有当地的人：打州市、省里的值守，请他们找人去看。"
