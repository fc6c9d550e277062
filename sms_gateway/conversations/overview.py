"""What the operators' pages show of talks: the queue, those in hand, the recent ones, one talk whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.escalations import overview as escalations
from sms_gateway.escalations import service as escalation_service
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages.models import Author, Direction, Message, Thread, ThreadEvent
from sms_gateway.operators import roster
from sms_gateway.operators.models import Operator
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import LANE_RANK
from sms_gateway.wording import SIGNATURE

from . import outreach_lane, recusing, talk
from .ownership import Owner

RECENT = timedelta(days=2)
HISTORY = timedelta(days=30)
LONGEST_SHOWN = 300
"""Texts of one talk on its page; the newest."""


@dataclass(frozen=True)
class Row:
    """A talk in a list."""

    thread: Thread
    contact: Contact
    escalation: Escalation | None
    last: Message | None
    """The person's newest text."""
    began: Message | None
    """The text that brought the escalation."""
    holder: Operator | None
    outreach: str = ""
    """The title of the broadcast its newest text answers."""


@dataclass(frozen=True)
class Replies:
    """What came back to outreach and is no danger. `waiting`: for a person, at most `outreach_lane.MOST_WAITING` of `waits`."""

    waiting: list[Row] = field(default_factory=list)
    waits: int = 0
    recent: list[Row] = field(default_factory=list)
    counts: list[outreach_lane.Count] = field(default_factory=list)


@dataclass(frozen=True)
class Board:
    """The front page: who waits, who is being helped, what else went on. `waiting` and `recent` are without `replies`."""

    waiting: list[Row]
    mine: list[Row]
    others: list[Row]
    recent: list[Row]
    replies: Replies = field(default_factory=Replies)


@dataclass(frozen=True)
class TalkPage:
    """One talk with all that its page shows."""

    thread: Thread
    contact: Contact
    messages: list[Message]
    """Oldest first; at most `LONGEST_SHOWN`."""
    escalation: Escalation | None
    """The open one, else None."""
    earlier: list[Escalation]
    """Ended ones, newest first."""
    began: Message | None
    events: list[ThreadEvent]
    steps: list[EscalationEvent]
    tickets: list[Ticket]
    """This contact's, newest first."""
    lanes: Mapping[str, int]
    """Red and orange of the last 30 days."""
    operators: Mapping[int, Operator] = field(default_factory=dict)

    @property
    def inbound(self) -> list[Message]:
        """What the person wrote, oldest first."""
        return [message for message in self.messages if message.direction == Direction.IN]

    @property
    def holder(self) -> Operator | None:
        """Who has the talk."""
        return self.operators.get(self.thread.operator_id) if self.thread.operator_id else None


async def load_board(session: AsyncSession, *, operator_id: int, recent: int = 12) -> Board:
    """Danger first, then by waiting time; what somebody has in hand stands apart. Nobody this operator knows is in it."""
    theirs = Thread.contact_id.not_in(recusing.shut_to(operator_id))
    open_ones = {row.thread_id: row for row in await escalation_service.list_open(session)}
    in_hand = await _threads(session, Thread.owner == Owner.OPERATOR, theirs)
    waiting = await _threads(session, Thread.id.in_(open_ones), Thread.owner != Owner.OPERATOR, theirs)
    brought = await outreach_lane.list_brought(session, open_ones.values()) & {
        thread.id for thread in waiting if thread.lane == "blue"
    }
    since, known = clock.now() - RECENT, [thread.id for thread in (*in_hand, *waiting)]
    lately = select(Thread).where(Thread.last_inbound_at >= since, Thread.id.not_in(known))
    lately = _with_contact(
        lately.where(Thread.channel != Channel.DRILL, theirs).order_by(Thread.last_inbound_at.desc())
    )
    answers = (Thread.lane == "blue") & outreach_lane.answers_last()
    others = (await session.scalars(lately.where(~answers).limit(recent))).all()
    answering = (await session.scalars(lately.where(answers).limit(recent))).all()
    rows = {row.thread.id: row for row in await _rows(session, [*in_hand, *waiting, *others, *answering], open_ones)}
    held = sorted((rows[thread.id] for thread in in_hand), key=_urgency)
    in_line = [thread_id for thread_id in open_ones if thread_id in {thread.id for thread in waiting}]
    lane = [rows[thread_id] for thread_id in in_line if thread_id in brought]
    return Board(
        waiting=[rows[thread_id] for thread_id in in_line if thread_id not in brought],
        mine=[row for row in held if row.thread.operator_id == operator_id],
        others=[row for row in held if row.thread.operator_id != operator_id],
        recent=[rows[thread.id] for thread in others],
        replies=await _replies(session, lane, [rows[thread.id] for thread in answering], since=since),
    )


