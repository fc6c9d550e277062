"""After a child was seen: four looks, once; the next day again where nobody was reached; danger again where it is not safe."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.conversations import looking_back, service
from sms_gateway.database import transaction
from sms_gateway.escalations import look_backs
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation, EscalationEvent, LookBack
from sms_gateway.messages.models import Message, Thread
from tests.console.story import add_operator
from tests.telling import Person


async def seen_child(person: Person, *, region: str | None = "530627") -> int:
    """A red call in which the child was seen, closed, with its looks planned; the call's id."""
    operator = await add_operator("zhiban", "测试员")
    await person.texts("有人拿刀在打我妈妈 我躲在里屋")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id, for_update=True)
        assert call is not None
        await session.execute(update(Contact).where(Contact.id == call.contact_id).values(region=region))
        for state in (State.IN_CONTACT, State.CHILD_SEEN):
            await escalations.move(session, call, state, who=f"operator:{operator.id}")
        await look_backs.plan(session, call)
        return call.id


async def rows_of(call_id: int) -> list[LookBack]:
    async with transaction() as session:
        return list(await look_backs.list_of_case(session, call_id))


async def test_four_looks_are_planned_once_from_when_the_child_was_seen(person: Person, clock: HeldClock) -> None:
    call_id = await seen_child(person)
    assert [(row.mark, row.due_at - clock.now()) for row in await rows_of(call_id)] == list(look_backs.MARKS.items())
    async with transaction() as session:
        call = await session.get(Escalation, call_id)
        assert call is not None and await look_backs.plan(session, call) == 0
    assert len(await rows_of(call_id)) == 4


@pytest.mark.parametrize("what", ["false_alarm", "merged", "drill"])
async def test_false_alarms_merged_matters_and_drills_plan_nothing(person: Person, clock: HeldClock, what: str) -> None:
    await person.texts("有人拿刀在打我妈妈 我躲在里屋")
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None
        if what == "false_alarm":
            call.state = State.FALSE_ALARM
        elif what == "merged":
            call.outcome = "merged"
        else:
            await session.execute(update(Contact).values(channel=Channel.DRILL))
            session.expire_all()
            call = (await session.scalars(select(Escalation))).one()
        assert await look_backs.plan(session, call) == 0


async def test_who_was_not_reached_is_looked_for_every_day_until_they_are(person: Person, clock: HeldClock) -> None:
    call_id = await seen_child(person)
    first = (await rows_of(call_id))[0]
    clock.advance(timedelta(hours=25))
    async with transaction() as session:
        assert await look_backs.overdue_count(session) == 1 and await look_backs.overdue_by_region(session) == {
            "530627": 1
        }
        await look_backs.write(session, first.id, region=None, operator_id=1, result="not_reached", words="门锁着")
    again = next(row for row in await rows_of(call_id) if row.mark == "r1")
    assert again.due_at == clock.now() + timedelta(days=1)
    clock.advance(timedelta(hours=40))
    async with transaction() as session:
        await look_backs.write(session, again.id, region=None, operator_id=1, result="not_reached", words="还是没人")
    assert [row.mark for row in await rows_of(call_id) if row.done_at is None] == ["72h", "7d", "30d"]


async def test_a_second_result_for_the_same_look_is_refused(person: Person, clock: HeldClock) -> None:
    first = (await rows_of(await seen_child(person)))[0]
    async with transaction() as session:
        await look_backs.write(session, first.id, region="530627", operator_id=1, result="safe", words="在外婆家")
    with pytest.raises(look_backs.LookBackIsDone):
        async with transaction() as session:
            await look_backs.write(session, first.id, region="530627", operator_id=1, result="safe", words="再写")
    with pytest.raises(look_backs.LookBackNotFound):
        async with transaction() as session:
            await look_backs.write(session, first.id, region="530102", operator_id=1, result="safe", words="别的县")


async def test_unsafe_rings_in_red_and_sends_nothing_to_the_childs_phone(person: Person, clock: HeldClock) -> None:
    call_id = await seen_child(person)
    async with transaction() as session:
        operator_id = await session.scalar(select(Thread.operator_id).where(Thread.id == person.thread_id))
        call = (await session.scalars(select(Escalation).where(Escalation.id == call_id).with_for_update())).one()
        call.closed_at, call.outcome, call.state = clock.now(), "safe", State.RESOLVED
        await session.execute(update(Thread).values(owner="closed", operator_id=None))
    await person.run()
    person.news()
    clock.advance(timedelta(hours=24))
    async with transaction() as session:
        before = len((await session.scalars(select(Message.id))).all())
        look = (await look_backs.list_open(session))[0]
        await looking_back.write(
            session, look.row.id, region=None, operator_id=operator_id or 1, result="unsafe", words="又挨打了"
        )
    async with transaction() as session:
        opened = await escalations.find_open(session, person.thread_id)
        assert opened is not None and opened.id != call_id
        assert (opened.lane, opened.cause, opened.received_at) == ("red", "look_back", clock.now())
        whats = set(
            await session.scalars(select(EscalationEvent.what).where(EscalationEvent.escalation_id == opened.id))
        )
        assert {"rung", "look_back_unsafe"} <= whats
        assert len((await session.scalars(select(Message.id))).all()) == before
        assert await look_backs.list_open(session) == []
    await person.run()
    assert person.news() == []
