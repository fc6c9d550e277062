"""Handing over to a person, and what must be told honestly: another province, abroad, not about a minor, not understood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import regions
from sms_gateway.conversations import service as conversations
from sms_gateway.conversations.foreign import is_pinyin
from sms_gateway.database import transaction
from texts.normalise import normalise

from .handbook import answered_after_all
from .replies import speak
from .transfers import to_general_desk
from .turn import Turn, read_turn

ANSWER_WITHIN = timedelta(minutes=30)
A_SIGH = 5
"""Characters: a text this short that is not understood ("唉", "心情不好") is a sigh, not a matter."""
SURE = 0.6
"""From this confidence on a matter is taken for none of ours."""


async def call_person(session: AsyncSession, turn: Turn, *, cause: str) -> str:
    """Put the talk into the queue of people; the wording key that says so truthfully."""
    return await conversations.hand_over(session, thread_id=turn.thread_id, message_id=turn.message_id, cause=cause)


def remembered(kind: str, turn: Turn, **more: Any) -> dict[str, Any]:
    """The slot event by which a later digit is understood as the answer to `kind`, about the present text."""
    until = (turn.now + ANSWER_WITHIN).timestamp()
    return dict(SlotSet("question", {"kind": kind, "until": until, "message": turn.message_id, **more}))


class ActionHandOver(Action):
    def name(self) -> str:
        return "action_hand_over"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        async with transaction() as session:
            key = await call_person(session, read_turn(tracker), cause="asked_for_person")
        speak(dispatcher, key)
        return [SlotSet("question", None)]


class ActionOutOfScope(Action):
    """Not about a minor, as far as that is sure: a child's sigh must not be sent away to 12345, nor a question the handbook knows."""

    def name(self) -> str:
        return "action_out_of_scope"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        elsewhere = regions.recognise(turn.text).elsewhere
        if elsewhere == regions.ABROAD:
            speak(dispatcher, "overseas")
        elif elsewhere is not None:
            speak(dispatcher, "other.province", asks="choice")
            return [remembered("transfer", turn, province=elsewhere)]
        elif answered_after_all(dispatcher, turn):
            pass
        elif turn.confidence >= SURE:
            await to_general_desk(dispatcher, turn)
        else:
            return await not_understood(dispatcher, tracker, turn)
        return [SlotSet("question", None)]


class ActionFallback(Action):
    """Not understood: what the handbook is sure of, else one question; still not understood: a person."""

    def name(self) -> str:
        return "action_fallback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        if answered_after_all(dispatcher, turn):
            return [SlotSet("question", None)]
        return await not_understood(dispatcher, tracker, turn)


async def not_understood(dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> list[dict[str, Any]]:
    """Ask gently, or whether it is about a child; the second time in a row, and for pinyin, a person is called."""
    if is_pinyin(turn.text):
        async with transaction() as session:
            await call_person(session, turn, cause="language")
        speak(dispatcher, "foreign.pinyin")
        return [SlotSet("question", None)]
    if (tracker.get_slot("question") or {}).get("kind") == "scope":
        async with transaction() as session:
            key = await call_person(session, turn, cause="unsure")
        speak(dispatcher, key)
        return [SlotSet("question", None)]
    if len(normalise(turn.text)) <= A_SIGH:
        speak(dispatcher, "ask.gentle")
        return []
    speak(dispatcher, "scope.ask", asks="choice")
    return [remembered("scope", turn)]
