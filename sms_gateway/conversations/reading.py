"""What a turn has to go by: the text's wish, the open question, the state of the talk."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.escalations import service as escalations
from sms_gateway.handbook.asked import find_last as find_last_asked
from sms_gateway.handbook.models import Outcome
from sms_gateway.handbook.wishes import is_question, is_rejection
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message, PendingQuestion, Thread
from sms_gateway.tickets import inquiries, inquiry_rules, phrases
from sms_gateway.tickets.asides import tells_only_particulars
from sms_gateway.tickets.draft import OPTIONS
from sms_gateway.tickets.models import Inquiry

from . import alarm, outreach_replies, outreach_words, pending
from .beside import wants_to_tell
from .commands import Command, read_command, squeezed
from .commands import Kind as CommandKind
from .outreach_replies import Outreach
from .outreach_words import Small
from .ownership import Owner
from .questions import FORM_DANGER, Answer, Kind, Read, digit_of, read_digit
from .steps import Answers, Situation, Wish

SAFETY_ASKED_WITHIN = timedelta(minutes=30)
_SAFETY_SEEN_TO = ("ask.safe", "orange.harm", "orange.abuse", "orange.witness", "must.report")
"""After one of these a borderline text is not asked about again: a person reads it all."""
_ANSWERS = {
    Kind.DANGER: Answers.DANGER,
    Kind.SILENT_BACK: Answers.CONVENIENT,
    Kind.SURVEY: Answers.SURVEY,
    Kind.FEEDBACK: Answers.FEEDBACK,
}
_ASSISTANTS = frozenset({Kind.ASSISTANT, Kind.TRANSFER})
"""Questions whose answers Rasa reads."""
REPEATED_WITHIN = timedelta(minutes=30)
AN_ANSWER = 6
"""Characters of an answer to an open question that may well be given twice ("不知道", "没有")."""
TALKING_WITHIN = timedelta(hours=2)
"""Someone whose last talk is longer ago is not being talked with: 别发 then means the outreach texts."""


@dataclass(frozen=True)
class Reading:
    """The situation of a text, the command it is, the question that stands, and what it answers to that."""

    situation: Situation
    command: Command | None
    question: PendingQuestion | None
    answer: Read | None
    began_matter: bool = False
    """The harm this text tells of was not told of before."""
    inquiry: Inquiry | None = None
    """What the desk asked, where this text may be the answer."""
    outreach: Outreach | None = None
    """The broadcast this text may answer."""
    small: Small | None = None
    """What small answer to it the text is."""


async def read(session: AsyncSession, message: Message, thread: Thread) -> Reading:
    """All that decides this text's step."""
    body = message.body
    escalation = await escalations.find_open(session, thread.id)
    question = await pending.find(session, thread.contact_id)
    asks = question is not None and question.kind != Kind.FEEDBACK  # that one stands beside an answer, not in a talk
    outreach = await outreach_replies.look(session, message, busy=_is_busy(thread, question, escalation is not None))
    alone = outreach is not None and outreach.alone
    talking = not alone and (escalation is not None or asks or await _is_talking(session, thread, message))
    command = read_command(body, talking=talking, answers_outreach=alone)
    small = outreach_words.read(body) if alone and message.lane == "blue" and not message.unsure else None
    answer = _danger_in_form(question, body) or read_digit(pending.as_standing(question), body, clock.now())
    asked = _is_the_assistants(question)
    abuse = escalation is not None and escalation.lane == "orange" and escalation.harm == "sexual_abuse"
    inquiry = await _find_inquiry(session, message, command, question)
    situation = Situation(
        owner=thread.owner,
        lane=thread.lane,
        guarded=thread.owner == Owner.WAITING and (thread.lane == "red" or abuse),
        silent=thread.contact.silent_at is not None,
        wish=Wish(command.kind) if command is not None else Wish.NONE,
        answers=await _answers_or_rejects(session, thread, body, _answers(question, answer)),
        assistant_asked=asked,
        wordless=is_wordless(body),
        unsure=bool(message.unsure) and not _says_no_news(body, asked=asked),
        asked_safety_lately=await alarm.was_said_since(
            session, thread.id, _SAFETY_SEEN_TO, clock.now() - SAFETY_ASKED_WITHIN
        ),
        resumes_form=_resumes_form(question, answer),
        repeats=0 if _may_be_said_twice(body, question, asked=asked) else await _count_repeats(session, message),
        calls_out=phrases.calls_out(body),
        answers_desk=inquiry is not None,
        small_talk=small is not None and command is None,
    )
    began = escalation is not None and escalation.message_id == message.id
    return Reading(situation, command, question, answer, began, inquiry, outreach, small)


