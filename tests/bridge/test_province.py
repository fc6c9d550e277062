"""接不通就上省: a prefecture's desk that refuses or stays silent is followed by the province's, by a click or by the ladder."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, province, service
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Operator
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 我在镇雄县泼机镇老街12号"
FIRE = "着火了 好大的烟 我在镇雄县泼机镇街上小学宿舍二楼"


async def _press(person: Person, number: str = "110") -> Operator:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await bridging.press(
            session, thread_id=person.thread_id, operator=operator, service=number, approach="别敲前门"
        )
    await person.run()
    return operator


async def _calls() -> list[BridgeCall]:
    async with transaction() as session:
        return list(await session.scalars(select(BridgeCall).order_by(BridgeCall.id)))


async def _ask(person: Person, operator: Operator, call_id: int) -> None:
    async with transaction() as session:
        await province.ask(session, thread_id=person.thread_id, operator=operator, call_id=call_id)
    await person.run()


async def _later(person: Person, clock: HeldClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()


async def test_a_desk_that_refuses_is_followed_by_the_provinces_with_one_click(
    door: httpx.AsyncClient, person: Person
) -> None:
    await door.post("/simulator/desk/mood/refuses")
    operator = await _press(person)
    [first] = await _calls()
    assert (first.desk, first.state) == ("110@530600", "failed")
    await door.post("/simulator/desk/mood/accepts")
    await _ask(person, operator, first.id)
    first, second = await _calls()
    assert (second.desk, second.state) == ("110@530000", "accepted")
    assert (
        second.incident["approach"] == first.incident["approach"]
        and second.incident["place"] == first.incident["place"]
    )
    with pytest.raises(province.ProvinceIsNotNext):
        await _ask(person, operator, first.id)


async def test_a_province_that_refuses_too_is_followed_by_nobody(door: httpx.AsyncClient, person: Person) -> None:
    await door.post("/simulator/desk/mood/refuses")
    operator = await _press(person)
    await _ask(person, operator, (await _calls())[0].id)
    for call in await _calls():
        with pytest.raises(province.ProvinceIsNotNext):
            await _ask(person, operator, call.id)


async def test_a_desk_that_takes_it_or_is_still_in_time_is_not_followed(
    door: httpx.AsyncClient, person: Person
) -> None:
    await door.post("/simulator/desk/mood/loses")
    operator = await _press(person)
    [call] = await _calls()
    assert call.state == "requested"
    with pytest.raises(province.ProvinceIsNotNext):
        await _ask(person, operator, call.id)


async def test_a_silent_desk_is_followed_after_the_alarm_and_may_still_take_it(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    await door.post("/simulator/desk/mood/loses")
    operator = await _press(person)
    for _ in range(5):
        await _later(person, clock, 15)
    [call] = await _calls()
    assert (call.state, call.alarmed_at is not None) == ("requested", True)
    await door.post("/simulator/desk/mood/accepts")
    await _ask(person, operator, call.id)
    assert [(one.state, one.last_error) for one in await _calls()] == [("failed", "silent"), ("accepted", None)]


async def test_what_the_ladder_sent_goes_on_to_the_province_by_itself(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    await door.post("/simulator/desk/mood/refuses")
    await person.texts(FIRE)
    for _ in range(8):
        await _later(person, clock, 31)
    assert [(call.desk, call.state, call.requested_by) for call in await _calls()] == [
        ("119@530600", "failed", None), ("119@530000", "failed", None),
    ]  # fmt: skip
    async with transaction() as session:
        assert (await session.scalars(select(Escalation))).one().state == "ringing"


async def test_once_somebody_of_ours_has_it_the_province_is_theirs_to_ask(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    await door.post("/simulator/desk/mood/loses")
    operator = await add_operator("jia", "甲")
    await person.texts(FIRE)
    for _ in range(7):
        await _later(person, clock, 31)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await door.post("/simulator/desk/mood/refuses")
    await _later(person, clock, 16)
    [call] = await _calls()
    assert call.state == "failed"
    await _ask(person, operator, call.id)
    assert len(await _calls()) == 2
