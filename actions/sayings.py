"""Actions that only say a fixed text: greeting, thanks, "are you a machine" and the like.

A yes or no in words answers what the assistant asked last, like the digit; where nothing was asked it stands for nothing.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from .policy import choose, open_question
from .replies import speak
from .turn import read_turn

FIXED = {
    "action_greet": "greet",
    "action_thanks": "thanks",
    "action_goodbye": "goodbye",
    "action_machine": "machine",
    "action_keep_secret": "keep.secret",
    "action_will_arrest": "will.arrest",
    "action_invite": "ask.gentle",
    "action_prank": "prank",
    "action_abuse": "abuse",
}
"""Action to wording key."""


class ActionSay(Action):
    def __init__(self, name: str, key: str) -> None:
        self._name = name
        self._key = key

    def name(self) -> str:
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        speak(dispatcher, self._key)
        return []


class ActionYesOrNo(Action):
    def __init__(self, name: str, digit: int, lost: str) -> None:
        self._name, self._digit, self._lost = name, digit, lost

    def name(self) -> str:
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        question = open_question(tracker, turn)
        if question is None or question["kind"] == "policy":  # "好" is none of two entries
            speak(dispatcher, self._lost)
            return []
        return await choose(dispatcher, question, self._digit, turn)


def all_sayings() -> list[Action]:
    return [
        *(ActionSay(name, key) for name, key in FIXED.items()),
        ActionYesOrNo("action_affirm", 1, "affirm.lost"),
        ActionYesOrNo("action_deny", 2, "deny.lost"),
    ]
