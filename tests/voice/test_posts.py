"""拨测: a post of the duty book is called by machine; who presses 1 was reached."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sms_gateway import clock as clocks
from sms_gateway.bridge import testing_posts
from sms_gateway.bridge.models import DutyPost, DutyTest
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.settings import Settings, get_settings

from .conftest import Phones

Run = Callable[[], Awaitable[None]]
DESKS = {"110@530600": {"phone": "+8613800000702"}}
LIVE_LINE = {
    "HOTLINE_VOICE": "twilio", "HOTLINE_BRIDGE_LIVE": "true", "HOTLINE_BRIDGE_DESKS": json.dumps(DESKS), "HOTLINE_CARRIER": "twilio",
    "HOTLINE_TWILIO_FROM": "+861069000000", "HOTLINE_TWILIO_ACCOUNT_SID": "AC0",
    "HOTLINE_TWILIO_AUTH_TOKEN": "t", "HOTLINE_VOICE_FROM": "+861069000000",
}  # fmt: skip


async def add_post(phone: str = "+8613800000701") -> int:
    async with transaction() as session:
        post = DutyPost(region="530627", kind="civil_night", name="值班室", phone=phone, hours="", made_at=clocks.now())
        session.add(post)
        await session.flush()
        return post.id


async def begin(post_id: int) -> None:
    async with transaction() as session:
        await testing_posts.begin(session, post_id, None)


async def result() -> str:
    async with transaction() as session:
        return (await session.scalars(select(DutyTest))).one().result


async def test_who_presses_1_was_reached(phones: Phones, run_jobs: Run) -> None:
    phones.manner = "answers"
    await begin(await add_post())
    assert await result() == "calling"
    await run_jobs()
    await phones.settle()
    await run_jobs()
    assert await result() == "calling"
    await phones.do(phones.ringing("duty_test"), "press")
    await run_jobs()
    assert await result() == "answered"


async def test_who_picks_up_and_says_nothing_was_not_reached(phones: Phones, run_jobs: Run) -> None:
    phones.manner = "answers"
    await begin(await add_post())
    await run_jobs()
    await phones.settle()
    await phones.do(phones.ringing("duty_test"), "end")
    await run_jobs()
    assert await result() == "unanswered"


@pytest.mark.parametrize("manner", ["busy", "no_answer", "fails"])
async def test_a_post_that_does_not_answer_turns_unanswered(phones: Phones, run_jobs: Run, manner: str) -> None:
    phones.manner = manner  # type: ignore[assignment]
    await begin(await add_post())
    await run_jobs()
    await phones.settle()
    await run_jobs()
    assert await result() == "unanswered"


async def test_a_post_is_not_called_twice_at_a_time(phones: Phones) -> None:
    post = await add_post()
    await begin(post)
    with pytest.raises(testing_posts.IsBeingCalled):
        await begin(post)


async def test_an_emergency_line_is_left_to_people(phones: Phones) -> None:
    with pytest.raises(testing_posts.NotCalledByMachine):
        await begin(await add_post("0870110"))


async def test_nothing_is_called_where_lines_are_off(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_VOICE", "none")
    get_settings.cache_clear()
    with pytest.raises(testing_posts.TestsAreOff):
        await begin(await add_post())


@pytest.mark.parametrize(("voice", "live", "may"), [("simulator", False, True), ("twilio", False, False), ("twilio", True, True), ("none", True, False)])  # fmt: skip
def test_a_real_line_calls_posts_only_when_the_bridge_is_live(voice: str, live: bool, may: bool) -> None:
    settings = Settings.model_validate(
        {
            "voice": voice,
            "bridge_live": live,
            "bridge_desks": DESKS,
            "twilio_account_sid": "AC0",
            "carrier": "twilio",
            "twilio_auth_token": "t",
            "voice_from": "+861069000000",
            "twilio_from": "+861069000000",
        }
    )
    assert testing_posts.may_test(settings) is may


async def test_each_post_is_called_once_a_month_in_office_hours_by_a_real_line_only(
    database: str, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning = datetime(2026, 12, 3, 2, tzinfo=UTC)  # ten in Yunnan
    clock.advance(morning - clocks.now())
    await add_post("0870110")
    post = await add_post()

    async def due() -> int | None:
        async with transaction() as session:
            return await testing_posts.find_due(session)

    assert await due() is None  # a make-believe line
    for name, value in LIVE_LINE.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    assert await due() == post
    clock.advance(timedelta(hours=9))
    assert await due() is None  # evening
    clock.advance(timedelta(hours=15))
    await begin(post)
    assert await due() is None
    clock.advance(timedelta(days=31))
    assert await due() == post
