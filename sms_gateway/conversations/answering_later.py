"""Under overload a question to the handbook gets "稍后回复" at once, and its answer when the load has fallen. Danger never waits here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.handbook.wishes import is_question
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox, outbox, pressure
from sms_gateway.messages.models import Message, Thread
from sms_gateway.messages.overload import LONGEST, Asked, Shed, may_wait
from sms_gateway.timers import set_timer

from . import pending, talk
from .ownership import Owner
from .questions import Kind
from .reading import Reading
from .steps import Step

log = logs.get("conversations")

LATER = "later"
"""`answered_by` of a text that waits for its answer: nobody finds it forgotten."""
SLOT = -1
"""The place of "稍后回复" among the replies to a text: before the answer, and once."""
FIRST_LOOK, SPREAD = 15, 15
"""Seconds until it is looked at again; not all of them at the same moment."""


async def put_off(session: AsyncSession, message: Message, thread: Thread, read: Reading, step: Step) -> bool:
    """Whether this text was put off just now."""
    if step is not Step.ASK_ASSISTANT or read.situation.assistant_asked:
        return False
    asked = _asked(message, thread, question=is_question(message.body))
    # Behind one that waits this one waits too, whatever the load is by now: else its answer would be the first.
    if not may_wait(asked, await pressure.level(session)) and not (
        may_wait(asked, Shed.POLICY) and await list_waiting(session, thread.id, upto=message.id)
    ):
        return False
    await inbox.mark_answered(session, message.id, LATER)
    await outbox.queue_fixed(session, thread=thread, key="busy.later", reply_to=message.id, slot=SLOT)
    await _look_again(session, message)
    log.info("answer_put_off", message=message.id)
    return True


async def take_up(session: AsyncSession, message_id: int) -> None:
    """Let the text of that id have its turn now, unless the load is still high or a form is open that would take it for an answer.

    What the same person asked before it goes first.
    """
    message = await inbox.get_message(session, message_id)
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    await session.refresh(message, ["answered_by"])  # as it is under the lock
    if message.answered_by != LATER:
        return
    if thread.owner == Owner.OPERATOR:
        message.answered_by = "operator"  # who reads it in the console
        return
    in_form = await _is_in_form(session, message)
    asked = _asked(message, thread, question=True)
    if asked.waited < LONGEST and (in_form or may_wait(asked, await pressure.level(session))):
        await _look_again(session, message)
        return
    name = "conversations.rescue" if in_form else "conversations.take_held_turn"
    lock = None if in_form else f"contact:{message.contact_id}"
    for due in await list_waiting(session, thread.id, upto=message_id):
        due.answered_by = None
        await defer(session, name, lock=lock, message_id=due.id)
        log.info("answer_taken_up", message=due.id)


async def list_waiting(session: AsyncSession, thread_id: int, *, upto: int) -> Sequence[Message]:
    """Texts of that talk, no newer than `upto`, that wait for their answer; oldest first."""
    wanted = select(Message).where(Message.thread_id == thread_id, Message.answered_by == LATER, Message.id <= upto)
    return (await session.scalars(wanted.order_by(Message.id))).all()


async def give_to_operator(session: AsyncSession, thread_id: int) -> None:
    """A person has the locked talk: they answer what waits, and the machine does not once the talk is handed back."""
    waiting = update(Message).where(Message.thread_id == thread_id, Message.answered_by == LATER)
    await session.execute(waiting.values(answered_by="operator"))


async def _is_in_form(session: AsyncSession, message: Message) -> bool:
    asked = await pending.find(session, message.contact_id)
    return asked is not None and asked.kind == Kind.ASSISTANT and asked.valid_until >= clock.now()


def _asked(message: Message, thread: Thread, *, question: bool) -> Asked:
    waited = (clock.now() - message.at).total_seconds()
    return Asked(lane=message.lane, talk_lane=thread.lane, is_question=question, waited=waited)


async def _look_again(session: AsyncSession, message: Message) -> None:
    due_at = clock.now() + timedelta(seconds=FIRST_LOOK + message.id % SPREAD)
    await set_timer(session, job="conversations.answer_later", subject_id=message.id, due_at=due_at)
