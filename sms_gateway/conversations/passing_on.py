"""What the assistant said, on its way to the person: words about danger come first, and who reads the next digit is noted."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Message, Thread
from sms_gateway.tickets import asides
from sms_gateway.wording import say

from . import alarm, feedback, form_silence, pending, service
from .assistant import Reply
from .questions import ASKS, CHOICE_VALID, FORM_VALID, SAFE_KEYS, Kind

SAID_LATELY = timedelta(hours=6)
_ANSWERS = frozenset({"policy.answer"})
"""Replies that are worth saying beside the fixed words about harm."""
_WORDS_ENOUGH = frozenset({*SAFE_KEYS, "foreign.pinyin"})
"""Replies that ask for safety themselves, or bring a person."""


async def pass_on(
    session: AsyncSession, *, thread: Thread, message: Message, replies: list[Reply], unsure: bool, in_form: bool
) -> None:
    """Queue the replies to `message`.

    `unsure`: they are also asked whether they are safe. `in_form`: a form was open before this text. Who tells of harm
    without asking for a form gets the words for that and a person, no form.
    """
    asks = next((reply.asks for reply in reversed(replies) if reply.asks), None)
    last = replies[-1].key if replies else None
    harm = message.lane == "orange"
    wants_form = in_form or last == "must.report" or asides.announces(message.body)
    if harm and not (asks == "form" and wants_form):
        await _after_harm(session, thread, message, replies)
        return
    if unsure and not harm:
        await service.call_quietly(session, thread=thread, message=message, cause="unsure")
    if asks == "form" and last not in SAFE_KEYS:
        await form_silence.watch(session, thread)
    if unsure and not harm and last not in _WORDS_ENOUGH:
        await _ask_if_safe(session, thread, message, replies, in_form=asks == "form")
    elif last == "must.report":  # kept under its key: where danger follows it is not said again
        await outbox.queue_fixed(session, thread=thread, key="must.report", reply_to=message.id)
        await _note_question(session, message, replies, asks)
    else:
        await _note_question(session, message, replies, asks)
        bodies = await feedback.ask_beside(session, thread, message, replies)
        await outbox.queue_replies(session, thread=thread, bodies=bodies, reply_to=message.id)


async def _ask_if_safe(
    session: AsyncSession, thread: Thread, message: Message, replies: list[Reply], *, in_form: bool
) -> None:
    """One gentle question; a form goes on once it is answered, an answer from the handbook follows at once."""
    await outbox.queue_fixed(session, thread=thread, key="ask.safe", reply_to=message.id)
    detail = {"form": True} if in_form else {}
    await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key="ask.safe", detail=detail)
    bodies = [] if in_form else _worth_saying(replies)
    await outbox.queue_replies(session, thread=thread, bodies=bodies, reply_to=message.id, first_slot=1)


async def _after_harm(session: AsyncSession, thread: Thread, message: Message, replies: list[Reply]) -> None:
    """Harm was told and the assistant did not take it up in a form: the fixed words for that come first."""
    key = alarm.words_for_orange(
        sexual=bool(message.sexual), writer=message.writer or "unknown", reply_key=message.reply_key
    )
    last = replies[-1].key if replies else None
    if not await alarm.was_said_since(session, thread.id, key, clock.now() - SAID_LATELY):
        await alarm.say_fixed(session, thread, message, key)
        bodies = _worth_saying(replies)
        await outbox.queue_replies(session, thread=thread, bodies=bodies, reply_to=message.id, first_slot=1)
    elif last in SAFE_KEYS:  # 保密、会不会抓人: answered in the fixed words for that
        await alarm.say_fixed(session, thread, message, str(last))
    else:
        bodies = [say("orange.more"), *_worth_saying(replies)]
        await outbox.queue_replies(session, thread=thread, bodies=bodies, reply_to=message.id)


def _worth_saying(replies: list[Reply]) -> list[str]:
    return [reply.text for reply in replies if reply.key in _ANSWERS]


async def _note_question(session: AsyncSession, message: Message, replies: list[Reply], asks: str | None) -> None:
    last = replies[-1].key if replies else None
    if (
        asks is not None and last in ASKS
    ):  # 保密、会不会抓人: they end in whether somebody is safe; the form goes on after
        detail = {"form": True} if asks == "form" else {}
        await pending.ask_what_text_asks(session, contact_id=message.contact_id, key=str(last), detail=detail)
    elif asks is not None:
        await pending.ask(
            session,
            contact_id=message.contact_id,
            kind=Kind.ASSISTANT,
            valid_for=FORM_VALID if asks == "form" else CHOICE_VALID,
            detail={"key": last} if asks == "form" else {},
            in_reply_to=message.at,
        )
    elif message.lane != "orange":
        await _drop_assistants_question(session, message.contact_id)
        if last is not None:
            await pending.ask_what_text_asks(session, contact_id=message.contact_id, key=last)


async def _drop_assistants_question(session: AsyncSession, contact_id: int) -> None:
    asked = await pending.find(session, contact_id)
    if asked is not None and asked.kind == Kind.ASSISTANT:
        await pending.drop(session, contact_id)


def understood(replies: list[Reply] | None) -> bool:
    """Whether a text in another language got an answer out of the handbook."""
    return bool(replies) and any(reply.key == "policy.answer" for reply in replies or ())


async def call_for_foreign(session: AsyncSession, thread: Thread, message: Message) -> None:
    """Another language, not understood: a few words in both, and a person."""
    await service.hand_over(session, thread_id=thread.id, message_id=message.id, cause="language")
    await alarm.say_fixed(session, thread, message, "foreign.person")
