"""Self-harm in red: whom the desk told, before it ends the matter. Pure.

Law: near ones, the unit and the police stop it and bring the person to a doctor (精神卫生法 28); who is the harm is not told (PRACTICE
section 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sms_gateway.errors import BadInput

LONGEST_WHY = 300


class Told(StrEnum):
    FAMILY = "family"
    SCHOOL = "school"
    SERVICES = "services"
    NOBODY = "nobody"


NAMES: Mapping[str, str] = {
    Told.FAMILY: "监护人或亲人", Told.SCHOOL: "学校", Told.SERVICES: "120、110", Told.NOBODY: "谁都没通知",
}  # fmt: skip


class SayWhoWasTold(BadInput):
    sentence = "这是伤害自己的事：请选通知了谁。谁都没通知，写为什么。"


class GuardianIsTheHarm(BadInput):
    sentence = "家里人就是伤害孩子的人，不通知他。请选学校、120、110，或者写为什么谁都没通知。"


@dataclass(frozen=True)
class Near:
    """What the form says. `who`: of `Told`; `why`: for nobody."""

    who: tuple[str, ...] = ()
    why: str = ""


def choices(*, guardian_harms: bool) -> list[tuple[str, str]]:
    """What is offered: (key, words)."""
    return [(key, name) for key, name in NAMES.items() if not (guardian_harms and key == Told.FAMILY)]


def checked(near: Near, *, guardian_harms: bool) -> str:
    """The sentence for the record. Raises `SayWhoWasTold`, `GuardianIsTheHarm` (422)."""
    who, why = set(near.who), " ".join(near.why.split())[:LONGEST_WHY]
    if not who or not who <= NAMES.keys() or (Told.NOBODY in who and (len(who) > 1 or not why)):
        raise SayWhoWasTold
    if Told.FAMILY in who and guardian_harms:
        raise GuardianIsTheHarm
    said = "、".join(name for key, name in NAMES.items() if key in who)
    return f"通知：{said}" + (f"，因为{why}" if Told.NOBODY in who else "")
