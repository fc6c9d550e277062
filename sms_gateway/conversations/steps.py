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


class Answers(StrEnum):
    """Which open question of the line this text answers, by digit or by plain words."""

    NOTHING = "nothing"
    DANGER = "danger"
    CONVENIENT = "convenient"
    SURVEY = "survey"
    FEEDBACK = "feedback"
    """Whether an answer of the handbook helped, by digit or by plain words ("不是这个")."""
    EXPIRED = "expired"
    """It would answer, but the question no longer stands."""


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
    READ_FEEDBACK = "read_feedback"
    TAKE_WORDS = "take_words"
    """What the desk asked them about their matter is answered: the words go to it."""
    ASK_AGAIN = "ask_again"
    """A digit whose question has expired."""
    DIGIT_WITHOUT_QUESTION = "digit_without_question"
    ASK_GENTLY = "ask_gently"
    """Nothing but signs, blanks or emoji."""
    ASK_SAFETY = "ask_safety"
    ASK_SAFETY_IN_FORM = "ask_safety_in_form"
    """The form takes in what was written, so that nothing is lost; what goes back is whether they are safe."""
    RESUME_FORM = "resume_form"
    """They are safe: the form that was interrupted for that question goes on."""
    ANSWER_OUTREACH = "answer_outreach"
    """ "收到", "谁啊" to outreach, with nothing else going on: one fixed word, once."""
    ASK_ASSISTANT = "ask_assistant"
    STILL_CALLING = "still_calling"
    """ "在吗" while they wait for a person: that is what they hear, no greeting."""
    SAY_ONCE_MORE = "say_once_more"
    """The same text again: a short word about that, not the same answer."""
    KEEP_QUIET = "keep_quiet"
    """The same text a third time: shown, not answered."""


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
    answers: Answers
    assistant_asked: bool
    """A form, or a choice between two answers, is open: Rasa reads the digit."""
    wordless: bool
    unsure: bool
    asked_safety_lately: bool
    resumes_form: bool = False
    """The answer to the question that stands is "safe" (or "convenient"), and that question interrupted a form."""
    repeats: int = 0
    """How many of their last texts said the very same; 0 where repeating is no wonder (digits, short answers)."""
    calls_out: bool = False
    """Only asks whether somebody is there."""
    answers_desk: bool = False
    """The desk waits for their words about their matter, and this may be them."""
    small_talk: bool = False
    """Thanks, "谁啊" or "发错了" to outreach, and nothing else is being talked about (`outreach_words`)."""


def next_step(now: Situation) -> Step:
    """The one step for this text."""
    if now.owner == "operator":
        return Step.HUSH if now.wish is Wish.SILENCE else Step.SHOW_ONLY
    if now.wish is Wish.SILENCE:
        return Step.HUSH
    if now.silent:
        if now.answers is not Answers.CONVENIENT:
            return Step.ASK_IF_FREE_TO_TALK
        return Step.RESUME_FORM if now.resumes_form and not now.guarded else Step.SPEAK_AGAIN
    if now.wish is Wish.OPT_OUT:
        return Step.OPT_OUT_QUIETLY if now.lane in ("red", "orange") else Step.OPT_OUT
    if now.wish is Wish.OPT_IN:
        return Step.OPT_IN
    if now.answers is Answers.DANGER:
        return Step.RESUME_FORM if now.resumes_form and not now.guarded else Step.READ_SAFETY
    if now.guarded:
        return Step.FOLLOW_UP
    return Step.ANSWER_OUTREACH if now.small_talk else _in_plain_talk(now)


def _in_plain_talk(now: Situation) -> Step:
    if now.repeats:
        return _again(now)
    if now.wish is Wish.HUMAN:
        return Step.CALL_PERSON
    if now.answers is Answers.SURVEY:
        return Step.READ_MARK
    if now.answers is Answers.FEEDBACK and not now.assistant_asked:
        return Step.READ_FEEDBACK
    if now.answers_desk:
        return Step.TAKE_WORDS
    if now.owner == "waiting" and now.calls_out:
        return Step.STILL_CALLING
    if now.wish is Wish.DIGIT and not now.assistant_asked:
        return Step.ASK_AGAIN if now.answers is Answers.EXPIRED else Step.DIGIT_WITHOUT_QUESTION
    if now.unsure and not now.asked_safety_lately:
        return Step.ASK_SAFETY_IN_FORM if now.assistant_asked else Step.ASK_SAFETY
    if now.wordless:
        return Step.ASK_GENTLY
    return Step.ASK_ASSISTANT


def _again(now: Situation) -> Step:
    """The same text once more: a short other word, then silence; somebody sees every copy."""
    if now.repeats > 1:
        return Step.KEEP_QUIET
    if now.wordless and not now.asked_safety_lately:
        return Step.ASK_SAFETY
    if now.owner == "waiting" and (now.calls_out or now.wish is Wish.HUMAN):
        return Step.STILL_CALLING
    return Step.SAY_ONCE_MORE
