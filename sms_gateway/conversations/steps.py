"""What happens with a text once it is judged. Pure; read and test this first.

Danger was seen to before this (`judging`). Here: a human's talk is left alone, a wish of the person is met, a digit
answers the one question that is open, and everything else is the assistant's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wish(StrEnum):
    """What a whole text asks of the line itself (PRACTICE section 5)."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HUMAN = "human"
    SILENCE = "silence"
    DIGIT = "digit"
    NONE = "none"


class Asked(StrEnum):
    """Who reads a digit now."""

    NOTHING = "nothing"
    EXPIRED = "expired"
    DANGER = "danger"
    SURVEY = "survey"
    SILENT_BACK = "silent_back"
    OTHER = "other"
    """A question of the line that is neither of these (another province: transfer or not)."""
    ASSISTANT = "assistant"
    """A form, or a choice between two answers: Rasa reads it."""


class Step(StrEnum):
    SHOW_ONLY = "show_only"
    """A human has the talk: the text is shown, nothing is sent."""
    HUSH = "hush"
    """The line falls silent, the operator is told."""
    SPEAK_AGAIN = "speak_again"
    ASK_IF_FREE_TO_TALK = "ask_if_free_to_talk"
    OPT_OUT = "opt_out"
    OPT_OUT_QUIETLY = "opt_out_quietly"
    """In red and orange: the plain confirmation, and the operator is told."""
    OPT_IN = "opt_in"
    CALL_PERSON = "call_person"
    FOLLOW_UP = "follow_up"
    """Waiting for a person in danger: at most one fixed text."""
    READ_SAFETY = "read_safety"
    READ_MARK = "read_mark"
    READ_OTHER = "read_other"
    ASK_AGAIN = "ask_again"
    """A digit whose question has expired."""
    DIGIT_WITHOUT_QUESTION = "digit_without_question"
    ASK_GENTLY = "ask_gently"
    """Nothing but signs, blanks or emoji."""
    ASK_SAFETY = "ask_safety"
    ASK_ASSISTANT = "ask_assistant"


@dataclass(frozen=True)
class Situation:
    """All that decides a step."""

    owner: str
    lane: str
    """Of the talk."""
    guarded: bool
    """The talk waits for a person in red, or about abuse: the assistant says nothing."""
    silent: bool
    wish: Wish
    asked: Asked
    wordless: bool
    unsure: bool
    asked_safety_lately: bool


def next_step(now: Situation) -> Step:
    """The one step for this text."""
    if now.owner == "operator":
        return _beside_a_human(now)
    if now.wish is Wish.SILENCE:
        return Step.HUSH
    if now.silent:
        answers = now.wish is Wish.DIGIT and now.asked is Asked.SILENT_BACK
        return Step.SPEAK_AGAIN if answers else Step.ASK_IF_FREE_TO_TALK
    if now.wish is Wish.OPT_OUT:
        return Step.OPT_OUT_QUIETLY if now.lane in ("red", "orange") else Step.OPT_OUT
    if now.wish is Wish.OPT_IN:
        return Step.OPT_IN
    if now.wish is Wish.DIGIT and now.asked is Asked.DANGER:
        return Step.READ_SAFETY
    if now.guarded:
        return Step.FOLLOW_UP
    return _in_plain_talk(now)


def _beside_a_human(now: Situation) -> Step:
    if now.wish is Wish.SILENCE:
        return Step.HUSH
    return Step.SHOW_ONLY


_DIGIT_STEPS = {
    Asked.SURVEY: Step.READ_MARK,
    Asked.OTHER: Step.READ_OTHER,
    Asked.ASSISTANT: Step.ASK_ASSISTANT,
    Asked.EXPIRED: Step.ASK_AGAIN,
    Asked.NOTHING: Step.DIGIT_WITHOUT_QUESTION,
    Asked.SILENT_BACK: Step.DIGIT_WITHOUT_QUESTION,
}


def _in_plain_talk(now: Situation) -> Step:
    if now.wish is Wish.HUMAN:
        return Step.CALL_PERSON
    if now.wish is Wish.DIGIT:
        return _DIGIT_STEPS[now.asked]
    if now.unsure and not now.asked_safety_lately:
        return Step.ASK_SAFETY
    if now.wordless:
        return Step.ASK_GENTLY
    return Step.ASK_ASSISTANT
