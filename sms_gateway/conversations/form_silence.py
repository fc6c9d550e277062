"""Silence in the middle of a form: by day one reminder at most; where harm is spoken of none, but a person who reads it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.escalations import service as escalations
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.tickets.decent_hours import by_day
from sms_gateway.tickets.harm_words import speaks_of_harm
from sms_gateway.timers import drop_timers, set_timer

from . import alarm, pending, talk
from .ownership import Owner
from .questions import FORM_VALID, Kind

JOB = "conversations.form_silence"
REMIND_AFTER = timedelta(hours=2)


async def watch(session: AsyncSession, thread: Thread) -> None:
    """A form's question was put just now: look again when it has stood unanswered for a while."""
    await drop_timers(session, job=JOB, subject_id=thread.id)
    await set_timer(session, job=JOB, subject_id=thread.id, due_at=by_day(clock.now() + REMIND_AFTER))


async def look(session: AsyncSession, thread_id: int) -> None:
    """Remind, or let a person read; nothing when the form went on, ended, or a human or danger has the talk."""
    thread = await talk.get_talk(session, thread_id, for_update=True)
    asked = await pending.find(session, thread.contact_id)
    in_form = asked is not None and (asked.kind == Kind.ASSISTANT or bool(asked.detail.get("form")))
    if asked is None or not in_form or thread.contact.silent_at is not None or thread.owner != Owner.ASSISTANT:
        return
    told = await _told(session, thread_id)
    if not told or clock.now() - told[-1].at < REMIND_AFTER or clock.now() >= asked.asked_at + FORM_VALID:
        return
    if thread.lane != "blue" or any(message.unsure or speaks_of_harm(message.body) for message in told):
        await escalations.open_or_raise(session, message=told[-1], cause="form_silence", lane="orange")
        talk.raise_lane(thread, "orange")
    elif not await alarm.was_said_since(session, thread_id, "form.remind", clock.now() - FORM_VALID):
        await outbox.queue_fixed(session, thread=thread, key="form.remind")


async def _told(session: AsyncSession, thread_id: int) -> list[Message]:
    """What they wrote within the last day, oldest first."""
    found = select(Message).where(Message.thread_id == thread_id, Message.direction == Direction.IN)
    return list(await session.scalars(found.where(Message.at >= clock.now() - FORM_VALID).order_by(Message.id)))
