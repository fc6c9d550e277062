"""A text that comes back to outreach, as the talk sees it: what it answers, whether anything else is going on, and its note.

The note is written beside the turn, never before an alarm: what a child writes is judged and rings as if no broadcast had
been. A red or orange text is noted right after its alarm is committed, in a transaction of its own; should that be lost, its turn does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.broadcasts import replies
from sms_gateway.broadcasts.replies import Kind, Reached
from sms_gateway.database import transaction
from sms_gateway.handbook.wishes import is_question
from sms_gateway.messages import inbox
from sms_gateway.messages.delivery import State
from sms_gateway.messages.models import Direction, Message
from sms_gateway.operators.seats import DANGER

from . import outreach_words
from .outreach_words import Small
from .steps import Wish

log = logs.get("conversations")

TALKED_WITHIN = timedelta(hours=2)
"""A talk this long before outreach came still goes on (`reading.TALKING_WITHIN`)."""
LOOKED_AT = 40
LONGEST_SECONDS = 2.0
_WAIT = text("SELECT set_config('lock_timeout', :longest, true)")
_SMALL = {
    Small.THANKS: Kind.THANKS,
    Small.DOUBT: Kind.DOUBT,
    Small.NOT_MINE: Kind.NOT_MINE,
    Small.OTHER_PHONE: Kind.OTHER,
}


@dataclass(frozen=True)
class Said:
    """An earlier text of the talk."""

    inbound: bool
    at: datetime
    key: str | None
    lane: str | None


@dataclass(frozen=True)
class Outreach:
    """`alone`: outreach is the last they got from us, and nothing else is being talked about."""

    reached: Reached
    alone: bool


def is_alone(before: Sequence[Said], *, reached_at: datetime, at: datetime) -> bool:
    """Whether a text of `at` answers outreach and nothing else, by what was said before. Pure.

    Since outreach came we said nothing but the small words for it, they wrote of no harm, and right before it nobody talked.
    """
    for said in before:
        if said.at < reached_at:
            if said.at >= at - TALKED_WITHIN:
                return False
        elif said.lane in DANGER or not (said.inbound or said.key in outreach_words.KEYS):
            return False
    return True


async def _reached_by(session: AsyncSession, message: Message) -> Reached | None:
    return await replies.find_recent(session, message.contact, at=message.at, extension=message.extension)


async def look(session: AsyncSession, message: Message, *, busy: bool) -> Outreach | None:
    """What outreach this text may answer; None: none of the last week. `busy`: something else stands open."""
    reached = await _reached_by(session, message)
    if reached is None:
        return None
    if busy:
        return Outreach(reached, alone=False)
    since = min(reached.at, message.at - TALKED_WITHIN)
    row = Message
    wanted = select(row.direction, row.at, row.text_key, row.lane).where(row.thread_id == message.thread_id)
    wanted = wanted.where(row.id < message.id, row.at >= since, row.state.is_distinct_from(State.CANCELLED))
    found = await session.execute(wanted.order_by(row.id.desc()).limit(LOOKED_AT))
    before = [Said(direction == Direction.IN, at, key, lane) for direction, at, key, lane in found]
    return Outreach(reached, is_alone(before, reached_at=reached.at, at=message.at))


def kind_said(*, wish: Wish, small: Small | None, body: str) -> Kind:
    """What the talk made of a text. Pure."""
    if wish is Wish.OPT_OUT:
        return Kind.OPT_OUT
    if wish is Wish.HUMAN:
        return Kind.PERSON
    if small is not None:
        return _SMALL[small]
    return Kind.QUESTION if is_question(body) else Kind.OTHER


async def note(session: AsyncSession, messages: Sequence[Message], *, outreach: Outreach | None, said: Kind) -> None:
    """Note those texts of a turn. A note that cannot be written, or would have to wait, is lost, never the turn."""
    if outreach is None:
        return
    try:
        async with session.begin_nested():
            await session.execute(_WAIT, {"longest": "500ms"})
            for message in messages:
                await replies.note(session, message, reached=outreach.reached, said=said)
            await session.execute(_WAIT, {"longest": "0"})
    except SQLAlchemyError as error:
        log.warning("reply_note_lost", message=messages[-1].id, error=type(error).__name__)


async def note_understood(session: AsyncSession, message: Message, keys: Sequence[str | None]) -> None:
    """The assistant read a wish for no more out of words the rules do not know."""
    if not {"optout", "optout.red"} & set(keys):
        return
    try:
        async with session.begin_nested():
            await replies.note_opted_out(session, message.id)
    except SQLAlchemyError as error:
        log.warning("reply_note_lost", message=message.id, error=type(error).__name__)


async def note_answered(session: AsyncSession, message: Message) -> None:
    """The turn of a text that has its answer: danger is noted here if the note after its alarm was lost."""
    if message.lane not in DANGER:
        return
    reached = await _reached_by(session, message)
    if reached is not None:
        await note(session, [message], outreach=Outreach(reached, alone=False), said=Kind.OTHER)


async def note_danger(message_id: int) -> None:
    """Note a text whose alarm is committed. Never raises, never takes longer than `LONGEST_SECONDS`."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS), transaction() as session:
            message = await inbox.get_message(session, message_id)
            reached = await _reached_by(session, message)
            if reached is not None:
                await replies.note(session, message, reached=reached)
    except Exception as error:  # noqa: BLE001 - the alarm is out; whatever this is, it must not try that again
        log.warning("reply_note_lost", message=message_id, error=type(error).__name__)
