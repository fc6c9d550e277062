"""A desk that is slow or hangs, a worker killed between the desk's yes and our note of it, a yes that comes after the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, service
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Operator, Role
from sms_gateway.platforms import linkage
from sms_gateway.settings import get_settings
from sms_gateway.simulator import emergency_desk
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _press(person: Person) -> tuple[Operator, int]:
    """Handed over, nothing sent yet: the operator and the hand-over."""
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        call = await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
        return operator, call.id


async def _call() -> BridgeCall:
    async with transaction() as session:
        return (await session.scalars(select(BridgeCall))).one()


async def _incident(door: httpx.AsyncClient) -> dict[str, Any]:
    [incident] = (await door.get("/simulator/desk")).json()["incidents"]
    return dict(incident)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits in the same order, a twentieth as long."""
    assert emergency_desk.SLOW_SECONDS < linkage.WITHIN_SECONDS < emergency_desk.HANGS_SECONDS
    for place, name in (
        (emergency_desk, "SLOW_SECONDS"),
        (linkage, "WITHIN_SECONDS"),
        (emergency_desk, "HANGS_SECONDS"),
    ):
        monkeypatch.setattr(place, name, getattr(place, name) / 20 + (0.5 if place is linkage else 0))


async def test_a_slow_desk_is_waited_for(door: httpx.AsyncClient, person: Person, quick: None) -> None:
    await door.post("/simulator/desk/mood/slow")
    await _press(person)
    await person.run()
    call = await _call()
    assert (call.state, call.attempts) == ("accepted", 1)


async def test_a_desk_that_hangs_gets_the_same_incident_again_until_it_answers(
    door: httpx.AsyncClient, person: Person, clock: HeldClock, quick: None
) -> None:
    await door.post("/simulator/desk/mood/hangs")
    await _press(person)
    await person.run()
    call = await _call()
    assert (call.state, call.last_error) == ("requested", "no_answer")
    await door.post("/simulator/desk/mood/accepts")
    clock.advance(timedelta(seconds=3))
    await timers.sweep()
    await person.run()
    call, incident = await _call(), await _incident(door)
    assert (call.state, call.attempts, call.receipt) == ("accepted", 2, incident["receipt"])
    assert (incident["reference"], incident["tries"]) == (call.uid.hex, 2)


async def test_a_worker_killed_after_the_desks_yes_sends_the_same_reference_and_nobody_goes_out_twice(
    door: httpx.AsyncClient, person: Person
) -> None:
    _, call_id = await _press(person)
    async with transaction() as session:
        call = await bridge.begin_try(session, call_id)
        assert call is not None
        desk, driver, reference, incident = call.desk, call.driver, call.uid.hex, call.incident
    way = linkage.way_to(get_settings(), desk, driver)
    assert way is not None
    receipt = await linkage.send(way, reference=reference, desk=desk, incident=incident)
    assert receipt and (await _call()).state == "requested", "killed here: the desk has it, we do not know"
    await person.run()  # the job, taken up by another worker
    call, kept = await _call(), await _incident(door)
    assert (call.state, call.receipt) == ("accepted", receipt)
    assert (kept["reference"], kept["tries"], kept["receipt"]) == (reference, 2, receipt)


async def test_a_desk_that_takes_it_after_the_end_opens_nothing_again_and_hears_how_it_ended(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    lead = await add_operator("ban", "班长", Role.SUPERVISOR)
    await door.post("/simulator/desk/mood/refuses")
    operator, _ = await _press(person)
    await person.run()
    async with transaction() as session:
        await service.lower_after_false_alarm(
            session, thread_id=person.thread_id, operator=operator, second=lead, note_text="邻居装修"
        )
    await person.run()
    call = await _call()
    answer = await door.post(f"/simulator/desk/incidents/{call.uid.hex}/accepted")
    assert answer.is_success
    await person.run()
    assert (await _call()).state == "accepted"
    async with transaction() as session:
        ended = (await session.scalars(select(Escalation))).one()
        assert ended.closed_at is not None and ended.state == State.FALSE_ALARM
        before = [event.what for event in await escalations.list_events(session, ended.id)]
    assert [news["state"] for news in (await _incident(door))["news"].values()] == ["false_alarm"]
    clock.advance(timedelta(minutes=31))
    await timers.sweep()
    await person.run()
    async with transaction() as session:
        assert [event.what for event in await escalations.list_events(session, ended.id)] == before, "nobody is rung"
