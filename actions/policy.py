"""Answering policy questions from the handbook, and choosing between two entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from policy_faq import Answer
from policy_faq.past_review import short_answer
from sms_gateway import clock
from sms_gateway.conversations.questions import digit_of
from sms_gateway.database import transaction
from sms_gateway.wording import say

from . import people
from .handbook import handbook, look_up, say_answer
from .replies import speak, speak_text
from .transfers import to_general_desk, to_province
from .turn import Turn, read_turn

CHOICE_LASTS = timedelta(minutes=30)
"""A digit answers the choice for that long; afterwards it is asked again, never guessed."""


class ActionAnswerPolicy(Action):
    def name(self) -> str:
        return "action_answer_policy"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        answer = look_up(turn)
        if answer.kind == "answer":
            say_answer(dispatcher, answer)
        elif answer.kind == "clarify":
            return [ask_which(dispatcher, answer, turn)]
        else:
            speak_text(dispatcher, say("policy.unsure"), key="policy.unsure", score=round(answer.score, 3))
        return [SlotSet("question", None)]


def ask_which(dispatcher: CollectingDispatcher, answer: Answer, turn: Turn) -> dict[str, Any]:
    """Ask which of two entries is meant, and remember them."""
    first, second = (choice.question.rstrip("？?") for choice in answer.choices[:2])
    text = say("policy.clarify", first=first, second=second)
    speak_text(dispatcher, text, key="policy.clarify", asks="choice", score=round(answer.score, 3))
    until = (turn.now + CHOICE_LASTS).timestamp()
    choices = [choice.entry_id for choice in answer.choices[:2]]
    return dict(SlotSet("question", {"kind": "policy", "choices": choices, "until": until}))


class ActionChoose(Action):
    """A lone digit outside a form: it answers the assistant's last question, if that still stands."""

    def name(self) -> str:
        return "action_choose"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        question = open_question(tracker, turn)
        digit = digit_of(turn.text)
        if question is None or digit is None:
            speak(dispatcher, "digit.lost")
            return [SlotSet("question", None)]
        return await choose(dispatcher, question, digit, turn)


def open_question(tracker: Tracker, turn: Turn) -> dict[str, Any] | None:
    """What the assistant asked last outside a form, if that still stands."""
    question = tracker.get_slot("question")
    return question if question and turn.now.timestamp() <= question["until"] else None


async def choose(
    dispatcher: CollectingDispatcher, question: dict[str, Any], digit: int, turn: Turn
) -> list[dict[str, Any]]:
    """Do what `digit` means as the answer to `question`."""
    if question["kind"] == "policy":
        _choose_entry(dispatcher, question["choices"], digit, turn)
    elif question["kind"] == "transfer":
        await _choose_transfer(dispatcher, question, digit, turn)
    else:
        await _choose_scope(dispatcher, question, digit, turn)
    return [SlotSet("question", None)]


def _choose_entry(dispatcher: CollectingDispatcher, choices: list[str], digit: int, turn: Turn) -> None:
    index = digit - 1
    entry = handbook().entry(choices[index]) if 0 <= index < len(choices) else None
    if entry is None:
        speak(dispatcher, "policy.ask_again")
    else:
        short = short_answer(entry, clock.shanghai(turn.now).date())
        speak_text(dispatcher, short, key="policy.answer", entry=entry.id, score=1.0)


async def _choose_transfer(dispatcher: CollectingDispatcher, question: dict[str, Any], digit: int, turn: Turn) -> None:
    """ "要我帮你转吗？1要 2不用" for a matter of another province: a person passes it on."""
    if digit == 1:
        await to_province(dispatcher, turn, question)
    else:
        speak(dispatcher, "other.province.no")


async def _choose_scope(dispatcher: CollectingDispatcher, question: dict[str, Any], digit: int, turn: Turn) -> None:
    """ "这是孩子的事吗？1是 2不是 3说不清" after a text that was not understood."""
    match digit:
        case 1:
            speak(dispatcher, "scope.tell")
        case 2:
            await to_general_desk(dispatcher, turn, message_id=question.get("message"))
        case _:
            async with transaction() as session:
                key = await people.call_person(session, turn, cause="unsure")
            speak(dispatcher, key)
