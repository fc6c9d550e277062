"""The second reading: drawn once a day, also after an outage, without drills; read by another; missed means raised."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.conversations import review_reading, reviewing, service, whispering
from sms_gateway.conversations.models import Review, ReviewDay
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.messages.models import Message, Thread, ThreadEvent
from sms_gateway.operators.models import Role
from tests.console.story import add_operator
from tests.telling import Person

RED = "有人拿刀在打我妈妈 我躲在里屋"


async def drawn() -> list[Review]:
    async with transaction() as session:
        return list(await session.scalars(select(Review).order_by(Review.id)))


async def test_a_day_is_drawn_once_when_it_is_over(person: Person, clock: HeldClock) -> None:
    await person.texts(RED)
    today = shanghai(clock.now()).date()
    await reviewing.sweep()
    assert today not in {row.day for row in await drawn()}
    clock.advance(timedelta(days=1))
    assert await reviewing.sweep() == 1
    assert await reviewing.sweep() == 0
    assert [(row.kind, row.day) for row in await drawn()] == [("second_read", today)]


async def test_days_of_an_outage_are_caught_up(person: Person, clock: HeldClock) -> None:
    assert await reviewing.sweep() == reviewing.BACK_TO
    await person.texts(RED)
    clock.advance(timedelta(days=5))
    assert await reviewing.sweep() == 5
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(ReviewDay)) == reviewing.BACK_TO + 5
    assert len(await drawn()) == 1


async def test_the_fifty_highest_scores_of_what_was_no_danger_are_drawn_and_drills_are_not(
    person: Person, clock: HeldClock
) -> None:
    await person.hand_in("孤儿每个月能领多少钱")
    async with transaction() as session:
        first = (await session.scalars(select(Message))).one()
        for number in range(60):
            session.add(
                Message(
                    thread_id=first.thread_id, contact_id=first.contact_id, direction="in", author="person", body="在吗", at=clock.now(),
                    carrier="simulator", carrier_id=f"r{number}", lane="blue", judged_at=clock.now(), score=number / 100,
                )
            )  # fmt: skip
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    rows = await drawn()
    assert len(rows) == 50 and {row.kind for row in rows} == {"no_danger"}
    assert min(row.score or 0 for row in rows) == pytest.approx(0.10)
    async with transaction() as session:
        await session.execute(update(Thread).values(channel="drill"))
        assert await reviewing.draw(session, date(2020, 1, 1)) == 0
        day = rows[0].day
        for row in await session.scalars(select(Review)):
            await session.delete(row)
        await session.delete(await session.get_one(ReviewDay, day))
        await session.flush()
        assert await reviewing.draw(session, day) == 0


async def test_a_text_of_before_midnight_that_was_judged_after_it_is_drawn_the_next_day(
    person: Person, clock: HeldClock
) -> None:
    await person.hand_in("在吗")
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    assert await drawn() == []
    async with transaction() as session:
        await session.execute(update(Message).values(lane="blue", judged_at=clock.now(), score=0.3))
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    assert [(row.kind, row.score) for row in await drawn()] == [("no_danger", pytest.approx(0.3))]


async def test_who_only_listened_in_may_be_the_second_reader(person: Person, clock: HeldClock) -> None:
    handler, lead = await add_operator("li", "李"), await add_operator("ban", "班长", Role.SUPERVISOR)
    await person.texts(RED)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=handler)
        assert await whispering.listen(session, thread_id=person.thread_id, operator=lead)
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    (row,) = await drawn()
    async with transaction() as session:
        await reviewing.decide(session, row.id, operator_id=lead.id, verdict="fine", words="")


async def test_who_handled_it_does_not_read_it(person: Person, clock: HeldClock) -> None:
    handler, reader = await add_operator("li", "李"), await add_operator("he", "和")
    await person.texts(RED)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=handler)
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    (row,) = await drawn()
    async with transaction() as session:
        review = await reviewing.get_review(session, row.id)
        with pytest.raises(review_reading.YouHandledIt):
            await review_reading.load(session, review, operator_id=handler.id)
        with pytest.raises(review_reading.YouHandledIt):
            await reviewing.decide(session, row.id, operator_id=handler.id, verdict="fine", words="")
    async with transaction() as session:
        matter = await review_reading.load(session, await reviewing.get_review(session, row.id), operator_id=reader.id)
        assert RED in {text.body for text in matter.texts}
        await reviewing.decide(session, row.id, operator_id=reader.id, verdict="learn", words="接得快")
    with pytest.raises(reviewing.ReviewIsDone):
        async with transaction() as session:
            await reviewing.decide(session, row.id, operator_id=reader.id, verdict="fine", words="")


@pytest.mark.parametrize("lane", ["red", "orange"])
async def test_what_was_missed_is_raised_at_once(person: Person, clock: HeldClock, lane: str) -> None:
    reader = await add_operator("he", "和")
    await person.texts("今天作业好多")
    async with transaction() as session:
        await session.execute(update(Message).where(Message.direction == "in").values(lane="blue", score=0.4))
        await session.execute(
            update(Message).where(Message.judged_at.is_(None), Message.direction == "in").values(judged_at=clock.now())
        )
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    (row,) = await drawn()
    for wrong in ({"verdict": "bad"}, {"verdict": "learn", "words": " "}, {"verdict": "missed", "words": "看"}):
        with pytest.raises((reviewing.VerdictIsMissing, reviewing.WordsAreMissing, reviewing.LaneIsMissing)):
            async with transaction() as session:
                await reviewing.decide(session, row.id, operator_id=reader.id, **{"words": "", **wrong})
    async with transaction() as session:
        await reviewing.decide(
            session, row.id, operator_id=reader.id, verdict="missed", words="他说不想回家，机器当成了抱怨", lane=lane
        )
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None and (call.lane, call.cause, call.received_at) == (lane, "review", clock.now())
        noted = select(func.count()).select_from(ThreadEvent).where(ThreadEvent.what == "review_missed")
        assert await session.scalar(noted) == 1
        assert [line.review.words for line in await review_reading.list_lessons(session, operator_id=reader.id)] == [
            "他说不想回家，机器当成了抱怨"
        ]
        assert (await review_reading.count_weeks(session))[0][1] == {"missed": 1}
