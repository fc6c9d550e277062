"""The handbook in this process: looking a text up, and saying what was found."""

from __future__ import annotations

from functools import lru_cache

from rasa_sdk.executor import CollectingDispatcher

from policy_faq import Answer, Handbook
from sms_gateway import clock
from sms_gateway.handbook.live import LiveHandbook
from sms_gateway.settings import get_settings

from .replies import speak_text
from .turn import Turn

SURE = 0.6
"""Score from which a text that nobody took for a question is answered all the same; of 61 texts about other matters
in the development sets one reached it, and rightly."""


@lru_cache(maxsize=1)
def live_handbook() -> LiveHandbook:
    """This process's handbook with what was approved since; the server keeps it fresh while it runs."""
    return LiveHandbook(cache=get_settings().data_dir / "handbook.npz")


def handbook() -> Handbook:
    """The handbook as it is now; loaded at the start, since the first load embeds what is new."""
    return live_handbook().book


def look_up(turn: Turn) -> Answer:
    """What the handbook says to this text; figures past their review date with their day."""
    return handbook().answer(turn.text, turn.vector, today=clock.shanghai(turn.now).date())


def say_answer(dispatcher: CollectingDispatcher, answer: Answer, *, after: str = "") -> None:
    """Say a found answer, the short form; `after` follows on a line of its own."""
    text = f"{answer.text}\n{after}" if after else answer.text
    speak_text(
        dispatcher,
        text,
        key="policy.answer",
        asks="form" if after else None,
        entry=answer.entry_id,
        score=round(answer.score, 3),
    )


def answered_after_all(dispatcher: CollectingDispatcher, turn: Turn) -> bool:
    """Answer a text whose intent was not seen as a question, where the handbook is sure; whether it was."""
    answer = look_up(turn)
    if answer.kind != "answer" or answer.score < SURE:
        return False
    say_answer(dispatcher, answer)
    return True
