"""订阅 and 退订: outreach only; help is never opted out of.

The plain words are read by the front door itself; here are the wishes in other words, which must speak of being sent
something, or be very sure: "烦死了" is no wish to opt out.
"""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from sms_gateway.contacts import service as contacts
from sms_gateway.database import transaction
from texts.normalise import normalise

from .people import not_understood
from .replies import speak
from .turn import Turn, read_turn

_SENDING = re.compile("退|订|发|短信|信息|消息|收|通知|推送|宣传|td|tui")
_HAN = re.compile("[\u4e00-\u9fff]")
_VERY_SURE = 0.85
_A_WORD = 6


def _is_meant(turn: Turn) -> bool:
    plain = normalise(turn.text)
    told = len(plain) > _A_WORD and _HAN.search(plain) is not None  # foreign words and garbage look like "stop" to it
    return bool(_SENDING.search(plain)) or (turn.confidence >= _VERY_SURE and told)


class ActionOptOut(Action):
    def name(self) -> str:
        return "action_opt_out"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        if not _is_meant(turn):
            return await not_understood(dispatcher, tracker, turn)
        async with transaction() as session:
            await contacts.opt_out(session, turn.contact_id)
        speak(dispatcher, "optout" if turn.lane == "blue" else "optout.red")
        return []


class ActionOptIn(Action):
    def name(self) -> str:
        return "action_opt_in"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        if not _is_meant(turn):
            return await not_understood(dispatcher, tracker, turn)
        async with transaction() as session:
            await contacts.opt_in(session, turn.contact_id)
        speak(dispatcher, "optin")
        return []
