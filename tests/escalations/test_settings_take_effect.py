"""Each time of the ladder is what its setting says, through the timers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from sms_gateway import timers
from sms_gateway.bridge import service as bridge
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, service, talk, transferring
from sms_gateway.database import transaction
from sms_gateway.escalations import crew, overview
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import ThreadEvent
from sms_gateway.operators import pauses, presence, roster
from sms_gateway.operators.models import Operator
from sms_gateway.operators.seats import SeatFacts
from sms_gateway.settings import get_settings
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
BRUISES = "班上有个娃娃身上老是有伤 问他就说摔的 我是他班主任"


@pytest.fixture
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "VOICE": "none", "RECEIPT_WITHIN_SECONDS": "7", "DESK_ACCEPTS_WITHIN_SECONDS": "9", "ASK_DESK_MINUTES": "3",
        "ORANGE_READ_MINUTES": "2", "ORANGE_PHONE_MINUTES": "4", "TRANSFER_WITHIN_SECONDS": "11", "BREAK_MINUTES": "5",
        "SEAT_CAPACITY": "3", "RING_AGAIN_SECONDS": "4", "RING_EVERYONE_SECONDS": "8", "RING_SUPERVISOR_SECONDS": "16",
        "BRIDGE_AFTER_SECONDS": "24", "SEEN_WITHIN_SECONDS": "12", "GONE_AFTER_SECONDS": "25", "ALARM_MINUTES": "2",
        "BRIDGE_RETRY_SECONDS": "[3,50]",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()


pytestmark = pytest.mark.usefixtures("settings")


async def _events(person: Person) -> list[str]:
    async with transaction() as session:
        call = (await session.scalars(select(Escalation).where(Escalation.thread_id == person.thread_id))).one()
        return [event.what for event in await escalations.list_events(session, call.id)]


async def _pass(person: Person, clock: HeldClock, seconds: float) -> list[str]:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()
    return await _events(person)


async def test_the_steps_of_red_and_its_receipt(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    assert "text_did_not_arrive" not in await _pass(person, clock, 6.5)
    assert "text_did_not_arrive" in await _pass(person, clock, 1)
    for seconds, rings in ((1, 3), (8, 4), (8, 5)):
        assert (await _pass(person, clock, seconds)).count("rung") == rings


async def test_how_long_an_orange_one_may_stay_unread(person: Person, clock: HeldClock) -> None:
    await person.texts(BRUISES)
    assert "unread" not in await _pass(person, clock, 119)
    assert "unread" in await _pass(person, clock, 2)


async def test_how_long_a_desk_has_and_how_often_it_is_asked(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
    clock.advance(timedelta(seconds=9.5))
    await timers.sweep()
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id, for_update=True)
        assert call is not None
        await escalations.move(session, call, State.HANDED_OVER, who=f"operator:{operator.id}")
        late = select(timers.Timer.done_at).where(timers.Timer.job == "bridge.late")
        assert await session.scalar(late) is not None
        asks = select(timers.Timer.due_at).where(timers.Timer.job == "escalations.ask_desk")
        assert await session.scalar(asks) == clock.now() + timedelta(minutes=3)


async def test_how_long_an_offer_stands(person: Person, clock: HeldClock) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    await person.texts("你好")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
        await transferring.offer(
            session, thread_id=person.thread_id, operator=li, to_operator_id=he.id, mode="warm", note="等回话"
        )
    clock.advance(timedelta(seconds=11.5))
    await timers.sweep()
    await person.run()
    async with transaction() as session:
        told = await session.scalars(select(ThreadEvent.what).where(ThreadEvent.thread_id == person.thread_id))
        assert "transfer_timed_out" in told.all()


async def test_how_long_a_break_is(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    async with transaction() as session:
        await pauses.after_severe(session, operator.id)
        assert (await session.get_one(Operator, operator.id)).break_until == clock.now() + timedelta(minutes=5)


async def test_how_much_a_seat_holds(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
        thread = await talk.get_talk(session, person.thread_id)
        lane = await transferring.lane_of(session, thread)
    assert get_settings().seat_capacity == 3
    free = next(seat for seat in await _seats() if seat.operator_id == he.id)
    full = next(seat for seat in await _seats() if seat.operator_id == li.id)
    assert transferring.why_not(free, lane, shut=False, capacity=get_settings().seat_capacity) is None
    assert transferring.why_not(full, "blue", shut=False, capacity=get_settings().seat_capacity) is not None


async def _seats() -> list[SeatFacts]:
    async with transaction() as session:
        return await crew.load_seats(session)


async def test_how_long_a_silent_console_counts_as_open(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts("你好")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    clock.advance(timedelta(seconds=13))
    assert not (await _seats())[0].there
    async with transaction() as session:
        assert not roster.is_there(await session.get_one(Operator, operator.id))
        assert not await presence.is_anyone_on_duty(session)
    await person.texts("还在吗")
    assert (await person.talk()).operator_id == operator.id, "away, but not gone"
    clock.advance(timedelta(seconds=13))
    await person.texts("在不在")
    assert (await person.talk()).owner == "waiting"


async def test_how_long_an_alarm_is_called_out(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    for minutes, called in ((0, True), (1.9, True), (0.2, False)):
        clock.advance(timedelta(minutes=minutes))
        async with transaction() as session:
            if not minutes:
                call = await escalations.find_open(session, person.thread_id)
                assert call is not None
                await escalations.note_silence(session, call, call.message_id or 0)
            kinds = {alarm.kind for alarm in await overview.list_alarms(session)}
        assert ("silence_word" in kinds) == called


async def test_when_a_silent_desk_is_asked_again(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        call = await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
        for pause in (3, 50, 50):
            call.attempts += 1
            await session.flush()
            await bridge.try_again(session, call.id, error="silent")
            newest = select(func.max(timers.Timer.due_at)).where(timers.Timer.job == "bridge.send")
            assert await session.scalar(newest) == clock.now() + timedelta(seconds=pause)
