"""Judging a text: before everything, once, whoever owns the talk; Rasa is told, never asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock, logs, triage
from sms_gateway.bridge import placing
from sms_gateway.contacts.models import Channel
from sms_gateway.database import notify, transaction
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message
from sms_gateway.operators.seats import DANGER
from sms_gateway.tickets import phrases
from sms_gateway.tickets.asides import tells_only_particulars, tells_with_whom
from sms_gateway.triage.judgement import Judgement, Lane
from texts.embedding import embed, pack

from . import alarm, desk_matters, outreach_replies, pending, talk
from .beside import is_only_beside
from .commands import is_all_well, read_command
from .ownership import Owner
from .questions import Kind, is_digit
from .reading import is_wordless

if TYPE_CHECKING:
    from texts.embedding import Vector

log = logs.get("conversations")

TOGETHER = timedelta(minutes=30)
LAST_TEXTS = 5
"""Texts of the same person that are judged together: fragments make sense only side by side."""


async def judge(message_id: int) -> None:
    """Judge one text and act on it; a text that was judged is left alone."""
    async with transaction() as session:
        message = await inbox.get_message(session, message_id)
        if message.judged_at is not None:
            return
        body = message.body
        earlier = await inbox.list_last_bodies(session, message, count=LAST_TEXTS, since=message.at - TOGETHER)
        alone = _answers_by_itself(body) or await _answers_a_form(session, message)
    judged, vector = await asyncio.to_thread(_judge, body, [] if alone else earlier)
    if _is_order_to_the_line(body):
        judged = triage.nothing(judged)
    async with transaction() as session:
        wanted = select(Message).where(Message.id == message_id).with_for_update(of=Message, key_share=True)
        message = (await session.scalars(wanted.options(joinedload(Message.contact)))).one()
        if message.judged_at is not None:
            return
        _keep(message, judged, vector)
        await _act(session, message, judged)
        await notify(session, "hotline_thread", str(message.thread_id))
    log.info("message_judged", message=message_id, lane=str(judged.lane), type=str(judged.type))
    if judged.lane is not Lane.BLUE:
        await outreach_replies.note_danger(message_id)  # a broadcast that brings danger stops; the alarm is out already


def _answers_by_itself(body: str) -> bool:
    """A digit, a service word, a greeting, a place, "别告诉我妈" or no word at all says nothing about the texts before it."""
    said_nothing = is_digit(body) or is_wordless(body) or phrases.is_back(body) or tells_only_particulars(body)
    return said_nothing or is_only_beside(body) or read_command(body, talking=True) is not None


def _is_order_to_the_line(body: str) -> bool:
    """Nothing but a service word: met as such in the turn, whatever a model makes of so few characters. After "别回"
    nothing must go back, for somebody may be holding the phone; an operator is told there."""
    command = read_command(body, talking=True)
    return command is not None and not command.stop_with_plea


async def _answers_a_form(session: AsyncSession, message: Message) -> bool:
    """ "不知道" to a form's question is about that, not about the texts before; "没事了" always is about those."""
    plain = phrases.is_plain_answer(message.body) or tells_with_whom(message.body)
    if not plain or (is_all_well(message.body) and not phrases.is_skip(message.body)):
        return False
    asked = await pending.find(session, message.contact_id)
    return asked is not None and asked.kind == Kind.ASSISTANT and asked.valid_until >= clock.now()


def _judge(body: str, earlier: list[str]) -> tuple[Judgement, Vector]:
    vector = embed(body)
    return triage.load().judge(body, earlier=earlier, vector=vector), vector


def _keep(message: Message, judged: Judgement, vector: Vector) -> None:
    message.lane, message.harm, message.services = judged.lane, judged.type, list(judged.services)
    message.immediacy, message.score, message.writer = judged.immediacy, judged.score, judged.writer
    message.sexual, message.unsure, message.reply_key = judged.sexual, judged.unsure, judged.reply_key
    message.reasons, message.vector = list(judged.reasons), pack(vector)
    message.judged_at = clock.now()


async def _act(session: AsyncSession, message: Message, judged: Judgement) -> None:
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    thread.last_inbound_at = message.at
    news = alarm.note_place(thread, message.body)  # also where a human has the talk: the desk is chosen by it
    if news or (thread.lane in DANGER and placing.names_spot(message.body)):
        # a job of its own: neither a ticket nor a desk may stand in the way of an alarm
        await defer(session, "conversations.place_told", thread_id=thread.id)
    if thread.channel == Channel.DESK:
        await desk_matters.act(session, thread, message, judged)
        return
    if thread.owner == Owner.CLOSED:
        thread.lane = "blue"
        await talk.move(session, thread, Owner.ASSISTANT, who="person", detail={"message": message.id})
    if thread.owner == Owner.OPERATOR:
        await alarm.call_another_if_gone(session, thread, message)
    if judged.lane is Lane.RED:
        await alarm.on_red(session, message, judged)
    elif judged.lane is Lane.ORANGE:
        await alarm.on_orange(session, message, judged)


async def ensure_judged(message_id: int, *, wait: float = 1.5) -> None:
    """Wait for the danger worker's judgement; where it does not come, judge here."""
    pause, waited = 0.04, 0.0
    while waited < wait:
        async with transaction() as session:
            if await session.scalar(select(Message.judged_at).where(Message.id == message_id)) is not None:
                return
        await asyncio.sleep(pause)
        waited += pause
        pause = min(0.2, pause * 1.6)
    await judge(message_id)
