"""Texts that come back to outreach: which broadcast a person was reached by, and one note for each text of theirs.

A text belongs to the latest broadcast whose text may have reached that number within a week. Nothing here decides what the
person gets: triage and the talk do, as for any text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.database import notify
from sms_gateway.messages.models import Message

from . import composing, drafting, taking
from .models import Broadcast, BroadcastMinute, BroadcastRecipient, BroadcastReply
from .recipients import MAY_HAVE_LEFT

REMEMBERED = timedelta(days=7)
"""So long a text may be an answer to outreach (issue 6)."""
LANES = ("red", "orange")


class Kind(StrEnum):
    """What came back. The first two are the lane's; the rest says what a blue text was."""

    DANGER = "danger"
    """Red."""
    HARM = "harm"
    """Orange."""
    OPT_OUT = "opt_out"
    PERSON = "person"
    """Asks for a human."""
    DOUBT = "doubt"
    """ "谁啊", "是不是骗子"."""
    THANKS = "thanks"
    """ "收到", "好的": nothing else in it."""
    NOT_MINE = "not_mine"
    """ "发错了", "我没有孩子"."""
    QUESTION = "question"
    OTHER = "other"


NEEDS_NOBODY = frozenset({Kind.OPT_OUT, Kind.THANKS, Kind.DOUBT, Kind.NOT_MINE})
"""Answered by a fixed word, or by nothing: no operator's time goes into these."""


@dataclass(frozen=True)
class Reached:
    """A row of a ledger whose text may have reached this person. `at`: when it was given to the carrier."""

    broadcast_id: int
    number: int
    region: str
    at: datetime


@dataclass(frozen=True)
class Context:
    """A broadcast as one person got it. `messages`: their texts that answered it; `reached_at`: None once its ledger is gone."""

    broadcast_id: int
    title: str
    text: str
    reached_at: datetime | None
    messages: frozenset[int]


def kind_of(lane: str | None, said: Kind | None) -> Kind:
    """The kind by lane, else by what the talk made of the text (`said`). Pure."""
    if lane in LANES:
        return Kind.DANGER if lane == "red" else Kind.HARM
    return said or Kind.OTHER


def counts_of(lane: str | None, kind: Kind) -> tuple[str, ...]:
    """The names under which a reply is counted by the minute (`BroadcastMinute.what`). Pure."""
    names = ["reply"]
    if lane in LANES:
        names.append(f"reply_{lane}")
    if kind is Kind.OPT_OUT:
        names.append("reply_opt_out")
    return tuple(names)


async def find_recent(
    session: AsyncSession, contact: Contact, *, at: datetime, extension: str | None = None
) -> Reached | None:
    """The latest broadcast whose text may have reached this phone in the week before `at`; None on any other channel.

    Of several the one that left from the number this text was sent to (`extension`: the last digits of its id) goes first.

    One look at the few broadcasts that sent in that week; only where there are any, a probe of the unique index of each one's
    partition.
    """
    if contact.channel != Channel.SMS:
        return None
    since = at - REMEMBERED
    ids = await taking.list_recent(session, since=since)
    if not ids:
        return None
    row = BroadcastRecipient
    left = select(row.broadcast_id, row.number, row.region, row.claimed_at, row.sent_at)
    left = left.where(row.broadcast_id.in_(ids), row.address_index == contact.address_index)
    left = left.where(row.state.in_([str(state) for state in MAY_HAVE_LEFT]), row.claimed_at.between(since, at))
    if extension:  # a constant to order by is none PostgreSQL takes
        left = left.order_by((row.broadcast_id % 10 ** len(extension) == int(extension)).desc())
    found = (await session.execute(left.order_by(row.claimed_at.desc()).limit(1))).one_or_none()
    if found is None:
        return None
    return Reached(found.broadcast_id, found.number, found.region, found.sent_at or found.claimed_at)


async def note(session: AsyncSession, message: Message, *, reached: Reached, said: Kind | None = None) -> bool:
    """Write down that the judged `message` answers that broadcast; False when it is noted already.

    `said`: what the talk made of a blue text. The governor counts these rows by lane, and stops on danger.
    """
    lane, kind = message.lane or "blue", kind_of(message.lane, said)
    row = insert(BroadcastReply).values(
        message_id=message.id, broadcast_id=reached.broadcast_id, number=reached.number, thread_id=message.thread_id,
        lane=lane, kind=kind, at=message.at,
    )  # fmt: skip
    noted = await session.scalar(row.on_conflict_do_nothing().returning(BroadcastReply.message_id))
    if noted is None:
        return False
    await _count(session, reached.broadcast_id, message.at, counts_of(lane, kind))
    await notify(session, "hotline_thread", str(message.thread_id))  # the pages put it into its lane
    return True


async def note_opted_out(session: AsyncSession, message_id: int) -> None:
    """The assistant understood this text as a wish for no more: its note says so. Nothing where it answers no broadcast."""
    changed = update(BroadcastReply).where(BroadcastReply.message_id == message_id, BroadcastReply.lane == "blue")
    changed = changed.where(BroadcastReply.kind != Kind.OPT_OUT).values(kind=Kind.OPT_OUT)
    found = (await session.execute(changed.returning(BroadcastReply.broadcast_id, BroadcastReply.at))).one_or_none()
    if found is not None:
        await _count(session, found.broadcast_id, found.at, ["reply_opt_out"])


async def _count(session: AsyncSession, broadcast_id: int, at: datetime, names: Iterable[str]) -> None:
    """One more in that minute, for each name; in one order, so that two at once never wait for each other crosswise."""
    minute = at.replace(second=0, microsecond=0)
    rows = [{"broadcast_id": broadcast_id, "minute": minute, "what": name, "count": 1} for name in sorted(names)]
    made = insert(BroadcastMinute).values(rows)
    one_more = {"count": BroadcastMinute.count + made.excluded.count}
    await session.execute(made.on_conflict_do_update(index_elements=["broadcast_id", "minute", "what"], set_=one_more))


async def find_context(session: AsyncSession, thread_id: int, contact: Contact, *, at: datetime) -> Context | None:
    """The broadcast this talk answered last within a week before `at`, else the latest that reached the phone in that week."""
    row = BroadcastReply
    of_talk = select(row).where(row.thread_id == thread_id, row.at >= at - REMEMBERED)
    last = await session.scalar(of_talk.order_by(row.at.desc(), row.message_id.desc()).limit(1))
    if last is not None:
        key = (BroadcastRecipient.broadcast_id == last.broadcast_id) & (BroadcastRecipient.number == last.number)
        found = await session.scalar(select(BroadcastRecipient).where(key))
        region, reached_at = (found.region, found.sent_at or found.claimed_at) if found is not None else ("", None)
        ids, answers = select(row.message_id).where(row.thread_id == thread_id), row.broadcast_id == last.broadcast_id
        messages = frozenset(await session.scalars(ids.where(answers)))
        return await _context(session, last.broadcast_id, region, reached_at, messages)
    reached = await find_recent(session, contact, at=at)
    if reached is None:
        return None
    return await _context(session, reached.broadcast_id, reached.region, reached.at, frozenset())


async def _context(
    session: AsyncSession, broadcast_id: int, region: str, reached_at: datetime | None, messages: frozenset[int]
) -> Context:
    broadcast = await session.get_one(Broadcast, broadcast_id)
    text = composing.whole(broadcast.body, signature=drafting.SIGN, fields=drafting.fields_of(region))
    return Context(broadcast_id, broadcast.title, text, reached_at, messages)
