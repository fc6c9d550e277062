"""订阅 and 退订: outreach only; help is never opted out of."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from sms_gateway.contacts import service as contacts
from sms_gateway.database import transaction

from .replies import speak
from .turn import read_turn


class ActionOptOut(Action):
    def name(self) -> str:
        return "action_opt_out"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        async with transaction() as session:
            await contacts.opt_out(session, turn.contact_id)
        speak(dispatcher, "optout" if turn.lane == "blue" else "optout.red")
        return []


class ActionOptIn(Action):
    def name(self) -> str:
        return "action_opt_in"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        async with transaction() as session:
            await contacts.opt_in(session, read_turn(tracker).contact_id)
        speak(dispatcher, "optin")
        return []
