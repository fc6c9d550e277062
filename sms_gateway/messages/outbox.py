"""Texts out: queued with their job, checked against the talk's owner when they leave, settled by receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock, logs, tracing
from sms_gateway.carriers.registry import choose, standing_in
from sms_gateway.contacts.models import Channel
from sms_gateway.crypto import sealed_for
from sms_gateway.database import notify
from sms_gateway.jobs import defer
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer
from sms_gateway.wording import SIGNATURE, say

from .delivery import ALARMING, State, later
from .inbox import Recorded
from .models import Author, Direction, Message, Receipt, Thread
from .segments import segments

log = logs.get("messages")

WEB = "web"
AT_HOME = frozenset({Channel.WEB, Channel.DRILL})
"""Channels whose texts reach no carrier: they are there as soon as they are stored, without a signature."""
AUTOMATIC = frozenset({Author.ASSISTANT, Author.SYSTEM})


@dataclass(frozen=True)
class Outgoing:
    """One text about to leave."""

    message_id: int
    thread_id: int
    carrier: str
    to: str
    body: str
    author: str
    since: datetime
    attempts: int
    trace: str | None


async def queue(
    session: AsyncSession,
    *,
    thread: Thread,
    author: Author,
    body: str,
    text_key: str | None = None,
    reply_to: int | None = None,
    slot: int | None = None,
    operator_id: int | None = None,
    client_token: str | None = None,
    start: bool = True,
) -> int | None:
    """Queue a text; its id, or None when `reply_to` was already answered in that `slot` (a repeated job), when the talk
    has a text of that `client_token` (a repeated post), or when there is nobody to write to (`Channel.DESK`).

    `start=False` leaves the sending to the text before it: the replies to one text go out one after the other.
    SMS texts get the signature carriers demand.
    """
    if thread.channel == Channel.DESK:
        return None
    uid = uuid4()
    at_home = thread.channel in AT_HOME
    carrier = WEB if at_home else choose()
    whole = body if at_home else SIGNATURE + body
    row = insert(Message).values(
        uid=uid, thread_id=thread.id, contact_id=thread.contact_id, direction=Direction.OUT, author=author,
        body_sealed=sealed_for("messages", "body_sealed", uid, whole), at=clock.now(), carrier=carrier, state=State.QUEUED,
        text_key=text_key, reply_to=reply_to, reply_slot=slot, segments=segments(whole), operator_id=operator_id,
        client_token=client_token, trace=tracing.current(),
    )  # fmt: skip
    message_id = await session.scalar(row.on_conflict_do_nothing().returning(Message.id))
    if message_id is not None and start:
        lock = f"operator-out:{thread.id}" if author == Author.OPERATOR else None
        await defer(session, "messages.send", message_id=message_id, lock=lock)
    if message_id is not None and thread.lane == "red" and thread.channel != Channel.DRILL:
        due_at = clock.now() + timedelta(seconds=get_settings().receipt_within_seconds)
        await set_timer(session, job="escalations.no_receipt", subject_id=message_id, due_at=due_at)
    return message_id


async def queue_fixed(
    session: AsyncSession, *, thread: Thread, key: str, reply_to: int | None = None, slot: int = 0, **values: str
) -> int | None:
    """Queue the fixed text `key` as a word of the system."""
    return await queue(
        session,
        thread=thread,
        author=Author.SYSTEM,
        body=say(key, **values),
        text_key=key,
        reply_to=reply_to,
        slot=None if reply_to is None else slot,
    )


async def queue_replies(
    session: AsyncSession, *, thread: Thread, bodies: list[str], reply_to: int, first_slot: int = 0
) -> list[int]:
    """Queue the assistant's replies to one text, sent in their order; those queued before by the same turn are left alone.

    `first_slot=1`: they follow a fixed text that was queued for it just now.
    """
    made = []
    for slot, body in enumerate(bodies, start=first_slot):
        queued = await queue(
            session, thread=thread, author=Author.ASSISTANT, body=body, reply_to=reply_to, slot=slot, start=slot == 0
        )
        if queued is not None:
            made.append(queued)
    return made


def may_leave(author: str, owner: str, lane: str) -> bool:
    """Whether a text may still be sent: nothing automatic over a human, no chat after a danger text.

    Fixed words of the system still reach someone who waits for a person in red; the assistant's do not.
    """
    if author not in AUTOMATIC:
        return True
    if owner == "operator":
        return False
    return not (author == Author.ASSISTANT and owner == "waiting" and lane == "red")


async def claim(session: AsyncSession, message_id: int) -> Outgoing | None:
    """Take a queued text for sending; None when it was sent, cancelled, or a human took over (then it is cancelled)."""
    wanted = select(Message).where(Message.id == message_id, Message.direction == Direction.OUT)
    message = await session.scalar(
        wanted.with_for_update(of=Message).options(joinedload(Message.thread), joinedload(Message.contact))
    )
    if message is None or message.state != State.QUEUED:
        return None
    if not may_leave(message.author, message.thread.owner, message.thread.lane):
        message.state = State.CANCELLED
        await notify(session, "hotline_thread", str(message.thread_id))
        return None
    message.carrier = standing_in(
        message.carrier
    )  # it has not left, so another may take it where that one keeps failing
    message.state = State.SENDING
    message.sending_at = clock.now()
    message.attempts += 1
    return _outgoing(message)


def _outgoing(message: Message) -> Outgoing:
    return Outgoing(
        message_id=message.id, thread_id=message.thread_id, carrier=message.carrier, to=message.contact.address,
        body=message.body, author=message.author, since=message.sending_at or message.at, attempts=message.attempts,
        trace=message.trace,
    )  # fmt: skip


async def find_stuck(session: AsyncSession, message_id: int, *, older_than: timedelta) -> Outgoing | None:
    """The text, if it hangs in `sending` or `unknown` since longer than `older_than`: its sender died or got no answer."""
    wanted = select(Message).where(Message.id == message_id, Message.state.in_((State.SENDING, State.UNKNOWN)))
    wanted = wanted.where(Message.sending_at <= clock.now() - older_than)
    message = await session.scalar(wanted.with_for_update(of=Message).options(joinedload(Message.contact)))
    if message is None:
        return None
    message.state = State.UNKNOWN
    return _outgoing(message)


async def mark_sent(session: AsyncSession, message_id: int, carrier_id: str | None) -> None:
    """The carrier has it. Receipts that were quicker than this note are applied now."""
    message = (await session.scalars(select(Message).where(Message.id == message_id).with_for_update())).one()
    message.carrier_id = carrier_id
    message.sent_at = message.sent_at or clock.now()
    _settle(message, State.SENT, None)
    if carrier_id is not None:
        early = (
            select(Receipt)
            .where(Receipt.carrier == message.carrier, Receipt.carrier_id == carrier_id)
            .order_by(Receipt.id)
        )
        for receipt in await session.scalars(early):
            _settle(message, State(receipt.state), receipt.error)
    await notify(session, "hotline_thread", str(message.thread_id))


async def mark_shown(session: AsyncSession, *, thread_id: int, message_ids: list[int]) -> None:
    """These texts of that talk stand on the visitor's page: to a web page that is what a delivery receipt is to a phone."""
    ours = Message.thread_id == thread_id, Message.direction == Direction.OUT, Message.state == State.SENT
    found = select(Message).where(*ours, Message.id.in_(message_ids)).order_by(Message.id).with_for_update()
    shown = (await session.scalars(found)).all()
    for message in shown:
        _settle(message, State.DELIVERED, None)
    if shown:
        await notify(session, "hotline_thread", str(thread_id))


