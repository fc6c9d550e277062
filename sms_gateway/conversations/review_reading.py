"""What is shown to the second reader: the lists of a day, one matter with its texts, and who had a hand in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.clock import SHANGHAI, shanghai
from sms_gateway.errors import BadInput
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages.models import Direction, Message, Thread, ThreadEvent

from . import recusing, talk
from .models import Review

AROUND = timedelta(days=1)
"""How much of the talk before and after a matter is read with it; who acted in it since then had a hand in it."""
MOST_TEXTS = 300
NO_HAND = ("review_missed", "listen_in", "recused")
"""Events of a talk whose author only read it: who listened in may still be its second reader."""
WEEKS = 8


class YouHandledIt(BadInput):
    status_code = 403
    sentence = "这一件你经手过，要由另一个人复看。"


class NothingToRead(BadInput):
    sentence = "这一件没有可看的来信。"


@dataclass(frozen=True)
class Line:
    """A review in the list of a day. `handlers`: ids of those who may not read it."""

    review: Review
    contact_id: int
    region: str | None
    lane: str
    harm: str | None
    cause: str
    at: datetime
    handlers: frozenset[int]


@dataclass(frozen=True)
class Matter:
    """What is read: the review, its talk's texts around it (oldest first), and the call it is about, if it is one."""

    review: Review
    thread: Thread
    texts: Sequence[Message]
    escalation: Escalation | None
    events: Sequence[EscalationEvent]
    message: Message
    """The text that is reviewed, or brought the call."""


@dataclass(frozen=True)
class Progress:
    """A day in numbers."""

    day: date
    read: int
    total: int


def day_begins(day: date) -> datetime:
    """Midnight in Yunnan."""
    return datetime.combine(day, time(), SHANGHAI)


async def handlers_of(session: AsyncSession, reviews: Sequence[Review]) -> dict[int, frozenset[int]]:
    """By review: the operators who had the talk, wrote in it or moved its call since a day before the matter."""
    if not reviews:
        return {}
    since = {review.id: day_begins(review.day) - AROUND for review in reviews}
    threads, earliest = {review.thread_id for review in reviews}, min(since.values())
    wrote = select(Message.thread_id, Message.operator_id, Message.at).where(Message.operator_id.is_not(None))
    wrote = wrote.where(Message.thread_id.in_(threads), Message.at >= earliest)
    acts = [(thread_id, by or 0, at) for thread_id, by, at in (await session.execute(wrote))]
    moved = select(ThreadEvent.thread_id, ThreadEvent.who, ThreadEvent.at).where(
        ThreadEvent.who.startswith("operator:")
    )
    moved = moved.where(
        ThreadEvent.thread_id.in_(threads), ThreadEvent.at >= earliest, ThreadEvent.what.not_in(NO_HAND)
    )
    stepped = select(Escalation.thread_id, EscalationEvent.who, EscalationEvent.at)
    stepped = stepped.join(Escalation, Escalation.id == EscalationEvent.escalation_id)
    stepped = stepped.where(EscalationEvent.who.startswith("operator:"), EscalationEvent.what != "look_back_unsafe")
    stepped = stepped.where(Escalation.thread_id.in_(threads), EscalationEvent.at >= earliest)
    for wanted in (moved, stepped):
        acts += [(thread_id, int(who[9:]), at) for thread_id, who, at in (await session.execute(wanted))]
    return {
        review.id: frozenset(
            by for thread_id, by, at in acts if thread_id == review.thread_id and at >= since[review.id]
        )
        for review in reviews
    }


async def check_reader(session: AsyncSession, review: Review, operator_id: int) -> None:
    """Raise `YouHandledIt` for whoever had a hand in it, `YouKnowThisFamily` for who said so."""
    await recusing.check_talk(session, operator_id, review.thread_id)
    if operator_id in (await handlers_of(session, [review]))[review.id]:
        raise YouHandledIt


async def message_of(session: AsyncSession, review: Review) -> Message:
    """The text under review, or that brought the call under review."""
    message_id = review.message_id
    if message_id is None and review.escalation_id is not None:
        message_id = await session.scalar(select(Escalation.message_id).where(Escalation.id == review.escalation_id))
    if message_id is None:
        newest = select(Message.id).where(Message.thread_id == review.thread_id, Message.direction == Direction.IN)
        newest = newest.where(Message.at < day_begins(review.day + timedelta(days=1))).order_by(Message.id.desc())
        message_id = await session.scalar(newest.limit(1))
    message = await session.get(Message, message_id) if message_id is not None else None
    if message is None:
        raise NothingToRead
    return message


