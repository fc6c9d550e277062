"""The three forms: Rasa's loop holds the talk, `tickets.intake` reads each answer, and at the end one act follows.

`validate_<form>` is called by Rasa for every text in the form, and for the one that opens it: it decides what is known,
what is asked next and whether the form ends. `action_finish_form` then does what the end asks for.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from sms_gateway import regions
from sms_gateway.database import transaction
from sms_gateway.tickets import asides, intake, phrases
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.draft import Draft, Kind
from sms_gateway.tickets.intake import Outcome, Reading
from sms_gateway.wording import say

from . import drafts, people
from .drafts import End, Kept
from .handbook import look_up, say_answer
from .replies import hush, speak, speak_text
from .turn import Turn, read_turn

_ENDS = {
    Outcome.CONFIRMED: End.CONFIRMED,
    Outcome.CANCEL: End.CANCELLED,
    Outcome.DANGER: End.DANGER,
    Outcome.ELSEWHERE: End.ELSEWHERE,
}
_SAID_BESIDE = {"ask_secret": "keep.secret", "ask_arrest": "will.arrest"}
"""Fixed sayings that end in a question of their own; the form goes on once that is answered."""
_SAID_BEFORE = {"ask_machine": "machine", "abuse": "abuse", "prank": "prank"}
"""Fixed sayings after which the form's open question is put again."""
_SURE_OF_PERSON = 0.7
"""From this confidence on "我想找个人说" in the middle of a form brings a person."""


class ValidateForm(Action):
    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def name(self) -> str:
        return f"validate_{drafts.FORMS[self._kind]}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        kept = drafts.read_slot(tracker.get_slot("draft"))
        if kept is None or not kept.is_open:
            kept = _open(dispatcher, self._kind, turn)
        else:
            kept = await _go_on(dispatcher, kept, turn)
        return [SlotSet("draft", kept.as_slot()), SlotSet("requested_slot", kept.asked)]


def _open(dispatcher: CollectingDispatcher, kind: Kind, turn: Turn) -> Kept:
    if kind is Kind.REPORT and (turn.writer == "professional" or asides.names_duty(turn.text)):
        kind = Kind.MANDATED
    draft = intake.start(kind, turn.text)
    kept = Kept(draft, intake.next_question(draft).name, turn.now)
    if turn.sexual:
        return kept.ended(End.DISCLOSED, draft)
    if draft.elsewhere and draft.county is None:
        return kept.ended(End.ELSEWHERE, draft)
    if kept.asked == "with":  # "must.report" ends in that question
        speak(dispatcher, "must.report", asks="form")
    else:
        _ask(dispatcher, Reading(Outcome.ANSWERED, draft, "form.noted" if "what" in draft.answers else None))
    return kept


async def _go_on(dispatcher: CollectingDispatcher, kept: Kept, turn: Turn) -> Kept:
    """One more text in an open form."""
    assert kept.asked is not None  # an open form asks something
    if turn.sexual:
        return kept.ended(End.DISCLOSED, kept.draft)
    if await _said_beside(dispatcher, kept, turn):
        return replace(kept, at=turn.now)
    if phrases.is_back(turn.text):
        _ask(dispatcher, Reading(Outcome.ANSWERED, kept.draft, "form.back"))
        return replace(kept, at=turn.now, paused=False)
    if kept.is_over(turn.now):
        _ask(dispatcher, Reading(Outcome.ANSWERED, kept.draft, "form.expired"))
        return replace(kept, at=turn.now)
    reading = intake.read_answer(kept.draft, kept.asked, turn.text)
    if reading.outcome is Outcome.POLICY_QUESTION:
        answer = look_up(turn)
        if answer.kind == "answer":
            say_answer(dispatcher, answer, after=_open_question(kept))
            return replace(kept, at=turn.now)
        reading = _not_known(kept, turn)
    return _after(dispatcher, replace(kept, at=turn.now), reading)


async def _said_beside(dispatcher: CollectingDispatcher, kept: Kept, turn: Turn) -> bool:
    """Answer what is no word about the form itself; False when the text is none of that."""
    if kept.asked != "secret" and (beside := _SAID_BESIDE.get(turn.intent)):
        speak(dispatcher, beside, asks="form")
    elif before := _SAID_BEFORE.get(turn.intent):
        speak_text(dispatcher, f"{say(before)}\n{_open_question(kept)}", key=before, asks="form")
    elif turn.intent == "human_agent" and turn.confidence >= _SURE_OF_PERSON and kept.asked not in ("what", "more"):
        async with transaction() as session:
            key = await people.call_person(session, turn, cause="asked_for_person")
        speak(dispatcher, key, asks="form")
    else:
        return False
    return True