async def mark(
    session: AsyncSession, message_id: int, state: State, error: str | None = None, *, next_by: str | None = None
) -> None:
    """Settle a text that did not leave: queued again (for the carrier `next_by`), failed, blocked, unknown …"""
    message = (await session.scalars(select(Message).where(Message.id == message_id).with_for_update())).one()
    if state == State.QUEUED and message.state in (State.SENDING, State.UNKNOWN):
        message.state = State.QUEUED
        message.carrier = next_by or message.carrier
    else:
        _settle(message, state, error)
    await notify(session, "hotline_thread", str(message.thread_id))


async def requeue_absent(session: AsyncSession, message_id: int) -> bool:
    """A look-up proved that this text never left: it may leave again. False when somebody else has settled it since."""
    unknown = Message.id == message_id, Message.state == State.UNKNOWN
    changed = update(Message).where(*unknown).values(state=State.QUEUED).returning(Message.id)
    return await session.scalar(changed) is not None


def _settle(message: Message, state: State, error: str | None) -> None:
    if message.state is not None and later(State(message.state), state):
        message.state = state
        message.error = error or message.error
        if state == State.DELIVERED:
            message.delivered_at = clock.now()


async def apply_receipt(
    session: AsyncSession,
    *,
    carrier: str,
    carrier_id: str,
    state: str,
    error: str | None = None,
    reference: int | None = None,
) -> bool:
    """Keep a carrier's receipt and apply it by rank; False when we know no such text yet (it is applied on arrival)."""
    row = insert(Receipt).values(
        carrier=carrier, carrier_id=carrier_id, state=State(state), error=error, at=clock.now()
    )
    await session.execute(row.on_conflict_do_nothing())
    known = select(Message).where(Message.direction == Direction.OUT, Message.carrier == carrier)
    message = await session.scalar(known.where(Message.carrier_id == carrier_id).with_for_update())
    if message is None and reference is not None:  # our own note of the sending is not there yet, or was lost
        # Or it is just being written: waiting for its lock, we find it with the very id.
        noted = or_(Message.carrier_id.is_(None), Message.carrier_id == carrier_id)
        message = await session.scalar(known.where(Message.id == reference, noted).with_for_update())
        if message is not None:
            message.carrier_id = carrier_id
            message.sent_at = message.sent_at or clock.now()
    if message is None:
        return False
    before = message.state
    _settle(message, State(state), error)
    with tracing.within(message.trace):
        log.info("receipt_received", message=message.id, said=str(State(state)), state=message.state)
    if message.state != before:
        await notify(session, "hotline_thread", str(message.thread_id))
        if message.state in ALARMING:
            with tracing.within(message.trace):
                await defer(session, "escalations.text_did_not_arrive", message_id=message.id)
    return True


