"""Somebody asks for what the hotline has of a number, or that it be erased: what is done, and the one thing that is said. Pure.

The guardian may be the one who harms, and whoever holds the phone may not be who wrote. So what is said is the same in
every case, also where there is nothing (PRACTICE section 9): neither that there is something nor that there is not.

Law: individuals may read, copy and have erased what is theirs (个人信息保护法 第44、45、47条); not where secrecy is due or
being told would hinder the state's duty (第18、35、45条), and what law keeps is kept, only put aside (第47条).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .decision import Keeps


class Asker(StrEnum):
    SUBJECT = "subject"
    """The very person the data is about."""
    GUARDIAN = "guardian"
    """Never answered by this way, whatever they bring (PRACTICE section 9)."""
    OTHER = "other"
    """A relative, a school, a unit, somebody with a letter: their way is another (公安凭文书调取)."""


class Checked(StrEnum):
    """How it was made sure that they are who they say."""

    IN_PERSON = "in_person"
    """Face to face, with a document."""
    PHONE = "phone"
    """They have the phone in hand. Anybody at home may, so it is no proof of anything."""
    NOT = "not"


class Wants(StrEnum):
    ACCESS = "access"
    ERASURE = "erasure"


class Outcome(StrEnum):
    GRANTED = "granted"
    KEPT = "kept"
    """Theirs, but law or evidence keeps it: not erased, said neutrally."""
    REFUSED = "refused"
    NOTHING = "nothing"
    """We have nothing of that number."""


@dataclass(frozen=True)
class Facts:
    """`known`: we have anything of that number. `harm`: a matter of harm is among what belongs together with it.
    `suspected`: a guardian or somebody of the household is complained of, or a matter is sealed. `named`: the asker is, by what
    they said, one of the persons complained of. `keeps`: what keeps it from erasure.
    `knows_family`: the supervisor who asks said that they know the family.
    """

    known: bool
    harm: bool = False
    suspected: bool = False
    named: bool = False
    keeps: Keeps | None = None
    knows_family: bool = False


def decide(asker: Asker, checked: Checked, wants: Wants, facts: Facts) -> Outcome:
    """What is done. In doubt nothing leaves and nothing goes."""
    if not facts.known or facts.knows_family:
        return Outcome.NOTHING
    if asker is not Asker.SUBJECT or checked is not Checked.IN_PERSON or facts.named:
        return Outcome.REFUSED
    if wants is Wants.ERASURE and facts.keeps is not None:
        return Outcome.KEPT
    return Outcome.GRANTED


def needs_another(wants: Wants, facts: Facts) -> bool:
    """Whether a second supervisor must do what was granted: whoever harms may have sent the child, or stand beside it."""
    return wants is Wants.ERASURE or facts.harm or facts.suspected


SAID = "您的申请收到了。热线对每个来信的人都保密：谁来过、有没有来过、说过什么，对谁都一样不说。依法能办的，我们 15 个工作日内办好。您自己或孩子有难处，现在就可以跟我说。"
"""Word for word in every case, on the spot. Nothing is sent to the phone."""

WHY: Mapping[Outcome, str] = {
    Outcome.GRANTED: "可以办，当面交给本人。先看清楚：来的就是本人，是一个人来的，身边没有大人等着、催着。不是这样就不办，只说上面那句话。",
    Outcome.KEPT: "先不删：有证据保全、没办结、在跟进，或侵害类期限没到。到期会自动清。只说上面那句话。",
    Outcome.REFUSED: "不办：问的人不是本人（家长来也一样），没有当面看证件，或者是被反映的人。只说上面那句话，不承认也不否认；问的人像是伤害孩子的人，马上提醒办这件事的同事。",
    Outcome.NOTHING: "没有可办的。只说上面那句话，不要说“没有”。",
}
"""For the supervisor only."""
