"""What a turn has to go by: the text's wish, the open question, the state of the talk."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.escalations import service as escalations
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message, PendingQuestion, Thread
from sms_gateway.tickets.phrases import is_back

from . import alarm, pending
from .commands import Command, read_command
from .ownership import Owner
from .questions import Answer, Kind, Read, read_digit
from .steps import Answers, Situation, Wish

SAFETY_ASKED_WITHIN = timedelta(minutes=30)
_ANSWERS = {Kind.DANGER: Answers.DANGER, Kind.SILENT_BACK: Answers.CONVENIENT, Kind.SURVEY: Answers.SURVEY}
_ASSISTANTS = frozenset({Kind.ASSISTANT, Kind.TRANSFER})
"""Questions whose answers Rasa reads."""
TALKING_WITHIN = timedelta(hours=2)
"""Someone whose last talk is longer ago is not being talked with: 别发 then means the outreach texts."""


@dataclass(frozen=True)
class Reading:
    """The situation of a text, the command it is, the question that stands, and what it answers to that."""

    situation: Situation
    command: Command | None
    question: PendingQuestion | None
    answer: Read | None


async def read(session: AsyncSession, message: Message, thread: Thread) -> Reading:
    """All that decides this text's step."""
    body = message.body
    escalation = await escalations.find_open(session, thread.id)
    question = await pending.find(session, thread.contact_id)
    talking = escalation is not None or question is not None or await _is_talking(session, thread, message)
    command = read_command(body, talking=talking)
    answer = read_digit(pending.as_standing(question), body, clock.now())
    abuse = escalation is not None and escalation.lane == "orange" and escalation.harm == "sexual_abuse"
    situation = Situation(
        owner=thread.owner,
        lane=thread.lane,
        guarded=thread.owner == Owner.WAITING and (thread.lane == "red" or abuse),
        silent=thread.contact.silent_at is not None,
        wish=Wish(command.kind) if command is not None else Wish.NONE,
        answers=_answers(question, answer),
        assistant_asked=_is_the_assistants(question),
        wordless=is_wordless(body),
        unsure=bool(message.unsure) and not is_back(body),
        asked_safety_lately=await alarm.was_said_since(
            session, thread.id, "ask.safe", clock.now() - SAFETY_ASKED_WITHIN
        ),
        resumes_form=_resumes_form(question, answer),
    )
    return Reading(situation, command, question, answer)


def _answers(question: PendingQuestion | None, answer: Read | None) -> Answers:
    if question is None or answer is None:
        return Answers.NOTHING
    return Answers.EXPIRED if answer.expired else _ANSWERS.get(Kind(question.kind), Answers.NOTHING)


def _resumes_form(question: PendingQuestion | None, answer: Read | None) -> bool:
    interrupted = question is not None and bool(question.detail.get("form"))
    return interrupted and answer is not None and answer.answer is Answer.YES and not answer.expired


def _is_the_assistants(question: PendingQuestion | None) -> bool:
    return question is not None and question.kind in _ASSISTANTS and question.valid_until >= clock.now()


async def _is_talking(session: AsyncSession, thread: Thread, message: Message) -> bool:
    if thread.owner in (Owner.WAITING, Owner.OPERATOR):
        return True
    return await inbox.has_earlier(session, message, since=message.at - TALKING_WITHIN)


def is_wordless(body: str) -> bool:
    """Nothing in it is a letter or a digit: empty, blanks, signs, emoji."""
    return not any(unicodedata.category(character)[0] in "LN" for character in body)
