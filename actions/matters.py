"""Tickets that need no form: a suggestion, the progress of one's own, the mark for one."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from sms_gateway import regions
from sms_gateway.conversations import evaluating
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.tickets import own_changes, progress
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.marks import read_mark
from texts.normalise import normalise

from .replies import speak, speak_text
from .turn import read_turn

_ONLY_ANNOUNCED = re.compile(
    "^(你好)?我?(想|要|有)?(给你们|跟你们|向你们)?(提|说|反映|反应)?(一|几|点|个|条|下|些)*"
    "(建议|意见)(想提|要提|想说|可以提|提)?[吗嘛么哈呢啊了]?[。.!！?？]*$"
)


class ActionSuggest(Action):
    """A suggestion needs no questions: it is noted as it was written. Only announced ("我有个建议"), it is asked for."""

    def name(self) -> str:
        return "action_suggest"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        if _ONLY_ANNOUNCED.match(normalise(turn.text)):
            speak(dispatcher, "suggestion.ask")
            return []
        county = regions.recognise(turn.text).county
        async with transaction() as session:
            ticket = await tickets.open_ticket(
                session,
                thread_id=turn.thread_id,
                contact_id=turn.contact_id,
                asked_in=turn.message_id,
                kind="suggestion",
                county=county.adcode if county else turn.region,
                answers={"what": turn.text},
            )
        speak(dispatcher, "suggestion.noted", number=ticket.number)
        return []


class ActionTicketStatus(Action):
    """How far one's own ticket is; to nobody else, and never what it is about."""

    def name(self) -> str:
        return "action_ticket_status"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        async with transaction() as session:
            own = await tickets.list_tickets(session, contact_id=turn.contact_id)
            told = progress.answer(own, turn.text, now=turn.now)
            await own_changes.note_asked(session, [one.id for one in told.hidden], message_id=turn.message_id)
        speak_text(dispatcher, told.text, key=told.key)
        return []


class ActionChangeTicket(Action):
    """Take back or add to one's own ticket, as `ticket.opened` promises ("要改、要撤，直接写一句").

    Of a matter of harm nothing is said that tells whoever holds the phone that there is one.
    """

    def name(self) -> str:
        return "action_change_ticket"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        tails = tuple(progress.numbers_in(turn.text) - progress.SERVICES)
        async with transaction() as session:
            found = await own_changes.find_changeable(session, contact_id=turn.contact_id, tails=tails)
            if len(found) != 1:
                return _which(dispatcher, len(found), named=bool(tails))
            change = own_changes.take_back if turn.intent == "withdraw" else own_changes.add_words
            outcome = await change(session, found[0], message_id=turn.message_id)
        key = f"change.{outcome.value}" if progress.may_be_told(found[0]) else "change.noted"
        speak(dispatcher, key, tail=found[0].number[-3:])
        return []


def _which(dispatcher: CollectingDispatcher, count: int, *, named: bool) -> list[dict[str, Any]]:
    if count:
        speak(dispatcher, "change.which", count=count)
    else:
        speak(dispatcher, "status.not_yours" if named else "status.none")
    return []


class ActionEvaluate(Action):
    def name(self) -> str:
        return "action_evaluate"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        mark = read_mark(turn.text)
        if mark.stars is None and not mark.unsolved:
            speak(dispatcher, "eval.reask")
            return []
        async with transaction() as session:
            message = await inbox.get_message(session, turn.message_id)
            key = await evaluating.take_mark(session, message=message, stars=mark.stars, unsolved=mark.unsolved)
        speak(dispatcher, key)
        return []
