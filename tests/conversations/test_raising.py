"""A third talk of harm within a week, and a second reporter of one child, raise the lane and call a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import records, service
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.tickets import actors, child_merging, children, duty
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Child, Ticket, TicketEvent
from sms_gateway.wording import say
from tests.telling import FakeCarrier, Person

PAST = "我后爸上个月老是打我"
POLICY = "被家里人打可以报警吗 法律怎么规定的"


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    return Person("+8613800000002", carrier, run_jobs)


async def an_operator() -> Operator:
    async with transaction() as session:
        operator = await accounts.add(
            session, login="zhiban", name="测试员", role=Role.OPERATOR, password=None, trained=True
        )
        await set_duty(session, operator_id=operator.id, on_duty=True)
        return operator


async def calls() -> list[Escalation]:
    async with transaction() as session:
        return list(await session.scalars(select(Escalation).order_by(Escalation.id)))


async def all_tickets() -> list[Ticket]:
    async with transaction() as session:
        return list(await session.scalars(select(Ticket).order_by(Ticket.id)))


async def told_again(person: Person, clock: HeldClock, words: str = PAST, **by: float) -> list[str]:
    clock.advance(timedelta(**by))
    message_id = await person.hand_in(words)
    await person.run()
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
    assert message.lane == ("blue" if words == POLICY else "orange"), "the story of this test is judged otherwise"
    return person.news()


async def test_the_third_separate_talk_of_harm_in_a_week_is_red(person: Person, clock: HeldClock) -> None:
    await told_again(person, clock)
    await told_again(person, clock, days=2)
    assert {call.lane for call in await calls()} == {"orange"}
    await told_again(person, clock, days=2)
    [call] = await calls()
    assert (call.lane, call.cause, call.state, call.received_at) == ("red", "third_talk", "ringing", clock.now())
    assert call.reasons and "第 3 次" in call.reasons[0]
    assert (await person.talk()).owner == "waiting" and (await person.talk()).lane == "red"
    newest = (await all_tickets())[-1]
    async with transaction() as session:
        [event] = await session.scalars(
            select(TicketEvent).where(TicketEvent.ticket_id == newest.id, TicketEvent.what == "lane")
        )
        assert event.detail["reason"] == "third_talk" and len(event.detail["talks"]) == 3
        assert event.detail["tickets"] == [ticket.id for ticket in (await all_tickets())[:-1]]
        due = {row.due_at for row in await duty.list_duties(session, newest.id)}
    assert newest.lane == "red" and due == {clock.now() + timedelta(minutes=3)}


async def test_texts_of_one_talk_and_policy_questions_do_not_raise(person: Person, clock: HeldClock) -> None:
    await told_again(person, clock)
    await told_again(person, clock, hours=1)
    await told_again(person, clock, hours=1)
    await told_again(person, clock, POLICY, days=1)
    await told_again(person, clock, POLICY, days=1)
    assert {call.lane for call in await calls()} <= {"orange", "blue"}
    assert all(ticket.lane != "red" for ticket in await all_tickets())


async def test_the_person_hears_one_kind_text_and_nothing_where_they_asked_for_silence(
    person: Person, clock: HeldClock
) -> None:
    await told_again(person, clock)
    await told_again(person, clock, days=1)
    said = await told_again(person, clock, days=1)
    assert len(said) <= 1 and set(said) <= {say("orange.harm"), say("orange.abuse"), say("orange.witness")}


async def reported(person: Person, *, lane: str = "blue", **answers: str) -> int:
    message_id = await person.hand_in("你好")
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        message.judged_at, message.answered_by = message.at, "turn"
        ticket = await tickets.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="report",
            county="530627", answers=answers, lane=lane,
        )  # fmt: skip
        ticket_id = ticket.id
    await person.run()
    return ticket_id


async def ticket_of(ticket_id: int) -> Ticket:
    return next(ticket for ticket in await all_tickets() if ticket.id == ticket_id)


async def test_a_second_reporter_of_one_child_raises_the_matter_one_step(
    person: Person, another: Person, clock: HeldClock
) -> None:
    first = await reported(person, child="女儿叫王小明，9岁", what="学校不管")
    clock.advance(timedelta(days=1))
    second = await reported(another, child="学生名叫王小明，9岁，女孩", what="身上有伤")
    assert [(await ticket_of(ticket)).lane for ticket in (first, second)] == ["blue", "orange"]
    async with transaction() as session:
        [old] = await children.list_children(session, first)
        assert [child.id for child in await children.list_children(session, second)] == [old.id]
        said = {
            row.ticket_id: row.detail
            for row in await session.scalars(select(TicketEvent).where(TicketEvent.what == "same_child"))
        }
        assert [row.body for row in await duty.list_unsettled(session, second)]
    assert said[first]["tickets"] == [second] and said[second]["tickets"] == [first] and said[first]["reporters"] == 2
    [call] = await calls()
    assert (call.lane, call.cause, call.thread_id, call.received_at) == (
        "orange",
        "same_child",
        another.thread_id,
        clock.now(),
    )


async def test_it_raises_once_and_the_same_person_is_no_second_reporter(
    person: Person, another: Person, clock: HeldClock
) -> None:
    words = {"child": "女儿叫王小明，9岁", "what": "学校不管"}
    await reported(person, **words)
    third = await reported(person, **words)
    assert (await ticket_of(third)).lane == "blue" and await calls() == []
    second = await reported(another, **words)
    await another.run()
    assert (await ticket_of(second)).lane == "orange"
    last = await reported(another, **words)
    assert (await ticket_of(last)).lane == "blue"


async def test_two_girls_of_one_name_and_other_ages_stay_two(person: Person, another: Person) -> None:
    await reported(person, child="女儿叫王小明，9岁", what="学校不管")
    second = await reported(another, child="孩子叫王小明，15岁", what="身上有伤")
    assert (await ticket_of(second)).lane == "blue"
    async with transaction() as session:
        assert len(list(await session.scalars(select(Child).where(Child.merged_into.is_(None))))) == 2


async def test_a_link_by_hand_raises_orange_to_red_and_rings(person: Person, another: Person, clock: HeldClock) -> None:
    first = await reported(person, child="9岁，旧府小学", what="有人打她", lane="orange")
    second = await reported(another, child="女孩9岁，旧府小学", what="她身上有伤", lane="orange")
    assert (await ticket_of(second)).lane == "orange"
    async with transaction() as session:
        [old], [new] = await children.list_children(session, first), await children.list_children(session, second)
        await child_merging.merge(
            session, ticket_id=second, version=None, child_id=new.id, into_id=old.id, actor=actors.operator(7)
        )
    await another.run()
    assert (await ticket_of(second)).lane == "red"
    [call] = [call for call in await calls() if call.thread_id == another.thread_id]
    assert (call.lane, call.state, call.services) == ("red", "ringing", ["110"])
    assert another.news() == []  # nothing unasked goes out


async def test_a_danger_that_is_answered_becomes_a_ticket_and_the_call_made_by_hand_is_its_report(
    person: Person, clock: HeldClock
) -> None:
    operator = await an_operator()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    assert await all_tickets() == []
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    [ticket] = await all_tickets()
    assert (ticket.kind, ticket.lane) == ("disclosure", "red")
    async with transaction() as session:
        [row] = await duty.list_unsettled(session, ticket.id)
        assert row.body.startswith("police@") and row.due_at == ticket.received_at + timedelta(minutes=3)
        await records.note_handed_over(
            session, thread_id=person.thread_id, operator=operator, unit="110", reference="接警员 0231，已派车"
        )
    async with transaction() as session:
        [row] = await duty.list_duties(session, ticket.id)
    assert row.settled_at is not None and row.receipt and row.receipt["person"] == "接警员 0231，已派车"
