"""The rules of a three-way call: whether the person may be called at all, and what follows from the state of its legs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sms_gateway.calls.states import ENDED, IN_VAIN, State
from sms_gateway.calls.words import Purpose


@dataclass(frozen=True)
class Calling:
    """What is known about calling this person. Everything defaults to what keeps the phone silent."""

    has_number: bool = False
    """They texted from a phone; who writes on the web has no number, and a drill's people have no phone."""
    said_fine: bool = False
    """In their own words, or in the form: calling is fine."""
    silent: bool = True
    """88 or 别回: nothing may reach that phone."""
    cautions: tuple[str, ...] = ()
    """Reasons in their words not to call (`conversations.caution`): one is enough."""


def may_call_person(known: Calling) -> bool:
    """Only when they said it is safe, and nothing else they said speaks against it. A phone that rings may get a child beaten."""
    return known.has_number and known.said_fine and not known.silent and not known.cautions


class Step(StrEnum):
    CALL_DESK = "call_desk"
    ASK_FOR_PERSON = "ask_for_person"
    """See whether the person may be called, and call them."""
    FAIL = "fail"
    CLEAR = "clear"
    """Hang up whoever is left alone."""


LIVE = frozenset(State) - ENDED
Legs = Mapping[Purpose, State]


def next_steps(legs: Legs, *, requested: bool, there: bool) -> tuple[Step, ...]:
    """What to do now. `legs`: the state of each leg there is; `requested`: the bridge call waits for its desk; `there`: the
    operator pressed 1, so that it is no voicemail.

    A desk that picks up has not taken the matter: a queue's recording picks up too. The operator who spoke to it says so.
    The operator's phone first, then the desk and the person: nobody picks up to an empty line. Whose leaving leaves one
    alone ends the call for that one; an operator's leaving does not part a desk from a person.
    """
    operator, desk = legs.get(Purpose.OPERATOR), legs.get(Purpose.DESK)
    steps: list[Step] = []
    if operator is State.ANSWERED and there and desk is None and requested:
        steps += [Step.CALL_DESK, Step.ASK_FOR_PERSON]
    if requested and (desk in IN_VAIN or (desk is None and operator in ENDED)):
        steps.append(Step.FAIL)
    gone = any(state in ENDED for state in legs.values())
    if gone and sum(state in LIVE for state in legs.values()) == 1:
        steps.append(Step.CLEAR)
    return tuple(steps)


def why_failed(legs: Legs) -> str:
    """A code for a hand-over nobody picked up: `desk_busy`, `operator_no_answer` ..."""
    who = Purpose.DESK if Purpose.DESK in legs else Purpose.OPERATOR
    if who is Purpose.OPERATOR and legs.get(who) is State.COMPLETED:
        return "operator_not_there"  # picked up, and nobody pressed 1
    return f"{who}_{legs.get(who, State.FAILED)}"