def _is_busy(thread: Thread, question: PendingQuestion | None, called: bool) -> bool:
    """Whether something other than outreach is going on in this talk: a call, a question that stands, silence, danger."""
    stands = question is not None and question.kind != Kind.FEEDBACK and question.valid_until >= clock.now()
    held = thread.owner in (Owner.WAITING, Owner.OPERATOR) or thread.lane != "blue"
    return called or stands or held or thread.contact.silent_at is not None


async def _find_inquiry(
    session: AsyncSession, message: Message, command: Command | None, question: PendingQuestion | None
) -> Inquiry | None:
    """What the desk asked this person, if nothing else waits for their words and these may be the answer."""
    waits = question is not None and question.kind != Kind.FEEDBACK and question.valid_until >= clock.now()
    ordered = command is not None and command.kind is not CommandKind.DIGIT
    if message.lane != "blue" or waits or ordered or is_wordless(message.body):
        return None
    if is_question(message.body) or not inquiry_rules.may_answer(message.body):
        return None
    return await inquiries.find_waiting(session, contact_id=message.contact_id)


def _danger_in_form(question: PendingQuestion | None, body: str) -> Read | None:
    """A yes to a form's "is somebody in danger now" is acted on here, before the assistant: it needs no machine."""
    key = question.detail.get("key") if question is not None else None
    if question is None or key not in FORM_DANGER or question.valid_until < clock.now():
        return None
    chosen = phrases.read_option("danger", OPTIONS["danger"], body)
    return Read(Answer.YES) if chosen is not None and chosen[0] == 1 else None


def _says_no_news(body: str, *, asked: bool) -> bool:
    if phrases.is_back(body) or tells_only_particulars(body) or wants_to_tell(body):
        return True
    return asked and phrases.is_plain_answer(body)


def _may_be_said_twice(body: str, question: PendingQuestion | None, *, asked: bool) -> bool:
    """Whether the same words again may well answer another question."""
    digit = read_command(body, talking=True) == Command(CommandKind.DIGIT, digit_of(body))
    return (digit and question is not None) or (asked and len(squeezed(body)) <= AN_ANSWER and squeezed(body) != "0")


async def _count_repeats(session: AsyncSession, message: Message) -> int:
    """How many texts right before this one said the very same within half an hour."""
    same, count = squeezed(message.body) or message.body.strip(), 0
    for before in await inbox.list_bodies_before(session, message, since=message.at - REPEATED_WITHIN):
        if (squeezed(before) or before.strip()) != same:
            break
        count += 1
    return count


async def _answers_or_rejects(session: AsyncSession, thread: Thread, body: str, answers: Answers) -> Answers:
    """Also without being asked "不是这个" is about the handbook's last answer, if that was just given."""
    if answers is not Answers.NOTHING or not is_rejection(body):
        return answers
    told = await find_last_asked(session, thread.id, outcomes=(Outcome.ANSWERED,))
    return Answers.FEEDBACK if told is not None else Answers.NOTHING


def _answers(question: PendingQuestion | None, answer: Read | None) -> Answers:
    if question is None or answer is None:
        return Answers.NOTHING
    if question.kind == Kind.ASSISTANT:
        return Answers.DANGER  # of what the assistant asked only that is read here
    return Answers.EXPIRED if answer.expired else _ANSWERS.get(Kind(question.kind), Answers.NOTHING)


def _resumes_form(question: PendingQuestion | None, answer: Read | None) -> bool:
    interrupted = question is not None and bool(question.detail.get("form")) and not question.detail.get("then")
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