async def find_next_reply(session: AsyncSession, message_id: int) -> int | None:
    """The reply that goes out after `message_id`: the next queued one to the same text."""
    this = (await session.execute(select(Message.reply_to, Message.reply_slot).where(Message.id == message_id))).one()
    if this[0] is None:
        return None
    following = select(Message.id).where(
        Message.reply_to == this[0], Message.reply_slot > this[1], Message.state == State.QUEUED
    )
    return await session.scalar(following.order_by(Message.reply_slot).limit(1))


async def cancel_automatic(session: AsyncSession, thread_id: int) -> None:
    """Cancel what the machine still had to say on that thread: a human speaks now."""
    waiting = update(Message).where(Message.thread_id == thread_id, Message.direction == Direction.OUT)
    await session.execute(
        waiting.where(Message.state == State.QUEUED, Message.author.in_(AUTOMATIC)).values(state=State.CANCELLED)
    )


def _left_alone_since(moment: datetime) -> ColumnElement[bool]:
    return or_(Message.looked_up_at.is_(None), Message.looked_up_at <= moment)


async def list_hanging(session: AsyncSession, *, older_than: timedelta, limit: int = 100) -> list[int]:
    """Texts that hang in `sending` or `unknown` (up to a day) and were not looked up lately."""
    now = clock.now()
    hanging = select(Message.id).where(
        Message.state.in_((State.SENDING, State.UNKNOWN)), _left_alone_since(now - older_than)
    )
    hanging = hanging.where(Message.sending_at <= now - older_than, Message.sending_at >= now - timedelta(days=1))
    return await _claim_for_sweep(session, hanging.order_by(Message.sending_at).limit(limit))


async def list_forgotten(session: AsyncSession, *, older_than: timedelta, limit: int = 100) -> list[int]:
    """Queued texts whose job must be long gone."""
    moment = clock.now() - older_than
    queued = select(Message.id).where(Message.state == State.QUEUED, Message.at <= moment, _left_alone_since(moment))
    return await _claim_for_sweep(session, queued.order_by(Message.id).limit(limit))


async def _claim_for_sweep(session: AsyncSession, wanted: Select[Any]) -> list[int]:
    found: list[int] = list(await session.scalars(wanted.with_for_update(skip_locked=True)))
    await session.execute(update(Message).where(Message.id.in_(found)).values(looked_up_at=clock.now()))
    return found


async def queue_as_operator(session: AsyncSession, *, thread: Thread, key: str, operator: Operator) -> None:
    """Queue a fixed text that an operator's act sends: it comes from a person, so it leaves whoever owns the talk."""
    values = {"badge": operator.badge} if key == "human.joins" else {}
    await queue(
        session, thread=thread, author=Author.OPERATOR, body=say(key, **values), text_key=key, operator_id=operator.id
    )


async def was_queued_since(session: AsyncSession, thread_id: int, key: str, since: datetime) -> bool:
    """Whether that fixed text was said to this talk since then, by whomever."""
    said = select(Message.id).where(Message.thread_id == thread_id, Message.text_key == key, Message.at >= since)
    return await session.scalar(said.where(Message.state != State.CANCELLED).limit(1)) is not None


async def note_sent_from_spool(
    session: AsyncSession,
    *,
    recorded: Recorded,
    key: str,
    carrier: str,
    at: datetime,
    carrier_id: str | None,
    state: State,
) -> None:
    """Write down the safe reply that left at `at` while the database was away; `unknown`: it may not have, and nobody can say."""
    uid, whole = uuid4(), SIGNATURE + say(key)
    row = insert(Message).values(
        uid=uid, thread_id=recorded.thread_id, contact_id=recorded.contact_id, direction=Direction.OUT, author=Author.SYSTEM,
        body_sealed=sealed_for("messages", "body_sealed", uid, whole), at=at, carrier=carrier, state=state,
        sent_at=at if state == State.SENT else None, text_key=key, reply_to=recorded.message_id, reply_slot=0,
        segments=segments(whole), attempts=1, trace=tracing.current(),
    )  # fmt: skip
    message_id = await session.scalar(row.on_conflict_do_nothing().returning(Message.id))
    if message_id is None:
        return
    if state == State.SENT:
        await mark_sent(session, message_id, carrier_id)  # with the receipts that came before
    due_at = clock.now() + timedelta(seconds=get_settings().receipt_within_seconds)
    await set_timer(session, job="escalations.no_receipt", subject_id=message_id, due_at=due_at)
