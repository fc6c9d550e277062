"""Texts in: stored once, before they are acknowledged, with the two jobs that see to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, tracing
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.crypto import blind_index, sealed_for
from sms_gateway.database import notify
from texts.normalise import clean

from . import arrival
from .models import Author, Direction, Message, Thread

MAX_STORED = 20_000
"""Characters kept of one text; longer ones are cut (the cut is marked), never refused."""

FORGOTTEN_WITHIN = timedelta(days=2)
_HAS_NO_JOB = text(
    "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    " AND task_name LIKE 'conversations.%' AND args->>'message_id' = messages.id::text)"
)

CUT_MARK = "…（太长，后面没有存）"


@dataclass(frozen=True)
class Inbound:
    """One text as our door read it."""

    channel: Channel
    address: str
    """E.164 (sms) or the web visitor's token."""
    body: str
    carrier: str
    carrier_id: str
    received_at: datetime
    extension: str | None = None
    """The digits behind our number that it was sent to."""


@dataclass(frozen=True)
class Recorded:
    """Where a stored text lies."""

    message_id: int
    contact_id: int
    thread_id: int


async def receive(session: AsyncSession, inbound: Inbound) -> Recorded | None:
    """Store `inbound` and defer its judgement and its turn; None when the carrier delivered it before."""
    known, recorded = await _receive_at_once(session, inbound)
    if known:
        return recorded
    await _make_known(session, inbound.channel, inbound.address, inbound.received_at)
    _known, recorded = await _receive_at_once(session, inbound)
    return recorded


async def _receive_at_once(session: AsyncSession, inbound: Inbound) -> tuple[bool, Recorded | None]:
    """The same in one statement, for a person already known: `(whether they are, what was stored)`."""
    uid = uuid4()
    values = {
        "channel": str(inbound.channel),
        "address_index": blind_index(inbound.address, f"contacts.address.{inbound.channel}"),
        "uid": uid,
        "body_sealed": sealed_for("messages", "body_sealed", uid, _to_store(inbound.body)),
        "at": inbound.received_at,
        "carrier": inbound.carrier,
        "carrier_id": inbound.carrier_id,
        "extension": inbound.extension,
        "trace": tracing.current() or tracing.new(),
    }
    found = (await session.execute(arrival.statement(), values)).one_or_none()
    if found is None:
        return False, None
    thread_id, contact_id, message_id = found[:3]
    return True, None if message_id is None else Recorded(message_id, contact_id, thread_id)


def _to_store(body: str) -> str:
    body = clean(body)
    return body if len(body) <= MAX_STORED else body[:MAX_STORED] + CUT_MARK


async def find_recorded(session: AsyncSession, inbound: Inbound) -> Recorded:
    """Where a text lies that is stored already."""
    same = (
        Message.carrier == inbound.carrier,
        Message.carrier_id == inbound.carrier_id,
        Message.direction == Direction.IN,
    )
    found = (await session.execute(select(Message.id, Message.contact_id, Message.thread_id).where(*same))).one()
    return Recorded(*found)


async def record(session: AsyncSession, inbound: Inbound) -> Recorded | None:
    """Store `inbound`; None when its carrier id is already there."""
    thread_id, contact_id = await find_or_make_thread(session, inbound.channel, inbound.address, inbound.received_at)
    uid = uuid4()
    row = insert(Message).values(
        uid=uid,
        thread_id=thread_id,
        contact_id=contact_id,
        direction=Direction.IN,
        author=Author.PERSON,
        body_sealed=sealed_for("messages", "body_sealed", uid, _to_store(inbound.body)),
        at=inbound.received_at,
        carrier=inbound.carrier,
        carrier_id=inbound.carrier_id,
        extension=inbound.extension,
        trace=tracing.current() or tracing.new(),
    )
    message_id = await session.scalar(row.on_conflict_do_nothing().returning(Message.id))
    if message_id is None:
        return None
    await notify(session, "hotline_thread", str(thread_id))
    return Recorded(message_id, contact_id, thread_id)


async def find_or_make_thread(session: AsyncSession, channel: Channel, address: str, at: datetime) -> tuple[int, int]:
    """`(thread id, contact id)` of the person at `address`; both are made on the first text."""
    index = blind_index(address, f"contacts.address.{channel}")
    known = select(Thread.id, Thread.contact_id).join(Contact, Contact.id == Thread.contact_id)
    known = known.where(Contact.channel == channel, Contact.address_index == index, Thread.channel == channel)
    if (found := (await session.execute(known)).one_or_none()) is not None:
        return found[0], found[1]
    await _make_known(session, channel, address, at)
    made = (await session.execute(known)).one()
    return made[0], made[1]