async def load(session: AsyncSession, review: Review, *, operator_id: int) -> Matter:
    """The matter for its second reader; raises `YouHandledIt`."""
    await check_reader(session, review, operator_id)
    thread = await talk.get_talk(session, review.thread_id)
    message = await message_of(session, review)
    call = await session.get(Escalation, review.escalation_id) if review.escalation_id is not None else None
    begin = min(message.at, call.received_at if call else message.at) - AROUND
    end = max(message.at, (call.closed_at or clock.now()) if call else message.at) + AROUND
    texts = select(Message).where(Message.thread_id == thread.id, Message.at >= begin, Message.at <= end)
    shown = list((await session.scalars(texts.order_by(Message.id).limit(MOST_TEXTS))).all())
    events: Sequence[EscalationEvent] = []
    if call is not None:
        steps = select(EscalationEvent).where(EscalationEvent.escalation_id == call.id).order_by(EscalationEvent.id)
        events = (await session.scalars(steps)).all()
    return Matter(review, thread, shown, call, events, message)


async def list_day(session: AsyncSession, day: date, *, operator_id: int) -> list[Line]:
    """The day's reviews but of families `operator_id` knows: red and orange calls by time, then texts with the highest scores."""
    wanted = (
        select(Review)
        .where(Review.day == day, _open_to(operator_id))
        .order_by(Review.kind.desc(), Review.score.desc(), Review.id)
    )
    return await _lines(session, (await session.scalars(wanted)).all())


def _open_to(operator_id: int) -> ColumnElement[bool]:
    return Review.thread_id.not_in(recusing.threads_shut_to(operator_id))


async def list_lessons(session: AsyncSession, *, operator_id: int, limit: int = 30) -> list[Line]:
    """What there was to learn from, newest first; nothing of families `operator_id` knows."""
    wanted = (
        select(Review)
        .where(Review.verdict.in_(("learn", "missed")), _open_to(operator_id))
        .order_by(Review.read_at.desc())
    )
    return await _lines(session, (await session.scalars(wanted.limit(limit))).all())


async def _lines(session: AsyncSession, reviews: Sequence[Review]) -> list[Line]:
    handlers = await handlers_of(session, reviews)
    threads = select(Thread).where(Thread.id.in_({review.thread_id for review in reviews}))
    talks = {one.id: one for one in await session.scalars(threads.options(joinedload(Thread.contact, innerjoin=True)))}
    calls = await _by_id(session, Escalation, {review.escalation_id for review in reviews})
    texts = select(Message.id, Message.at).where(Message.id.in_({one.message_id for one in reviews if one.message_id}))
    times = dict((await session.execute(texts)).all())
    lines = []
    for review in reviews:
        call = calls.get(review.escalation_id or 0)
        at = call.received_at if call else times.get(review.message_id or 0, day_begins(review.day))
        contact = talks[review.thread_id].contact
        lines.append(
            Line(
                review=review, contact_id=contact.id, region=contact.region, lane=call.lane if call else "blue",
                harm=call.harm if call else None, cause=call.cause if call else "", at=at, handlers=handlers[review.id],
            )
        )  # fmt: skip
    return lines


async def _by_id(session: AsyncSession, table: type[Escalation], ids: set[int | None]) -> Mapping[int, Escalation]:
    wanted = select(table).where(table.id.in_({one for one in ids if one is not None}))
    return {row.id: row for row in await session.scalars(wanted)}


async def list_progress(session: AsyncSession, *, days: int = 14) -> list[Progress]:
    """The last days with how much of each was read, newest first."""
    since = shanghai(clock.now()).date() - timedelta(days=days)
    counted = select(Review.day, func.count(Review.read_at), func.count()).where(Review.day >= since)
    rows = await session.execute(counted.group_by(Review.day).order_by(Review.day.desc()))
    return [Progress(day, read, total) for day, read, total in rows]


async def count_weeks(session: AsyncSession) -> list[tuple[date, Mapping[str, int]]]:
    """Verdicts by week (its Monday), newest first; `""` counts what nobody has read."""
    today = shanghai(clock.now()).date()
    since = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    counted = select(Review.day, func.coalesce(Review.verdict, ""), func.count()).where(Review.day >= since)
    weeks: dict[date, dict[str, int]] = {}
    for day, verdict, number in await session.execute(counted.group_by(Review.day, Review.verdict)):
        week = weeks.setdefault(day - timedelta(days=day.weekday()), {})
        week[verdict] = week.get(verdict, 0) + number
    return sorted(weeks.items(), reverse=True)
