"""The supervisor's duty phone: once a round, tried again, nothing about the child, and never in a drill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

from sms_gateway import clock as clocks
from sms_gateway import timers
from sms_gateway.calls.models import Call
from sms_gateway.calls.words import NOTICE_TEXT
from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierIsBusy, CarrierRefused
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.escalations import notices
from sms_gateway.escalations.models import DutyNotice, Escalation, EscalationEvent
from sms_gateway.escalations.notices import Phone
from sms_gateway.messages.segments import segments
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings
from sms_gateway.wording import SIGNATURE
from tests.telling import FakeCarrier, Person

from .conftest import Phones

Run = Callable[[], Awaitable[None]]
DANGER = "有个叔叔一直在踹我家门 就我和弟弟在"


async def add_supervisor(login: str, phone: str | None, **more: Any) -> int:
    async with transaction() as session:
        made = Operator(
            login=login, name=login, badge=login[:8], role="supervisor", created_at=clocks.now(), phone=phone, **more
        )
        session.add(made)
        await session.flush()
        return made.id


@pytest.fixture
async def red(person: Person) -> int:
    """A red call that nobody took; the escalation's id."""
    await person.texts(DANGER)
    async with transaction() as session:
        escalation = (await session.scalars(select(Escalation))).one()
        session.add(_rung(escalation.id))
        return escalation.id


def _rung(escalation_id: int) -> EscalationEvent:
    return EscalationEvent(escalation_id=escalation_id, what="rung", who="system", at=clocks.now(), detail={"step": 3})


async def ring(escalation_id: int) -> int:
    async with transaction() as session:
        found = select(Escalation).where(Escalation.id == escalation_id).with_for_update()
        return await notices.ring_phone(session, (await session.scalars(found)).one())


async def states() -> dict[str, list[str]]:
    async with transaction() as session:
        found: dict[str, list[str]] = {}
        for row in await session.scalars(select(DutyNotice).order_by(DutyNotice.id)):
            found.setdefault(row.kind, []).append(row.state)
        return found


async def test_the_supervisor_on_duty_gets_one_text_and_one_call_a_round(
    red: int, phones: Phones, carrier: FakeCarrier, run_jobs: Run
) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    await add_supervisor("off", "+8613800000802")
    phones.manner = "answers"
    assert await ring(red) == 2
    assert await ring(red) == 0
    await run_jobs()
    await phones.settle()
    await run_jobs()
    assert [body for to, body in carrier.sent if to == "+8613800000801"] == [SIGNATURE + NOTICE_TEXT]
    assert not [to for to, _ in carrier.sent if to == "+8613800000802"]
    assert await states() == {"text": ["sent"], "call": ["sent"]}
    async with transaction() as session:
        session.add(_rung(red))
    assert await ring(red) == 2  # it came to this step once more


async def test_a_call_nobody_picks_up_is_made_again_while_red_waits(red: int, phones: Phones, run_jobs: Run) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    phones.manner = "busy"
    await ring(red)
    for _ in range(5):
        await run_jobs()
        await phones.settle()
    assert (await states())["call"] == ["failed"]
    async with transaction() as session:
        assert len((await session.scalars(select(Call))).all()) == notices.CALLS_EACH
        told = await session.scalars(select(EscalationEvent.what).where(EscalationEvent.escalation_id == red))
        assert "duty_notice_failed" in told.all()


async def test_no_further_call_is_made_once_somebody_has_it(red: int, phones: Phones, run_jobs: Run) -> None:
    operator = await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    phones.manner = "no_answer"
    await ring(red)
    async with transaction() as session:
        row = (await session.scalars(select(Escalation))).one()
        row.state, row.acknowledged_by, row.acknowledged_at = "acknowledged", operator, clocks.now()
    for _ in range(3):
        await run_jobs()
        await phones.settle()
    assert phones.purposes() == ["notice"]


async def test_at_the_supervisors_step_the_ladders_own_timer_texts_and_calls_the_phone(
    person: Person, phones: Phones, clock: HeldClock, carrier: FakeCarrier, run_jobs: Run
) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    phones.manner = "answers"
    await person.texts(DANGER)

    async def texted_after(seconds: float) -> list[str]:
        clock.advance(timedelta(seconds=seconds))
        await timers.sweep()
        await run_jobs()
        await phones.settle()
        await run_jobs()
        return [body for to, body in carrier.sent if to == "+8613800000801"]

    assert [await texted_after(seconds) for seconds in (31, 30, 58)] == [[], [], []]
    assert await texted_after(2) == [SIGNATURE + NOTICE_TEXT]
    assert phones.purposes() == ["notice"]
    assert await states() == {"text": ["sent"], "call": ["sent"]}
    assert len(await texted_after(240)) == 1, "once for each time it comes to that step"


@pytest.mark.parametrize("trouble", [CarrierIsBusy, CarrierDidNotAnswer])
async def test_a_text_that_may_not_have_gone_out_is_sent_again(
    red: int, phones: Phones, carrier: FakeCarrier, run_jobs: Run, trouble: type[Exception]
) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    carrier.fails.append(trouble("x"))  # type: ignore[arg-type]
    phones.manner = "answers"
    await ring(red)
    await run_jobs()
    assert (await states())["text"] == ["sent"]


async def test_a_text_that_is_refused_is_told_as_failed(
    red: int, phones: Phones, carrier: FakeCarrier, run_jobs: Run
) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    carrier.fails.append(CarrierRefused("21211"))
    phones.manner = "answers"
    await ring(red)
    await run_jobs()
    assert (await states())["text"] == ["failed"]


async def test_the_hotlines_own_duty_phone_is_rung_when_no_supervisor_has_one(
    red: int, phones: Phones, carrier: FakeCarrier, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_DUTY_PHONE", "+8613800000899")
    get_settings.cache_clear()
    phones.manner = "answers"
    assert (await ring(red), await ring(red)) == (2, 0)
    await run_jobs()
    assert "+8613800000899" in [to for to, _ in carrier.sent]


async def test_with_no_phone_at_all_the_record_says_so(red: int) -> None:
    assert await ring(red) == 0
    async with transaction() as session:
        told = await session.scalars(select(EscalationEvent.what).where(EscalationEvent.escalation_id == red))
        assert "no_duty_phone" in told.all()


async def test_a_drill_is_written_down_and_rings_nobodys_pocket(
    red: int, phones: Phones, carrier: FakeCarrier, run_jobs: Run
) -> None:
    await add_supervisor("zhiban", "+8613800000801", on_duty=True)
    async with transaction() as session:
        (await session.scalars(select(Contact))).one().channel = "drill"
    await ring(red)
    await run_jobs()
    assert await states() == {"text": ["drill"], "call": ["drill"]}
    assert phones.purposes() == []
    assert "+8613800000801" not in [to for to, _ in carrier.sent]


def test_the_text_is_one_segment() -> None:
    assert segments(SIGNATURE + NOTICE_TEXT) == 1


regions = some.sampled_from([None, "530000", "530600", "530627", "530100", "530102"])


@given(some.lists(some.builds(Phone, some.integers(1, 9), some.booleans(), regions)), regions, some.booleans())
def test_somebody_is_always_rung_where_there_is_a_phone_for_the_place(
    known: list[Phone], region: str | None, own: bool
) -> None:
    chosen = notices.whom_to_ring(known, region, has_duty_phone=own)
    if own or any(phone.on_duty or phone.region in (None, "530000") for phone in known):
        assert chosen
    if any(phone.on_duty for phone in known):
        assert all(phone.on_duty and phone.operator_id for phone in chosen)
