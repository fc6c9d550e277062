"""Danger is stopped by trained seats only, and a desk that has it is neither called twice nor forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway import clock as clocks
from sms_gateway import timers
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import bridging, giving_back, judging, records, service, talk, turn
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator, Role
from tests.console.story import add_operator
from tests.telling import Person

from .hands import call_of, events_of, take

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
FIRE = "着火了 好大的烟 我在镇雄县泼机镇街上小学宿舍二楼"


async def _false_alarm(person: Person, operator: Operator, second: Operator) -> None:
    async with transaction() as session:
        await service.lower_after_false_alarm(
            session, thread_id=person.thread_id, operator=operator, second=second, note_text="闹着玩"
        )


async def _bridges() -> list[BridgeCall]:
    async with transaction() as session:
        return list(await session.scalars(select(BridgeCall)))


async def _pass(person: Person, clock: HeldClock, *, seconds: int, there: Operator | None = None) -> None:
    for _ in range(seconds // 31 + 1):
        clock.advance(timedelta(seconds=31))
        if there is not None:
            async with transaction() as session:
                await presence.beat(session, operator_id=there.id)
        await timers.sweep()
        await person.run()


async def _go_on(act: str, thread_id: int, operator: Operator) -> None:
    async with transaction() as session:
        if act == "in_contact":
            await service.mark(session, thread_id=thread_id, operator=operator, to=State.IN_CONTACT)
        elif act == "handed_over":
            await records.note_handed_over(session, thread_id=thread_id, operator=operator, unit="110", reference="1")
        elif act == "child_seen":
            await records.note_child_seen(
                session, thread_id=thread_id, operator=operator, by="王", at="8点", where="家", tonight="外婆"
            )
        else:
            await service.close(session, thread_id=thread_id, operator=operator, outcome="safe", note_text="好了")


@pytest.mark.parametrize("act", ["in_contact", "handed_over", "child_seen", "close"])
async def test_an_untrained_holder_does_not_stop_the_ringing_of_danger(
    person: Person, clock: HeldClock, act: str
) -> None:
    plain = await add_operator("xin", "新人", trained=False)
    await person.texts("你好")
    await take(person, plain)
    await person.texts(KICKING)
    with pytest.raises(service.SeatIsNotTrained):
        await _go_on(act, person.thread_id, plain)
    await _pass(person, clock, seconds=60, there=plain)
    call = await call_of(person)
    assert (call.state, call.acknowledged_by) == (State.RINGING, None)
    assert call.step >= 2


async def test_a_trained_holder_goes_on_from_a_call_that_rings_anew_and_has_it_then(person: Person) -> None:
    seat = await add_operator("lao", "专席")
    await person.texts("你好")
    await take(person, seat)
    await person.texts(KICKING)
    async with transaction() as session:
        await service.mark(session, thread_id=person.thread_id, operator=seat, to=State.IN_CONTACT)
    call = await call_of(person)
    assert (call.state, call.acknowledged_by) == (State.IN_CONTACT, seat.id)


async def test_a_lead_who_takes_what_rings_in_a_colleagues_hands_has_answered_it(
    person: Person, clock: HeldClock
) -> None:
    plain = await add_operator("xin", "新人", trained=False)
    lead = await add_operator("ban", "班长", Role.SUPERVISOR)
    await person.texts("你好")
    await take(person, plain)
    await person.texts(KICKING)
    async with transaction() as session:
        await records.take_from_colleague(session, thread_id=person.thread_id, operator=lead)
    call = await call_of(person)
    assert (call.state, call.acknowledged_by) == (State.ACKNOWLEDGED, lead.id)
    before = call.step
    await _pass(person, clock, seconds=90, there=lead)
    assert (await call_of(person)).step == before


async def test_a_false_alarm_is_told_by_a_trained_seat_and_signed_by_another_or_by_a_lead(person: Person) -> None:
    plain, seat = await add_operator("xin", "新人", trained=False), await add_operator("lao", "专席")
    lead = await add_operator("ban", "班长", Role.SUPERVISOR, trained=False)
    await person.texts("你好")
    await take(person, plain)
    await person.texts(KICKING)
    with pytest.raises(service.SeatIsNotTrained):
        await _false_alarm(person, plain, lead)
    await take(person, seat)
    with pytest.raises(service.SeatIsNotTrained):
        await _false_alarm(person, seat, plain)
    await _false_alarm(person, seat, lead)
    assert (await person.talk()).lane == "blue"


async def test_a_false_alarm_after_a_hand_over_to_110_needs_a_lead_and_says_who_signed(person: Person) -> None:
    first, second = await add_operator("jia", "甲"), await add_operator("yi", "乙")
    lead = await add_operator("ban", "班长", Role.SUPERVISOR)
    await person.texts(KICKING)
    await take(person, first)
    call = await call_of(person)
    async with transaction() as session:
        await bridging.press(session, thread_id=person.thread_id, operator=first, service="110")
    with pytest.raises(service.SupervisorMustSign):
        await _false_alarm(person, first, second)
    await _false_alarm(person, first, lead)
    async with transaction() as session:
        ended = await session.get_one(Escalation, call.id)
    assert (ended.state, ended.signed_off_by) == (State.FALSE_ALARM, lead.id)


async def test_what_a_desk_has_taken_is_not_sent_a_second_time_when_the_operator_drops_off(
    person: Person, clock: HeldClock
) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(FIRE)
    await take(person, operator)
    async with transaction() as session:
        sent = await bridging.press(session, thread_id=person.thread_id, operator=operator, service="119")
    async with transaction() as session:
        await bridge.accept(session, await bridge.lock(session, sent.id), receipt="JQ1", who="desk")
    await person.run()
    assert (await call_of(person)).state == State.HANDED_OVER
    clock.advance(timedelta(seconds=30))
    await giving_back.sweep()
    await person.run()
    assert (await call_of(person)).state == State.RINGING, "nobody of ours is with the child"
    await _pass(person, clock, seconds=240)
    assert [one.id for one in await _bridges()] == [sent.id]


async def test_a_desk_that_took_it_while_it_rang_is_asked_until_the_child_is_seen(
    person: Person, clock: HeldClock
) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(FIRE)
    await _pass(person, clock, seconds=200)
    [sent] = await _bridges()  # called by the ladder
    async with transaction() as session:
        await bridge.accept(session, await bridge.lock(session, sent.id), receipt="JQ1", who="desk")
    await person.run()
    clock.advance(timedelta(seconds=20))
    await take(person, operator)
    call = await call_of(person)
    for asked in (1, 2, 3):  # accepted, and taken a moment later: still one question each half hour
        clock.advance(timedelta(minutes=30))
        await _pass(person, clock, seconds=1, there=operator)
        assert (await events_of(call)).count("ask_desk") == asked
    async with transaction() as session:
        await records.note_child_seen(
            session, thread_id=person.thread_id, operator=operator, by="王", at="8点", where="家", tonight="外婆"
        )
    before = (await events_of(call)).count("ask_desk")
    clock.advance(timedelta(minutes=31))
    await _pass(person, clock, seconds=1, there=operator)
    assert (await events_of(call)).count("ask_desk") == before


async def test_a_second_refusal_rings_as_the_first_did(person: Person) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    await take(person, operator)
    async with transaction() as session:
        sent = await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
    for state in ("refused", "accepted", "refused"):
        async with transaction() as session:
            receipt = "JQ1" if state == "accepted" else None
            await bridge.hear(session, await bridge.lock(session, sent.id), state, receipt=receipt)
        await person.run()
    call = await call_of(person)
    assert (await events_of(call)).count("bridge_failed") == 2
    assert call.state != State.HANDED_OVER


async def test_the_ladders_desk_is_not_called_where_somebody_took_the_talk_in_the_same_instant(person: Person) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(FIRE)
    call = await call_of(person)

    async def rung() -> None:
        async with transaction() as session:
            await bridging.on_rung(session, call.id)

    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        waiting = asyncio.create_task(rung())
        await asyncio.sleep(0.5)  # it stands at the lock, with what it read before
        assert not waiting.done()
    await waiting
    assert await _bridges() == []


async def test_a_turn_that_waited_for_the_lock_sees_that_an_operator_has_the_talk(person: Person) -> None:
    operator = await add_operator("jia", "甲")
    async with transaction() as session:
        inbound = inbox.Inbound(Channel.SMS, person.number, "转人工", "simulator", "x1", clocks.now())
        text = await inbox.receive(session, inbound)
    assert text is not None
    await judging.judge(text.message_id)
    async with transaction() as session:
        await service.take_over(session, thread_id=text.thread_id, operator=operator)
        waiting = asyncio.create_task(turn.take(text.message_id))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    await waiting
    async with transaction() as session:
        assert await escalations.find_open(session, text.thread_id) is None
        assert (await talk.get_talk(session, text.thread_id)).operator_id == operator.id
        await service.close(session, thread_id=text.thread_id, operator=operator, outcome="safe", note_text="好")