def _open_question(kept: Kept) -> str:
    return say("form.after_policy") + intake.next_question(kept.draft).text


def _not_known(kept: Kept, turn: Turn) -> Reading:
    """The handbook has no answer: where any words will do the text is one itself, else it is kept for a person."""
    assert kept.asked is not None
    if intake.is_free(kept.asked):
        return intake.read_answer(kept.draft, kept.asked, turn.text, as_answer=True)
    return Reading(Outcome.UNCLEAR, kept.draft.adding("more", turn.text), "form.unsure")


def _after(dispatcher: CollectingDispatcher, kept: Kept, reading: Reading) -> Kept:
    """The form after a reading, and what is said to it."""
    if reading.outcome in _ENDS:
        return kept.ended(_ENDS[reading.outcome], reading.draft)
    if reading.outcome is Outcome.PAUSED:
        if reading.note_key is None:
            hush(dispatcher)
        else:
            speak(dispatcher, reading.note_key, asks="form")
        return replace(kept, draft=reading.draft, paused=True)
    _ask(dispatcher, reading)
    return replace(kept, draft=reading.draft, asked=intake.next_question(reading.draft).name, paused=False)


def _ask(dispatcher: CollectingDispatcher, reading: Reading) -> None:
    asked = intake.next_question(reading.draft)
    speak_text(dispatcher, intake.next_text(reading), key=asked.key, asks="form")


class ActionFinishForm(Action):
    """What follows a form: a ticket, a person, or a word that it is off. The draft is gone then."""

    def name(self) -> str:
        return "action_finish_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        turn = read_turn(tracker)
        kept = drafts.read_slot(tracker.get_slot("draft"))
        events: list[dict[str, Any]] = [SlotSet("draft", None)]
        match kept.end if kept else None:
            case End.CONFIRMED if kept:
                await _open_ticket(dispatcher, kept.draft, turn)
            case End.DANGER:
                await _call_person(turn, cause="danger")
                speak(dispatcher, "danger.noted")
            case End.DISCLOSED:
                await _call_person(turn, cause="disclosure")
                speak(dispatcher, "form.stopped")
            case End.ELSEWHERE if kept and kept.draft.elsewhere == regions.ABROAD:
                speak(dispatcher, "overseas")
            case End.ELSEWHERE:
                speak(dispatcher, "form.outside", asks="choice")
                told = (
                    {"province": kept.draft.elsewhere, "words": "\n".join(kept.draft.answers.values())} if kept else {}
                )
                events.append(people.remembered("transfer", turn, **told))
            case _:
                speak(dispatcher, "form.cancelled")
        return events


async def _call_person(turn: Turn, *, cause: str) -> None:
    """Call a person, come what may: a turn that is over must not take the call back."""

    async def call() -> None:
        async with transaction() as session:
            await people.call_person(session, turn, cause=cause)

    await asyncio.shield(call())


async def _open_ticket(dispatcher: CollectingDispatcher, draft: Draft, turn: Turn) -> None:
    async with transaction() as session:
        ticket = await tickets.open_ticket(
            session,
            thread_id=turn.thread_id,
            contact_id=turn.contact_id,
            asked_in=turn.message_id,
            kind=draft.kind,
            county=draft.county or draft.prefecture,
            answers=draft.answers,
            anonymous=draft.answers.get("secret") == "要" or draft.answers.get("again") == "不能",
            lane=turn.lane,
        )
    if ticket.lane == "blue":
        speak(dispatcher, "ticket.opened", number=ticket.number)
    else:
        speak(dispatcher, "ticket.opened.safe")


class ActionResume(Action):
    """ "继续" where no form is open."""

    def name(self) -> str:
        return "action_resume"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        speak(dispatcher, "form.no_draft")
        return []


def all_forms() -> list[Action]:
    return [
        *(ValidateForm(kind) for kind in (Kind.HELP, Kind.COMPLAINT, Kind.REPORT)),
        ActionFinishForm(),
        ActionResume(),
    ]
