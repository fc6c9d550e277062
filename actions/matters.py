"""Tickets that need no form: a suggestion, the progress of one's own, the mark for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from sms_gateway import regions
from sms_gateway.conversations import evaluating
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.tickets import own_changes
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.marks import read_mark
from sms_gateway.tickets.models import Ticket
from sms_gateway.wording import say
from texts.normalise import normalise

from .replies import speak
from .turn import Turn, read_turn

_NUMBER = re.compile(r"(?<!\d)(\d{8}|\d{3})(?!\d)")
_SERVICES = frozenset({"110", "119", "120", "122"})
"""Somebody who says that 110 was called names no ticket, unless one of theirs ends so."""
_ONLY_ANNOUNCED = re.compile(
    "^(你好)?我?(想|要|有)?(给你们|跟你们|向你们)?(提|说|反映|反应)?(一|几|点|个|条|下|些)*"
    "(建议|意见)(想提|要提|想说|可以提|提)?[吗嘛么哈呢啊了]?[。.!！?？]*$"
)
_STILL_TOLD = timedelta(days=60)
"""A ticket that ended longer ago is not told of when somebody asks for "the" ticket."""


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
        named = _NUMBER.findall(normalise(turn.text))
        found = [ticket for ticket in own if ticket.number.endswith(tuple(named))] if named else []
        if found or set(named) - _SERVICES:
            _tell(dispatcher, found, unknown="status.not_yours")
        else:
            _tell(dispatcher, _asked_about(own, turn), unknown="status.none")
        return []


class ActionChangeTicket(Action):
    """Take back or add to one's own ticket, as `ticket.opened` promises ("要改、要撤，直接写一句").

    Of a matter of harm nothing is said that tells whoever holds the phone that there is one.
    """

    def name(self) -> str:
        return "action_change_ticket"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        tails = tuple(set(_NUMBER.findall(normalise(turn.text))) - _SERVICES)
        async with transaction() as session:
            found = await own_changes.find_changeable(session, contact_id=turn.contact_id, tails=tails)
            if len(found) != 1:
                return _which(dispatcher, len(found), named=bool(tails))
            change = own_changes.take_back if turn.intent == "withdraw" else own_changes.add_words
            outcome = await change(session, found[0], message_id=turn.message_id)
        key = "change.noted" if found[0].lane != "blue" else f"change.{outcome.value}"
        speak(dispatcher, key, tail=found[0].number[-3:])
        return []


def _which(dispatcher: CollectingDispatcher, count: int, *, named: bool) -> list[dict[str, Any]]:
    if count:
        speak(dispatcher, "change.which", count=count)
    else:
        speak(dispatcher, "status.not_yours" if named else "status.none")
    return []


def _asked_about(own: Sequence[Ticket], turn: Turn) -> Sequence[Ticket]:
    """The open ones; when there is none, the newest that ended lately."""
    still_open = [ticket for ticket in own if ticket.closed_at is None]
    ended = [ticket for ticket in own if ticket.closed_at and turn.now - ticket.closed_at < _STILL_TOLD]
    return still_open or ended[:1]


def _tell(dispatcher: CollectingDispatcher, found: Sequence[Ticket], *, unknown: str) -> None:
    if not found:
        speak(dispatcher, unknown)
    elif len(found) > 1:
        speak(dispatcher, "status.which", count=len(found))
    else:
        ticket = found[0]
        key = "status.done" if ticket.closed_at else "status.shown"
        speak(dispatcher, key, tail=ticket.number[-3:], state=say(f"status.state.{ticket.status}"))


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
