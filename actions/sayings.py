"""Actions that only say a fixed text: greeting, thanks, "are you a machine" and the like."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from .replies import speak

FIXED = {
    "action_greet": "greet",
    "action_thanks": "thanks",
    "action_goodbye": "goodbye",
    "action_affirm": "affirm.lost",
    "action_deny": "deny.lost",
    "action_machine": "machine",
    "action_keep_secret": "keep.secret",
    "action_will_arrest": "will.arrest",
    "action_prank": "prank",
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


def all_sayings() -> list[ActionSay]:
    return [ActionSay(name, key) for name, key in FIXED.items()]
