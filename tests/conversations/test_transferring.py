"""A talk passes between colleagues and has an owner at every instant."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import ownership, records, recusing, service, talk, transferring
from sms_gateway.conversations.ownership import Owner
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.escalations import service as escalations
from sms_gateway.messages.models import ThreadEvent
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.seats import SeatFacts
from tests.console.story import add_operator
from tests.telling import Person

DANGER = "我爸在打我 他拿着刀"


async def _held(person: Person, holder: Operator, text: str = DANGER) -> int:
    await person.texts(text)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=holder)
    await person.run()
    person.news()
    return person.thread_id


async def _offer(
    thread_id: int, who: Operator, to: Operator, mode: str = "warm", note: str = "已问到地点，等派出所回话"
) -> int:
    async with transaction() as session:
        row = await transferring.offer(
            session, thread_id=thread_id, operator=who, to_operator_id=to.id, mode=mode, note=note
        )
        return row.id


async def _owner(thread_id: int) -> tuple[str, int | None]:
    async with transaction() as session:
        found = await talk.get_talk(session, thread_id)
        return found.owner, found.operator_id


async def _events(thread_id: int) -> list[str]:
    async with transaction() as session:
        wanted = select(ThreadEvent.what).where(ThreadEvent.thread_id == thread_id).order_by(ThreadEvent.id)
        return list(await session.scalars(wanted))


async def test_a_cold_transfer_is_theirs_at_once_and_the_person_is_told_nothing(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    await _offer(thread_id, li, he, "cold", "")
    await person.run()
    assert await _owner(thread_id) == (Owner.OPERATOR, he.id)
    assert person.news() == []
    async with transaction() as session:
        call = await escalations.find_open(session, thread_id)
        assert call is not None
        assert call.acknowledged_by == he.id
    assert (await _events(thread_id))[-3:] == ["transfer_offered", "owner_operator", "transfer_accepted"]
    said = await person.texts("你还在吗")
    assert not any("真人" in one for one in said), "nobody greets again"


async def test_a_warm_one_stays_with_the_holder_until_the_other_says_yes(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)
    assert await _owner(thread_id) == (Owner.OPERATOR, li.id)
    async with transaction() as session:
        (row,) = await transferring.list_offers(session, he.id)
        assert row.note == "已问到地点，等派出所回话"
        await transferring.accept(session, transfer_id=offered, operator=he)
    assert await _owner(thread_id) == (Owner.OPERATOR, he.id)
    await person.run()
    assert person.news() == []


async def test_accepted_twice_at_once_it_is_taken_once(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)

    async def accept() -> bool:
        try:
            async with transaction() as session:
                await transferring.accept(session, transfer_id=offered, operator=he)
        except transferring.TransferIsOver:
            return False
        return True

    assert sorted(await asyncio.gather(accept(), accept())) == [False, True]
    assert (await _events(thread_id)).count("transfer_accepted") == 1


async def test_yes_and_taken_back_in_the_same_instant_leave_one_of_the_two(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)

    async def act(yes: bool) -> str:
        try:
            async with transaction() as session:
                if yes:
                    await transferring.accept(session, transfer_id=offered, operator=he)
                else:
                    await transferring.cancel(session, transfer_id=offered, operator=li)
        except transferring.TransferIsOver:
            return "late"
        return "accepted" if yes else "cancelled"

    done = set(await asyncio.gather(act(True), act(False)))
    assert "late" in done
    assert await _owner(thread_id) == (Owner.OPERATOR, he.id if "accepted" in done else li.id)


async def test_nobody_answers_and_it_stays_where_it_is(person: Person, clock: HeldClock) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)
    clock.advance(timedelta(seconds=61))
    async with transaction() as session:
        for one in (li, he):
            await presence.beat(session, operator_id=one.id)
    await timers.sweep()
    await person.run()
    assert await _owner(thread_id) == (Owner.OPERATOR, li.id)
    assert (await _events(thread_id))[-1] == "transfer_timed_out"
    async with transaction() as session:
        assert [row.id for row in await transferring.list_ended(session, within=timedelta(minutes=1))] == [offered]
        with pytest.raises(transferring.TransferIsOver):
            await transferring.accept(session, transfer_id=offered, operator=he)


async def test_only_who_was_asked_answers_and_only_who_asked_takes_back(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    other = await add_operator("yang", "杨丽萍")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)
    for act in (transferring.accept, transferring.decline, transferring.cancel):
        with pytest.raises(HotlineError):
            async with transaction() as session:
                await act(session, transfer_id=offered, operator=other)
    with pytest.raises(ownership.NotYourTalk):
        await _offer(thread_id, other, he)
    with pytest.raises(transferring.AlreadyOffered):
        await _offer(thread_id, li, other)
    async with transaction() as session:
        await transferring.decline(session, transfer_id=offered, operator=he)
    assert await _owner(thread_id) == (Owner.OPERATOR, li.id)
    await _offer(thread_id, li, other)


async def test_a_warm_one_needs_a_word_and_nobody_offers_to_themselves(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    for to, mode, note in ((he, "warm", " "), (li, "cold", "x"), (he, "hot", "x"), (he, "warm", "字" * 1001)):
        with pytest.raises(BadInput):
            await _offer(thread_id, li, to, mode, note)


async def test_given_back_danger_rings_again_and_nothing_is_said(person: Person) -> None:
    li = await add_operator("li", "李春燕")
    thread_id = await _held(person, li)
    async with transaction() as session:
        await transferring.back_to_queue(session, thread_id=thread_id, operator=li)
    assert await _owner(thread_id) == (Owner.WAITING, None)
    async with transaction() as session:
        call = await escalations.find_open(session, thread_id)
        assert call is not None
        assert (call.state, call.acknowledged_by) == ("ringing", None)
    await person.run()
    assert person.news() == []


async def test_who_knows_the_family_is_not_offered_it(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    async with transaction() as session:
        await recusing.recuse(session, thread_id=thread_id, operator=he)
    with pytest.raises(transferring.CannotTake, match="CannotTake") as refused:
        await _offer(thread_id, li, he, "cold")
    assert "回避" in refused.value.sentence


def _seat(**facts: object) -> SeatFacts:
    return SeatFacts(operator_id=1, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seat", "shut", "says"),
    [
        (None, False, "不在线"), (_seat(there=False), False, "不在线"), (_seat(on_duty=False), False, "没有在值班"),
        (_seat(trained=False), False, "未保专席"), (_seat(on_break=True), False, "正在歇"), (_seat(load=6), False, "满了"), (_seat(), True, "回避"),
    ],
)  # fmt: skip
def test_who_cannot_take_it_is_refused_with_why(seat: SeatFacts | None, shut: bool, says: str) -> None:
    assert says in (transferring.why_not(seat, "red", shut=shut, capacity=6) or "")


def test_who_has_room_can() -> None:
    assert transferring.why_not(_seat(load=3), "red", shut=False, capacity=6) is None
    assert transferring.why_not(_seat(trained=False), "blue", shut=False, capacity=6) is None


async def test_danger_goes_to_trained_hands_only_also_to_a_supervisors(person: Person) -> None:
    li, lead = await add_operator("li", "李春燕"), await add_operator("ban", "班长", Role.SUPERVISOR, trained=False)
    thread_id = await _held(person, li)
    with pytest.raises(service.SeatIsNotTrained):
        async with transaction() as session:
            await records.take_from_colleague(session, thread_id=thread_id, operator=lead)
    assert await _owner(thread_id) == (Owner.OPERATOR, li.id)
    trained = await add_operator("ban2", "班长二", Role.SUPERVISOR)
    async with transaction() as session:
        await records.take_from_colleague(session, thread_id=thread_id, operator=trained)
    assert await _owner(thread_id) == (Owner.OPERATOR, trained.id)


async def test_an_offer_is_not_accepted_by_one_whose_training_ended_and_whose_page_was_closed(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    offered = await _offer(thread_id, li, he)
    async with transaction() as session:
        one = await session.get_one(Operator, he.id)
        one.trained, one.on_duty, one.last_seen_at = False, False, None
    with pytest.raises(transferring.CannotTake):
        async with transaction() as session:
            await transferring.accept(session, transfer_id=offered, operator=await session.get_one(Operator, he.id))
    assert await _owner(thread_id) == (Owner.OPERATOR, li.id)


async def test_an_offer_ends_although_the_workers_clock_is_behind(person: Person, clock: HeldClock) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    thread_id = await _held(person, li)
    await _offer(thread_id, li, he)
    clock.advance(timedelta(seconds=60, milliseconds=1))
    await timers.sweep()
    clock.advance(timedelta(milliseconds=-20))
    await person.run()
    assert "transfer_timed_out" not in await _events(thread_id)
    clock.advance(timedelta(seconds=1))
    await timers.sweep()
    await person.run()
    assert "transfer_timed_out" in await _events(thread_id)
