"""Silence in the middle of a form: one reminder by day; where harm was spoken of, a person instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import assistant
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.wording import say
from tests.telling import Person

MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
"""Ten o'clock in Yunnan."""


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An assistant that asks a form's question, whatever is written."""

    async def ask(**_question: object) -> list[assistant.Reply]:
        return [assistant.Reply("在哪个县？", "form.complaint.county", "form")]

    monkeypatch.setattr(assistant, "ask", ask)


async def _later(person: Person, clock: HeldClock, by: timedelta) -> list[str]:
    clock.advance(by)
    await timers.sweep()
    await person.run()
    return person.news()


async def _calls() -> list[Escalation]:
    async with transaction() as session:
        return list(await session.scalars(select(Escalation)))


async def test_one_reminder_and_no_second(person: Person, clock: HeldClock, asks: None) -> None:
    clock.advance(MORNING - clock.now())
    assert await person.texts("学校的校服又贵又差") == ["在哪个县？"]
    assert await _later(person, clock, timedelta(hours=2)) == [say("form.remind")]
    assert await person.texts("等哈再说哈") == ["在哪个县？"]
    assert await _later(person, clock, timedelta(hours=2)) == []
    assert await _calls() == []


async def test_who_goes_on_is_not_reminded(person: Person, clock: HeldClock, asks: None) -> None:
    clock.advance(MORNING - clock.now())
    await person.texts("学校的校服又贵又差")
    clock.advance(timedelta(hours=1))
    await person.texts("红河的")
    assert await _later(person, clock, timedelta(hours=1, minutes=30)) == []


async def test_harm_is_not_reminded_of_but_read(person: Person, clock: HeldClock, asks: None) -> None:
    clock.advance(MORNING - clock.now())
    await person.texts("班主任老是骂孩子")
    assert await _later(person, clock, timedelta(hours=2)) == []
    assert any(call.lane == "orange" for call in await _calls())


async def test_a_silent_phone_is_left_alone(person: Person, clock: HeldClock, asks: None) -> None:
    clock.advance(MORNING - clock.now())
    await person.texts("学校的校服又贵又差")
    await person.texts("88")
    assert await _later(person, clock, timedelta(hours=3)) == []