async def _make_known(session: AsyncSession, channel: Channel, address: str, at: datetime) -> None:
    """The person at `address` with a talk, in one statement; whoever made them at the same moment is waited for."""
    uid = uuid4()
    values = {
        "channel": str(channel),
        "address_index": blind_index(address, f"contacts.address.{channel}"),
        "uid": uid,
        "address_sealed": sealed_for("contacts", "address_sealed", uid, address),
        "at": at,
    }
    await session.execute(arrival.NEWCOMER, values)


async def get_message(session: AsyncSession, message_id: int) -> Message:
    """The text of that id, with its thread and contact."""
    from sqlalchemy.orm import joinedload

    found = (
        select(Message).where(Message.id == message_id).options(joinedload(Message.thread), joinedload(Message.contact))
    )
    return (await session.scalars(found)).one()


async def list_last_bodies(session: AsyncSession, message: Message, *, count: int, since: datetime) -> list[str]:
    """Up to `count` texts the same person wrote before `message`, after `since`, oldest first.

    Without those that were judged red: they have been acted on, and must not make danger of every word that follows.
    """
    found = select(Message).where(Message.thread_id == message.thread_id, Message.direction == Direction.IN)
    found = found.where(Message.id < message.id, Message.at >= since, Message.lane.is_distinct_from("red"))
    found = found.order_by(Message.id.desc()).limit(count)
    return [row.body for row in reversed((await session.scalars(found)).all())]


async def list_bodies_before(session: AsyncSession, message: Message, *, since: datetime, count: int = 4) -> list[str]:
    """Up to `count` texts of the same talk right before `message`, after `since`, the newest first."""
    found = select(Message).where(Message.thread_id == message.thread_id, Message.direction == Direction.IN)
    found = found.where(Message.id < message.id, Message.at >= since).order_by(Message.id.desc()).limit(count)
    return [row.body for row in (await session.scalars(found)).all()]


async def list_held(session: AsyncSession, message: Message, *, since: datetime) -> list[Message]:
    """Parts of a longer text that still wait for `message`, the oldest first: no turn of theirs has begun."""
    held = select(Message).where(Message.thread_id == message.thread_id, Message.direction == Direction.IN)
    held = held.where(Message.id < message.id, Message.at >= since, Message.answered_by.is_(None))
    return list(await session.scalars(held.where(Message.turn_tries == 0).order_by(Message.id)))


async def mark_answered(session: AsyncSession, message_id: int, by: str) -> bool:
    """Note that `by` has dealt with a text; False when somebody already had."""
    row = update(Message).where(Message.id == message_id, Message.answered_by.is_(None)).values(answered_by=by)
    return (await session.scalar(row.returning(Message.id))) is not None


async def list_forgotten(session: AsyncSession, *, older_than: timedelta, limit: int = 100) -> list[int]:
    """Texts of the last two days nobody dealt with and no job will: claimed, and left alone for a minute then."""
    now = clock.now()
    unanswered = select(Message.id).where(Message.direction == Direction.IN, Message.answered_by.is_(None))
    unanswered = unanswered.where(Message.at <= now - older_than, Message.at >= now - FORGOTTEN_WITHIN)
    unanswered = unanswered.where(
        or_(Message.looked_up_at.is_(None), Message.looked_up_at <= now - timedelta(minutes=1)), _HAS_NO_JOB
    )
    found: list[int] = list(
        await session.scalars(
            unanswered.order_by(Message.at).limit(limit).with_for_update(skip_locked=True, key_share=True)
        )
    )
    if found:
        await session.execute(update(Message).where(Message.id.in_(found)).values(looked_up_at=now))
    return found


async def list_traces(session: AsyncSession, message_ids: list[int]) -> dict[int, str | None]:
    """What each of these texts belongs to in the logs."""
    found = await session.execute(select(Message.id, Message.trace).where(Message.id.in_(message_ids)))
    return dict(found.all())


async def has_earlier(session: AsyncSession, message: Message, *, since: datetime) -> bool:
    """Whether the same talk had another text, either way, after `since`."""
    earlier = select(Message.id).where(
        Message.thread_id == message.thread_id, Message.id < message.id, Message.at >= since
    )
    return await session.scalar(earlier.limit(1)) is not None


async def has_written_since(session: AsyncSession, thread_id: int, since: datetime) -> bool:
    """Whether a text of the person came at that moment or later."""
    found = select(Message.id).where(
        Message.thread_id == thread_id, Message.direction == Direction.IN, Message.at >= since
    )
    return await session.scalar(found.limit(1)) is not None


async def find_newest(session: AsyncSession, thread_id: int) -> Message | None:
    """The person's newest text in that talk."""
    wanted = select(Message).where(Message.thread_id == thread_id, Message.direction == Direction.IN)
    return await session.scalar(wanted.order_by(Message.id.desc()).limit(1))