async def _replies(session: AsyncSession, waiting: list[Row], recent: list[Row], *, since: datetime) -> Replies:
    shown = waiting[: outreach_lane.MOST_WAITING]
    titles = await outreach_lane.title_of(session, [row.thread.id for row in (*shown, *recent)])
    named = [[replace(row, outreach=titles.get(row.thread.id, "")) for row in rows] for rows in (shown, recent)]
    counts = await outreach_lane.count_lately(session, since=since)
    return Replies(waiting=named[0], waits=len(waiting), recent=named[1], counts=counts)


def _urgency(row: Row) -> tuple[int, datetime]:
    return -LANE_RANK[row.thread.lane], row.escalation.received_at if row.escalation else row.thread.created_at


def _with_contact(wanted: Select[Thread]) -> Select[Thread]:
    return wanted.options(joinedload(Thread.contact, innerjoin=True))


async def _threads(session: AsyncSession, *which: ColumnElement[bool]) -> Sequence[Thread]:
    return (await session.scalars(_with_contact(select(Thread).where(*which)))).all()


async def _rows(session: AsyncSession, threads: Sequence[Thread], open_ones: Mapping[int, Escalation]) -> list[Row]:
    ids = [thread.id for thread in threads]
    newest = select(Message).where(Message.thread_id.in_(ids), Message.direction == Direction.IN)
    newest = newest.ext(distinct_on(Message.thread_id)).order_by(Message.thread_id, Message.id.desc())
    last = {message.thread_id: message for message in await session.scalars(newest)}
    wanted = [row.message_id for row in open_ones.values() if row.message_id is not None]
    began = {message.id: message for message in await session.scalars(select(Message).where(Message.id.in_(wanted)))}
    holders = await roster.name_operators(session, {thread.operator_id for thread in threads if thread.operator_id})
    rows = []
    for thread in threads:
        found = open_ones.get(thread.id)
        rows.append(
            Row(
                thread=thread,
                contact=thread.contact,
                escalation=found,
                last=last.get(thread.id),
                began=began.get(found.message_id) if found and found.message_id else None,
                holder=holders.get(thread.operator_id) if thread.operator_id else None,
            )
        )
    return rows


async def load_talk(session: AsyncSession, thread_id: int) -> TalkPage:
    """The whole talk; raises `TalkNotFound`."""
    thread = await talk.get_talk(session, thread_id)
    newest = select(Message).where(Message.thread_id == thread_id).order_by(Message.id.desc()).limit(LONGEST_SHOWN)
    messages = list(reversed((await session.scalars(newest)).all()))
    calls = await escalations.list_of_talk(session, thread_id)
    current = next((call for call in calls if call.closed_at is None), None)
    steps = await escalations.list_events_of(session, [call.id for call in calls])
    events = await talk.list_events(session, thread_id)
    began = next((m for m in messages if current is not None and m.id == current.message_id), None)
    people = {thread.operator_id, *(message.operator_id for message in messages)}
    people |= {
        int(who[9:]) for who in (*(e.who for e in events), *(s.who for s in steps)) if who.startswith("operator:")
    }
    return TalkPage(
        thread=thread, contact=thread.contact, messages=messages, escalation=current,
        earlier=[call for call in calls if call.closed_at is not None], began=began, events=events, steps=list(steps),
        tickets=list(await tickets.list_tickets(session, contact_id=thread.contact_id)),
        lanes=await escalations.count_lanes(session, thread.contact_id, since=clock.now() - HISTORY),
        operators=await roster.name_operators(session, {found for found in people if found is not None}),
    )  # fmt: skip


async def was_just_said(session: AsyncSession, *, thread_id: int, operator_id: int, body: str, since: datetime) -> bool:
    """Whether this operator's last text to that talk says the same and was written after `since`."""
    last = select(Message).where(Message.thread_id == thread_id, Message.author == Author.OPERATOR, Message.at >= since)
    last = last.where(Message.operator_id == operator_id).order_by(Message.id.desc()).limit(1)
    message = await session.scalar(last)
    return message is not None and message.body.removeprefix(SIGNATURE) == body


async def was_sent(session: AsyncSession, *, thread_id: int, token: str) -> bool:
    """Whether that talk has a reply of this token, sent or on its way."""
    found = select(Message.id).where(Message.thread_id == thread_id, Message.client_token == token)
    return await session.scalar(found) is not None


async def is_danger(session: AsyncSession, thread_id: int) -> bool:
    """Whether red or orange is open in that talk."""
    found = await escalation_service.find_open(session, thread_id)
    return found is not None and found.lane in escalations.DANGER


async def holds_danger(session: AsyncSession, operator_id: int) -> bool:
    """Whether this operator has a talk in hand in which red or orange is open."""
    held = select(Thread.id).join(Escalation, (Escalation.thread_id == Thread.id) & Escalation.closed_at.is_(None))
    held = held.where(Thread.owner == Owner.OPERATOR, Thread.operator_id == operator_id)
    return await session.scalar(held.where(Escalation.lane.in_(escalations.DANGER)).limit(1)) is not None
