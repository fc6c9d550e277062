"""复看: a second pair of eyes on every red and orange call, and on the "no danger" texts with the highest scores (PRACTICE section 8).

Drawn once for each Shanghai day that is over. Whoever had a hand in a matter does not read it; one that was missed is raised at
once, and the words beside it look for what to learn, never for who is to blame.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.clock import shanghai
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.operators.presence import note as audit
from sms_gateway.operators.seats import DANGER
from texts.normalise import clean

from . import alarm, review_reading, talk
from .models import Review, ReviewDay

TEXTS_A_DAY = 50
JUDGED_WITHIN = timedelta(days=3)
"""How far back a text is looked for that was judged that day; after a longer outage people read the rest by hand."""
BACK_TO = 14
"""Days that are caught up after an outage."""
VERDICTS = ("fine", "learn", "missed")
LONGEST_WORDS = 2000
CAUSE = "review"
_LOCK = 54_2026_05


class ReviewNotFound(NotFound):
    sentence = "没有这一条复看。"


class ReviewIsDone(Conflict):
    sentence = "这一条刚有人看过、写了结论，请刷新后再看。"


class VerdictIsMissing(BadInput):
    sentence = "请选结论：没问题、可以学的、漏了。"


class WordsAreMissing(BadInput):
    sentence = "请写一句：看到什么，下次怎样更好。不写是谁的错。"


class LaneIsMissing(BadInput):
    sentence = "漏了的要马上升起来：请选红或橙。"


class WordsAreTooLong(BadInput):
    sentence = f"一次最多写 {LONGEST_WORDS} 字。"


async def sweep() -> int:
    """Draw the reviews of every day that is over and has none; returns how many days. Any number of processes may try."""
    made = 0
    async with transaction() as session:
        for day in await _days_left(session):
            if not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
                return made
            if await session.get(ReviewDay, day) is None:  # nobody was quicker
                await draw(session, day)
                made += 1
    return made


async def _days_left(session: AsyncSession) -> list[date]:
    today = shanghai(clock.now()).date()
    wanted = [today - timedelta(days=back) for back in range(BACK_TO, 0, -1)]
    there = set(await session.scalars(select(ReviewDay.day).where(ReviewDay.day >= wanted[0])))
    return [day for day in wanted if day not in there]


async def draw(session: AsyncSession, day: date) -> int:
    """Note what is to be read of that day; returns how much. Drills are left out."""
    begin, end = review_reading.day_begins(day), review_reading.day_begins(day + timedelta(days=1))
    calls = (
        select(Escalation).join(Contact, Contact.id == Escalation.contact_id).where(Contact.channel != Channel.DRILL)
    )
    calls = calls.where(Escalation.opened_at >= begin, Escalation.opened_at < end, Escalation.lane.in_(DANGER))
    calls = calls.where(Escalation.id.not_in(select(Review.escalation_id).where(Review.escalation_id.is_not(None))))
    rows = [
        Review(day=day, kind="second_read", escalation_id=one.id, thread_id=one.thread_id)
        for one in await session.scalars(calls.order_by(Escalation.id))
    ]
    texts = select(Message.id, Message.thread_id, Message.score).join(Thread, Thread.id == Message.thread_id)
    texts = texts.where(Thread.channel != Channel.DRILL, Message.direction == Direction.IN, Message.lane == "blue")
    # by when it was judged: what came before midnight and was read after it, or after an outage, is drawn the next day
    texts = texts.where(Message.judged_at >= begin, Message.judged_at < end, Message.at >= begin - JUDGED_WITHIN)
    texts = texts.where(Message.score.is_not(None))
    texts = texts.where(Message.id.not_in(select(Review.message_id).where(Review.message_id.is_not(None))))
    highest = texts.order_by(Message.score.desc(), Message.id).limit(TEXTS_A_DAY)
    rows += [
        Review(day=day, kind="no_danger", message_id=message_id, thread_id=thread_id, score=score)
        for message_id, thread_id, score in await session.execute(highest)
    ]
    session.add_all([*rows, ReviewDay(day=day, at=clock.now())])
    await session.flush()
    return len(rows)


async def get_review(session: AsyncSession, review_id: int, *, for_update: bool = False) -> Review:
    """Raises `ReviewNotFound`."""
    review = await session.get(Review, review_id, with_for_update=for_update)
    if review is None:
        raise ReviewNotFound
    return review


async def decide(
    session: AsyncSession, review_id: int, *, operator_id: int, verdict: str, words: str, lane: str = ""
) -> Review:
    """Write what the second reader found. `missed` raises the talk at once in `lane`: red rings, orange stands on top.

    Raises `YouHandledIt` (403), `ReviewIsDone`, `VerdictIsMissing`, `WordsAreMissing` (not needed for `fine`), `LaneIsMissing`.
    """
    words = clean(words).strip()
    if verdict not in VERDICTS:
        raise VerdictIsMissing
    if verdict != "fine" and not words:
        raise WordsAreMissing
    if verdict == "missed" and lane not in DANGER:
        raise LaneIsMissing
    if len(words) > LONGEST_WORDS:
        raise WordsAreTooLong
    review = await get_review(session, review_id, for_update=True)
    await review_reading.check_reader(session, review, operator_id)
    if review.read_at is not None:
        raise ReviewIsDone
    review.read_at, review.read_by, review.verdict = clock.now(), operator_id, verdict
    review.words = words or None
    if verdict == "missed":
        await _raise(session, review, lane=lane, operator_id=operator_id)
    await audit(session, operator_id=operator_id, what="review", subject=f"thread:{review.thread_id}")
    return review


async def _raise(session: AsyncSession, review: Review, *, lane: str, operator_id: int) -> None:
    thread = await talk.get_talk(session, review.thread_id, for_update=True)
    message = await review_reading.message_of(session, review)
    harm, now = message.harm, clock.now()
    if harm in (None, "none"):
        harm = None
    if lane == "red":
        await alarm.raise_to_red(session, thread, message, reason="复看发现漏了", harm=harm, cause=CAUSE, since=now)
    else:
        await alarm.put_on_top(session, thread, message, cause=CAUSE, harm=harm, reasons=["复看发现漏了"], since=now)
    detail = {"review": review.id, "lane": lane, "message": message.id}
    await talk.note(session, thread.id, "review_missed", who=f"operator:{operator_id}", detail=detail)
