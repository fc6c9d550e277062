"""What we learn after a hand-over reaches the desk: a better place, that the child was seen, that it was a false alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, records, service
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Operator, Role
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _press(person: Person) -> Operator:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
    await person.run()
    return operator


async def _heard(door: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The news the make-believe desk has, oldest first."""
    [incident] = (await door.get("/simulator/desk")).json()["incidents"]
    return list(incident.get("news", {}).values())


async def _whats() -> list[str]:
    async with transaction() as session:
        calls = (await session.scalars(select(BridgeCall))).all()
        return [event.what for event in await bridge.list_events(session, [call.id for call in calls])]


async def test_a_better_place_is_told_once_and_a_county_named_again_is_no_news(
    door: httpx.AsyncClient, person: Person
) -> None:
    await _press(person)
    assert await _heard(door) == []
    await person.texts("我在镇雄县泼机镇老街12号")
    [news] = await _heard(door)
    assert news["state"] == "place" and "老街12号" in news["words"] and "镇雄县" in news["words"]
    await person.texts("他还在踹")
    await person.texts("镇雄县的警察叔叔来了吗")
    assert len(await _heard(door)) == 1
    assert (await _whats()).count("told_place") == 1


async def test_what_an_operator_writes_down_and_that_the_child_was_seen_reach_the_desk(
    door: httpx.AsyncClient, person: Person
) -> None:
    operator = await _press(person)
    async with transaction() as session:
        await records.set_place(session, thread_id=person.thread_id, operator=operator, words="昭通市镇雄县")
    await person.run()
    async with transaction() as session:
        await records.note_child_seen(
            session,
            thread_id=person.thread_id,
            operator=operator,
            by="王警官",
            at="20:14",
            where="家里",
            tonight="外婆",
        )
    await person.run()
    heard = await _heard(door)
    assert [(one["state"], "镇雄县" in one["words"]) for one in heard] == [("place", True), ("child_seen", False)]
    assert "外婆" not in str(heard)


async def test_a_false_alarm_reaches_a_desk_that_was_away_once_it_is_back(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    lead = await add_operator("ban", "班长", Role.SUPERVISOR)
    await door.post("/simulator/desk/mood/loses")  # it does not even know of the incident
    operator = await _press(person)
    async with transaction() as session:
        escalation = (await session.scalars(select(Escalation))).one()
        assert escalation.closed_at is None
        await service.lower_after_false_alarm(
            session, thread_id=person.thread_id, operator=operator, second=lead, note_text="邻居装修"
        )
    await person.run()
    assert "told_false_alarm" not in await _whats()
    await door.post("/simulator/desk/mood/accepts")
    for _ in range(3):
        clock.advance(timedelta(seconds=16))
        await timers.sweep()
        await person.run()
    assert [one["state"] for one in await _heard(door)] == ["false_alarm"]
    assert (await _whats()).count("told_false_alarm") == 1
