"""Who is left out of outreach for safety: raised with any red or orange, lowered only when nothing of it is open any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.broadcasts import taking
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.broadcasts.recipients import Why
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import desk_matters, forgotten, judging, service
from sms_gateway.database import transaction
from sms_gateway.escalations import open_cases
from sms_gateway.escalations.ladder import State
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.tickets import actors, concluding, moves
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket
from tests.broadcasts.reached import reach
from tests.telling import FakeCarrier, Person

LEAD = actors.operator(1, lead=True)
HITS = "我爸打我 现在还在打"
PAST = "我后爸上个月老是打我"
COMPLAINT = "我要投诉 学校天天占体育课"


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    return Person("+8613800000002", carrier, run_jobs)


async def an_operator(login: str = "zhiban", role: Role = Role.OPERATOR) -> Operator:
    async with transaction() as session:
        made = await accounts.add(session, login=login, name="甲", role=role, password=None, trained=True)
        await set_duty(session, operator_id=made.id, on_duty=True)
        return made


async def why_left_out(number: str) -> Why | None:
    """What the sender says of this number now."""
    broadcast_id = await reach(number, state="created")
    async with transaction() as session:
        one = await session.get_one(Broadcast, broadcast_id)
        return (await taking._rows(session, one, 1, 1)).reasons[1]


async def tickets_of(person: Person) -> list[Ticket]:
    async with transaction() as session:
        return list(
            await session.scalars(select(Ticket).where(Ticket.thread_id == person.thread_id).order_by(Ticket.id))
        )


async def end(ticket: Ticket, person: Person) -> None:
    """The desk ends that ticket on the spot."""
    async with transaction() as session:
        await concluding.decline(session, await moves.lock(session, ticket.id), actor=LEAD, why="已核实，孩子平安")
    await person.run()


async def end_talk(person: Person, operator: Operator) -> None:
    """An operator sees it through to its end."""
    thread_id = person.thread_id
    async with transaction() as session:
        await service.take_over(session, thread_id=thread_id, operator=operator)
    async with transaction() as session:
        for to in (State.IN_CONTACT, State.HANDED_OVER, State.CHILD_SEEN):
            await service.mark(session, thread_id=thread_id, operator=operator, to=to)
    async with transaction() as session:
        await service.close(
            session, thread_id=thread_id, operator=operator, outcome="handed_over", note_text="孩子见到了，平安"
        )
    await person.run()


async def test_who_never_wrote_of_harm_is_texted(person: Person) -> None:
    await person.texts("你好")
    assert await why_left_out(person.number) is None


async def test_danger_leaves_them_out_until_talk_and_ticket_are_both_ended(person: Person, clock: HeldClock) -> None:
    operator = await an_operator()
    await person.texts(HITS)
    assert await why_left_out(person.number) is Why.OPEN_CASE
    await end_talk(person, operator)
    [ticket] = await tickets_of(person)
    assert ticket.closed_at is None
    assert await why_left_out(person.number) is Why.OPEN_CASE, "the talk is over, its ticket of harm is not"
    await end(ticket, person)
    assert await why_left_out(person.number) is None


async def test_a_ticket_that_ends_first_leaves_the_call_open(person: Person, clock: HeldClock) -> None:
    await person.texts(PAST)
    [ticket] = await tickets_of(person)
    await end(ticket, person)
    assert await why_left_out(person.number) is Why.OPEN_CASE, "nobody has read the talk yet"


async def test_a_ticket_taken_up_again_leaves_them_out_again(person: Person, clock: HeldClock) -> None:
    operator = await an_operator()
    await person.texts(HITS)
    await end_talk(person, operator)
    [ticket] = await tickets_of(person)
    await end(ticket, person)
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await moves.move(session, locked, Status.ACCEPTED, actor=LEAD, why="结得不对")
    assert await why_left_out(person.number) is Why.OPEN_CASE


async def test_a_ticket_of_harm_opened_by_a_form_alone_leaves_them_out(person: Person, clock: HeldClock) -> None:
    ticket = await reported(person, lane="orange")
    assert await why_left_out(person.number) is Why.OPEN_CASE
    await end(ticket, person)
    assert await why_left_out(person.number) is None


async def test_an_ordinary_ticket_leaves_nobody_out(person: Person, clock: HeldClock) -> None:
    await reported(person)
    assert await why_left_out(person.number) is None


async def test_a_report_merged_into_a_matter_of_harm_stays_part_of_it(
    person: Person, another: Person, clock: HeldClock
) -> None:
    into, gone = await reported(person, lane="orange"), await reported(another)
    async with transaction() as session:
        first, second = await moves.lock(session, into.id), await moves.lock(session, gone.id)
        await concluding.merge(session, second, into=first, actor=LEAD, why="同一个孩子")
    await another.run()
    assert await why_left_out(another.number) is Why.OPEN_CASE, "whose report it is now"
    await end(into, person)
    assert await why_left_out(another.number) is None
    assert await why_left_out(person.number) is None


async def test_a_matter_raised_by_a_graver_report_leaves_both_out(
    person: Person, another: Person, clock: HeldClock
) -> None:
    into, gone = await reported(person), await reported(another, lane="orange")
    async with transaction() as session:
        first, second = await moves.lock(session, into.id), await moves.lock(session, gone.id)
        await concluding.merge(session, second, into=first, actor=LEAD, why="同一个孩子")
    await another.run()
    assert await why_left_out(person.number) is Why.OPEN_CASE
    assert await why_left_out(another.number) is Why.OPEN_CASE


async def test_a_text_nobody_could_judge_leaves_them_out_while_it_is_unread(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await person.hand_in("看不懂的东西")

    async def breaks(_: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(judging, "judge", breaks)
    await forgotten.rescue(message_id)
    assert await why_left_out(person.number) is Why.OPEN_CASE


async def test_a_disclosure_in_a_form_leaves_them_out(person: Person, clock: HeldClock) -> None:
    message_id = await person.hand_in("你好")
    await judging.judge(message_id)
    async with transaction() as session:
        await service.hand_over(session, thread_id=person.thread_id, message_id=message_id, cause="disclosure")
    assert await why_left_out(person.number) is Why.OPEN_CASE


async def test_a_false_alarm_of_two_people_lowers_it_where_no_ticket_is_left(person: Person, clock: HeldClock) -> None:
    first, second = await an_operator(), await an_operator("banzhang", Role.SUPERVISOR)
    await person.texts(HITS)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=first)
    async with transaction() as session:
        await service.lower_after_false_alarm(
            session, thread_id=person.thread_id, operator=first, second=second, note_text="孩子说是背课文"
        )
    [ticket] = await tickets_of(person)
    assert await why_left_out(person.number) is Why.OPEN_CASE
    await end(ticket, person)
    assert await why_left_out(person.number) is None


@pytest.mark.parametrize("written", ["13800000007", "+86 138-0000-0007"])
async def test_the_number_a_desk_gave_with_danger_is_left_out_though_it_never_wrote(
    person: Person, clock: HeldClock, written: str
) -> None:
    await a_matter("1", person, phone=written)
    assert await why_left_out("+8613800000007") is Why.OPEN_CASE
    await person.texts("你好")  # of somebody else; that number's own text finds its contact there
    assert await Person("+8613800000007", person.carrier, person.run).texts("88") == []


async def test_of_two_desks_matters_with_one_number_the_last_lowers_it(person: Person, clock: HeldClock) -> None:
    operator = await an_operator()
    first, second = await a_matter("1", person), await a_matter("2", person)
    for ticket, left in ((first, Why.OPEN_CASE), (second, None)):
        talk = Person(person.number, person.carrier, person.run, thread_id=ticket.thread_id)
        await end_talk(talk, operator)
        await end(ticket, person)
        assert await why_left_out("+8613800000007") is left


@pytest.mark.parametrize("written", ["", "0871-5551234", "不肯说", "110"])
def test_only_a_mobile_can_be_left_out(written: str) -> None:
    assert open_cases.mobile(written) is None


async def test_a_watched_phone_is_left_out_until_its_person_says_it_is_safe(person: Person, clock: HeldClock) -> None:
    await person.texts("你好")
    await person.texts("88")
    assert await why_left_out(person.number) is Why.SAFE_MODE
    clock.advance(timedelta(days=30))
    assert await why_left_out(person.number) is Why.SAFE_MODE, "no time ends it"
    await person.texts("在吗")
    assert await why_left_out(person.number) is Why.SAFE_MODE
    await person.texts("1")
    assert await why_left_out(person.number) is None


async def test_who_opted_out_is_left_out_and_an_open_case_is_said_first(person: Person, clock: HeldClock) -> None:
    await person.texts("TD")
    assert await why_left_out(person.number) is Why.OPTED_OUT
    await person.texts(HITS)
    assert await why_left_out(person.number) is Why.OPEN_CASE


async def reported(person: Person, *, lane: str = "blue") -> Ticket:
    """A form was filled in; nothing of its talk is danger."""
    message_id = await person.hand_in(COMPLAINT)
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        message.judged_at, message.answered_by, message.lane = message.at, "turn", "blue"
        return await tickets.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="report",
            county="530627", answers={"what": "老师占课"}, lane=lane,
        )  # fmt: skip


async def a_matter(number: str, person: Person, *, phone: str = "13800000007") -> Ticket:
    """A desk handed on something that is danger."""
    said = {"what": HITS, "place": "镇雄县", "child": "", "caller": "邻居", "phone": phone, "kind": "report"}
    async with transaction() as session:
        ticket_number, _new = await desk_matters.take(session, desk="110@530600", number=number, said=said)
    await person.run()
    async with transaction() as session:
        return (await session.scalars(select(Ticket).where(Ticket.number == ticket_number))).one()
