"""An orange one nobody reads: called out on open pages, then one text to the duty phone; at once where no page is open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.calls.words import NOTICE_TEXT, UNREAD_TEXT
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import drilling, service
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import DutyNotice, Escalation
from sms_gateway.messages.segments import segments
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings
from sms_gateway.wording import SIGNATURE
from tests.console.story import add_operator
from tests.telling import Person

DUTY_PHONE = "+8613800000899"
BRUISES = "班上有个娃娃身上老是有伤 问他就说摔的 我是他班主任"


@pytest.fixture(autouse=True)
def duty_phone(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DUTY_PHONE", DUTY_PHONE)
    monkeypatch.setenv("HOTLINE_VOICE", "none")  # texts only: calls are tests/voice
    get_settings.cache_clear()


async def _later(person: Person, clock: HeldClock, minutes: float, *there: Operator) -> list[str]:
    """Time goes on, their consoles stay open; what the duty phone was texted until now."""
    clock.advance(timedelta(minutes=minutes))
    async with transaction() as session:
        for operator in there:
            await presence.beat(session, operator_id=operator.id)
    await timers.sweep()
    await person.run()
    return [body for to, body in person.carrier.sent if to == DUTY_PHONE]


async def _events() -> list[str]:
    async with transaction() as session:
        call = (await session.scalars(select(Escalation))).one()
        return [event.what for event in await escalations.list_events(session, call.id)]


async def test_with_no_page_open_the_duty_phone_gets_one_text_and_no_call(person: Person, clock: HeldClock) -> None:
    await person.texts(BRUISES)
    assert await _later(person, clock, 14.9) == []
    assert await _later(person, clock, 0.2) == [SIGNATURE + UNREAD_TEXT]
    for _ in range(4):
        assert len(await _later(person, clock, 20)) == 1
    assert (await _events()).count("unread") == 1
    async with transaction() as session:
        assert [row.kind for row in await session.scalars(select(DutyNotice))] == ["text"]


async def test_with_a_page_open_it_is_called_out_first_and_texted_when_it_stays_unread(
    person: Person, clock: HeldClock
) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(BRUISES)
    assert await _later(person, clock, 15.1, operator) == []
    assert "unread" in await _events()
    assert await _later(person, clock, 14, operator) == []
    assert len(await _later(person, clock, 1, operator)) == 1
    assert len(await _later(person, clock, 30, operator)) == 1


async def test_one_that_is_read_texts_nobody(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(BRUISES)
    await _later(person, clock, 15.1, operator)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    assert await _later(person, clock, 20, operator) == []


async def test_one_that_turns_red_is_told_in_the_words_of_red(person: Person, clock: HeldClock) -> None:
    await person.texts(BRUISES)
    await _later(person, clock, 15.1)
    await person.texts("他爸现在就在学校门口拿刀追他")
    assert await _later(person, clock, 2.1) == [SIGNATURE + UNREAD_TEXT, SIGNATURE + NOTICE_TEXT]


async def test_a_drills_orange_one_stays_out_of_pockets(person: Person, clock: HeldClock) -> None:
    async with transaction() as session:
        run_id = (await drilling.begin(session, planned=1, at_most=timedelta(hours=1))).id
        await drilling.send(session, run_id, 0, BRUISES, harm="violence_in_progress")
    await person.run()
    assert await _later(person, clock, 15.1) == []
    async with transaction() as session:
        assert [row.state for row in await session.scalars(select(DutyNotice))] == ["drill"]


def test_the_text_is_one_segment() -> None:
    assert segments(SIGNATURE + UNREAD_TEXT) == 1
