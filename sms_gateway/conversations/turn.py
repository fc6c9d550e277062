"""One turn: a judged text, one step, and what it leads to. No transaction stays open while Rasa thinks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.settings import get_settings
from sms_gateway.wording import say
from texts.embedding import pack_base64, unpack

from . import acts, alarm, assistant, judging, pending, reading, service, steps, talk
from .questions import CHOICE_VALID, FORM_VALID, Kind
from .steps import Step

log = logs.get("conversations")

TRIES = 2
"""A text whose turn was begun this often without an end (its worker died) goes to a person."""
MARGIN_SECONDS = 0.3
"""The assistant's own deadline lies this long before we give up."""


@dataclass(frozen=True)
class Question:
    """What the assistant is asked: its sender, the text, the metadata of the turn."""

    message_id: int
    thread_id: int
    sender: str
    text: str
    metadata: dict[str, Any]
    lane: str
    writer: str
    sexual: bool
    unsure: bool
    """Borderline, in the middle of a form: they are asked whether they are safe before the form goes on."""


ASKS_ASSISTANT = frozenset({Step.ASK_ASSISTANT, Step.ASK_SAFETY_IN_FORM, Step.RESUME_FORM})
RESUME = "继续"
"""What the assistant hears when a form goes on."""


async def take(message_id: int) -> None:
    """Give the text of that id its turn; one that was dealt with is left alone."""
    await judging.ensure_judged(message_id)
    async with transaction() as session:
        question = await _begin(session, message_id)
    if question is not None:
        await _ask_assistant(question)


async def _begin(session: AsyncSession, message_id: int) -> Question | None:
    """Do the step where it is ours to do; the question for the assistant where it is not."""
    message = await inbox.get_message(session, message_id)
    if message.answered_by is not None:
        return None
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    message.turn_tries += 1
    read = await reading.read(session, message, thread)
    step = steps.next_step(read.situation)
    log.info("turn_step", message=message_id, step=str(step))
    if step in ASKS_ASSISTANT and message.turn_tries <= TRIES:
        return _question(message, thread, step)
    await inbox.mark_answered(session, message_id, "operator" if step is Step.SHOW_ONLY else "turn")
    if step in ASKS_ASSISTANT:
        await give_to_person(session, message, thread)
    else:
        await acts.do(session, step, message=message, thread=thread, reading=read)
    return None


def _question(message: Message, thread: Thread, step: Step) -> Question:
    assert message.vector is not None  # judged
    deadline = clock.wall_seconds() + get_settings().assistant_timeout_seconds - MARGIN_SECONDS
    metadata: dict[str, Any] = {
        "contact": message.contact_id, "message": message.id, "thread": thread.id, "turn": uuid4().hex,
        "deadline": deadline, "channel": thread.channel, "region": thread.contact.region,
        "e5": pack_base64(unpack(message.vector)), "lane": message.lane, "sexual": bool(message.sexual), "writer": message.writer, "now": clock.now().timestamp(),
    }  # fmt: skip
    text = message.body
    if step is Step.RESUME_FORM:
        text = RESUME
        del metadata["e5"]  # it is of the digit
    return Question(
        message.id, thread.id, f"thread-{thread.id}", text, metadata, message.lane or "blue", message.writer or "unknown",
        bool(message.sexual), step is Step.ASK_SAFETY_IN_FORM,
    )  # fmt: skip


async def _ask_assistant(question: Question) -> None:
    within = get_settings().assistant_timeout_seconds
    replies: list[assistant.Reply] | None = None
    for attempt in (1, 2):
        try:
            replies = await assistant.ask(
                sender=question.sender, text=question.text, metadata=question.metadata, within=within
            )
            break
        except assistant.AssistantDidNotAnswer as error:
            log.warning("assistant_silent", message=question.message_id, attempt=attempt, late=error.late)
            if error.late:
                break
    async with transaction() as session:
        thread = await talk.get_talk(session, question.thread_id, for_update=True)
        message = await inbox.get_message(session, question.message_id)
        if not await inbox.mark_answered(session, message.id, "turn"):
            return
        if not outbox.may_leave(Author.ASSISTANT, thread.owner, thread.lane):
            return  # while it was asked, a human stepped in or danger came: its words are no longer wanted
        if replies is not None:
            if question.unsure:
                await service.call_quietly(session, thread=thread, message=message, cause="unsure")
            await _pass_on(session, thread, message, question, replies)
        else:
            await give_to_person(session, message, thread)


async def _pass_on(
    session: AsyncSession, thread: Thread, message: Message, question: Question, replies: list[assistant.Reply]
) -> None:
    """The assistant's replies; where harm was told and it did not take it up, the fixed words for that come first."""
    bodies = [reply.text for reply in replies]
    asks = next((reply.asks for reply in reversed(replies) if reply.asks), None)
    if question.unsure and asks == "form" and all((reply.key or "").startswith("form.") for reply in replies):
        await outbox.queue_fixed(session, thread=thread, key="ask.safe", reply_to=message.id)
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key="ask.safe", detail={"form": True})
        return
    if question.lane == "orange" and asks != "form":
        key = alarm.words_for_orange(sexual=question.sexual, writer=question.writer)
        if await alarm.was_said_since(session, thread.id, key, clock.now() - timedelta(hours=6)):
            key = "orange.more"
        bodies = [say(key), *(reply.text for reply in replies if reply.key == "policy.answer")]
        asks = None
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)
    if asks is not None:
        valid_for = FORM_VALID if asks == "form" else CHOICE_VALID
        await pending.ask(
            session, contact_id=thread.contact_id, kind=Kind.ASSISTANT, valid_for=valid_for, in_reply_to=message.at
        )
    elif question.lane != "orange":
        await _drop_assistants_question(session, thread.contact_id)
        if replies and replies[-1].key is not None:  # 保密、会不会抓人: they end in whether somebody is safe
            await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=replies[-1].key)
    await outbox.queue_replies(session, thread=thread, bodies=bodies, reply_to=question.message_id)


async def _drop_assistants_question(session: AsyncSession, contact_id: int) -> None:
    asked = await pending.find(session, contact_id)
    if asked is not None and asked.kind == Kind.ASSISTANT:
        await pending.drop(session, contact_id)


async def give_to_person(session: AsyncSession, message: Message, thread: Thread) -> None:
    """The machine is broken: a person gets the talk, the person who wrote hears so."""
    if message.lane == "orange":
        key = alarm.words_for_orange(sexual=bool(message.sexual), writer=message.writer or "unknown")
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)
    else:
        await service.hand_over(session, thread_id=thread.id, message_id=message.id, cause="assistant_silent")
        key = "bot.down"
    await outbox.queue_fixed(session, thread=thread, key=key, reply_to=message.id)
