"""One turn: a judged text, one step, and what it leads to. No transaction stays open while Rasa thinks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs, tracing
from sms_gateway.contacts import service as contacts
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.settings import get_settings
from sms_gateway.triage.judgement import LANE_RANK
from texts.embedding import embed, pack_base64, unpack

from . import (
    acts,
    after_turn,
    alarm,
    answering_later,
    assistant,
    joining,
    judging,
    outreach_replies,
    parts_of,
    pending,
    reading,
    service,
    steps,
    talk,
)
from .after_turn import Note
from .foreign import is_foreign
from .passing_on import call_for_foreign, pass_on, understood
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
    parts: tuple[int, ...]
    """Earlier parts of the text that are answered with it."""
    unsure: bool
    """Borderline: they are asked whether they are safe, before an open form goes on."""
    in_form: bool
    """The assistant had asked something before this text."""


ASKS_ASSISTANT = frozenset({Step.ASK_ASSISTANT, Step.ASK_SAFETY, Step.ASK_SAFETY_IN_FORM, Step.RESUME_FORM})
UNSURE = frozenset({Step.ASK_SAFETY, Step.ASK_SAFETY_IN_FORM})
RESUME = "继续"
"""What the assistant hears when a form goes on."""
I_REPORT = "我要报告："
"""What stands before the first words of somebody who must report, so that the assistant opens the short form."""


async def take(message_id: int, *, may_wait: bool = True) -> None:
    """Give the text of that id its turn; one that was dealt with is left alone. `may_wait`: for the rest of a long text."""
    await judging.ensure_judged(message_id)
    async with transaction() as session:
        begun = await _begin(session, message_id, may_wait=may_wait)
    note = await _ask_assistant(begun) if isinstance(begun, Question) else begun
    if note is not None:
        await after_turn.write(note)


async def _begin(session: AsyncSession, message_id: int, *, may_wait: bool) -> Question | Note | None:
    """Do the step where it is ours to do (a note: what it says about the handbook); else the question for the assistant."""
    message = await inbox.get_message(session, message_id)
    if message.answered_by is not None:
        await outreach_replies.note_answered(session, message)
        return None
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    read = await reading.read(session, message, thread)
    step = steps.next_step(read.situation)
    parts = await parts_of.before(session, message)
    if step is Step.ASK_ASSISTANT and may_wait and await parts_of.wait_for_more(session, message, parts):
        return None
    if not parts and await answering_later.put_off(session, message, thread, read, step):
        return None
    said = outreach_replies.kind_said(wish=read.situation.wish, small=read.small, body=message.body)
    await outreach_replies.note(session, [*parts, message], outreach=read.outreach, said=said)
    message.turn_tries += 1
    log.info("turn_step", message=message_id, step=str(step))
    if step in ASKS_ASSISTANT and message.turn_tries <= TRIES:
        return await _question(session, message, thread, read=read, step=step, parts=parts)
    await inbox.mark_answered(session, message_id, "operator" if step is Step.SHOW_ONLY else "turn")
    await parts_of.mark_answered(session, [part.id for part in parts])
    if step in ASKS_ASSISTANT:
        await give_to_person(session, message, thread)
    else:
        await acts.do(session, step, message=message, thread=thread, reading=read)
    return after_turn.of_step(step, read, body=message.body, message_id=message.id, thread_id=thread.id)


async def _question(
    session: AsyncSession, message: Message, thread: Thread, *, read: reading.Reading, step: Step, parts: list[Message]
) -> Question:
    assert message.vector is not None  # judged
    deadline = clock.wall_seconds() + get_settings().assistant_timeout_seconds - MARGIN_SECONDS
    whole = [*parts, message]
    metadata: dict[str, Any] = {
        "contact": message.contact_id, "message": message.id, "thread": thread.id, "turn": uuid4().hex,
        "deadline": deadline, "channel": thread.channel, "region": thread.contact.region,
        "e5": pack_base64(unpack(message.vector)), "lane": _gravest(whole), "sexual": any(part.sexual for part in whole),
        "writer": message.writer, "now": clock.now().timestamp(),
        "form_off": await parts_of.form_is_off(session, message), tracing.NAME: tracing.current(),
    }  # fmt: skip
    text = joining.joined([part.body for part in whole]) if parts else message.body
    must_report = message.lane == "orange" and message.writer == "professional" and read.began_matter
    if step is Step.RESUME_FORM:
        text = RESUME
        await contacts.set_silent(session, thread.contact_id, silent=False)
    elif must_report and not read.situation.assistant_asked:
        text = I_REPORT + text
    if text != message.body:
        del metadata["e5"]  # it is of something else
    return Question(
        message_id=message.id,
        thread_id=thread.id,
        sender=f"thread-{thread.id}",
        text=text,
        metadata=metadata,
        parts=tuple(part.id for part in parts),
        unsure=step in UNSURE,
        in_form=read.situation.assistant_asked or step is Step.RESUME_FORM,
    )


def _gravest(parts: list[Message]) -> str | None:
    return max((part.lane for part in parts), key=lambda lane: LANE_RANK.get(lane or "blue", 0))


async def _ask_assistant(question: Question) -> Note | None:
    """Ask, and pass on what it says; a note of what that says about a question to the handbook."""
    replies = await _replies_to(question)
    async with transaction() as session:
        thread = await talk.get_talk(session, question.thread_id, for_update=True)
        message = await inbox.get_message(session, question.message_id)
        if not await inbox.mark_answered(session, message.id, "turn"):
            return None
        await parts_of.mark_answered(session, question.parts)
        if not outbox.may_leave(Author.ASSISTANT, thread.owner, thread.lane):
            return None  # while it was asked, a human stepped in or danger came: its words are no longer wanted
        if not question.in_form and is_foreign(question.text) and not understood(replies):
            await call_for_foreign(session, thread, message)
        elif replies is not None:
            await outreach_replies.note_understood(session, message, [reply.key for reply in replies])
            await pass_on(
                session,
                thread=thread,
                message=message,
                replies=replies,
                unsure=question.unsure,
                in_form=question.in_form,
            )
        elif question.unsure and message.lane != "orange":  # whether they are safe is asked without any machine
            await service.call_quietly(session, thread=thread, message=message, cause="unsure")
            await alarm.say_fixed(session, thread, message, "ask.safe")
        else:
            await give_to_person(session, message, thread)
    if replies is None or question.metadata["lane"] != "blue":
        return None
    return after_turn.of_replies(
        replies, text=question.text, message_id=question.message_id, thread_id=question.thread_id
    )


async def _replies_to(question: Question) -> list[assistant.Reply] | None:
    """The assistant's replies; None when it did not answer."""
    if "e5" not in question.metadata:
        vector = await asyncio.to_thread(embed, question.text)
        question.metadata["e5"] = pack_base64(vector)
    within = get_settings().assistant_timeout_seconds
    for attempt in (1, 2):
        try:
            return await assistant.ask(
                sender=question.sender, text=question.text, metadata=question.metadata, within=within
            )
        except assistant.AssistantDidNotAnswer as error:
            log.warning("assistant_silent", message=question.message_id, attempt=attempt, late=error.late)
            if error.late:
                break
    return None


async def give_to_person(session: AsyncSession, message: Message, thread: Thread) -> None:
    """The machine is broken: a person gets the talk, the person who wrote hears so."""
    if message.lane == "orange":
        key = alarm.words_for_orange(
            sexual=bool(message.sexual), writer=message.writer or "unknown", reply_key=message.reply_key
        )
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)
    else:
        await service.hand_over(session, thread_id=thread.id, message_id=message.id, cause="assistant_silent")
        key = "bot.down"
    await outbox.queue_fixed(session, thread=thread, key=key, reply_to=message.id)
