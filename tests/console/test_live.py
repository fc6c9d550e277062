"""An open page hears at once, rings for whom it should, and says so when it is cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway import database as ground
from sms_gateway.clock import HeldClock
from sms_gateway.console import live
from sms_gateway.console.live import Board, follow
from sms_gateway.console.lookout import Shared, Viewers, concerned
from sms_gateway.console.seat import Seat
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.escalations.overview import Alarm
from sms_gateway.messages import spool
from sms_gateway.messages.inbox import Inbound
from sms_gateway.operators import accounts, presence
from sms_gateway.operators.seats import SeatFacts
from sms_gateway.settings import get_settings
from tests.telling import Person

from .conftest import Desk, SignIn

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


def _seat(desk: Desk) -> Seat:
    return Seat(desk.operator, desk.csrf, desk.client.cookies["hotline_console"])


async def _next(events: AsyncIterator[str], kind: str = "changed") -> dict[str, Any]:
    async with asyncio.timeout(20):
        async for event in events:
            if event.startswith(f"event: {kind}\n"):
                found: dict[str, Any] = json.loads(event.split("data: ", 1)[1]) or {}
                return found
    raise AssertionError("the stream ended")


async def test_danger_reaches_an_open_page_at_once(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    events = follow(Board(), _seat(desk))
    assert (await _next(events))["alarms"] == []
    await person.texts(KICKING)
    alarms: list[dict[str, Any]] = []
    while not alarms:
        alarms = (await _next(events))["alarms"]
    assert (alarms[0]["kind"], alarms[0]["thread"], alarms[0]["step"]) == ("red", person.thread_id, "响铃")
    assert KICKING not in json.dumps(alarms, ensure_ascii=False)
    await desk.do(f"/talks/{person.thread_id}/take")
    while alarms:
        alarms = (await _next(events))["alarms"]
    await events.aclose()  # type: ignore[attr-defined]


async def test_a_stream_ends_with_its_session(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET_SECONDS", 0.1)
    desk = await sign_in()
    events = follow(Board(), _seat(desk))
    await _next(events)
    await desk.do("/sign-out")
    await _next(events, "over")
    assert [event async for event in events] == []


async def test_a_page_hears_that_the_database_is_away_and_when_it_is_back(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUIET_SECONDS", 0.1)
    desk = await sign_in()
    events = follow(Board(), _seat(desk))
    await _next(events)
    url = str(get_settings().database_url and get_settings().database_url.get_secret_value())  # type: ignore[union-attr]
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    get_settings.cache_clear()
    await _next(events, "away")
    page = await desk.see("/")
    assert page.status_code == 503 and "数据库暂时连不上" in page.text
    assert (await desk.do("/live/beat")).status_code == 503
    health = (await desk.client.get("/live/health")).json()
    assert health["database"] == "down"
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
    get_settings.cache_clear()
    assert "*" in (await _next(events))["threads"]
    await events.aclose()  # type: ignore[attr-defined]


async def test_texts_kept_on_disk_are_counted_for_the_banner(
    stranger: httpx.AsyncClient, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spool.keep(Inbound(Channel.SMS, "+8613800000001", KICKING, "simulator", "in-spooled", clock.now()))
    found = (await stranger.get("/live/health")).json()
    assert (found["spooled"], found["spooled_red"]) == (1, 1)


async def test_a_beat_is_presence_and_duty_is_a_switch(sign_in: SignIn, clock: HeldClock) -> None:
    desk = await sign_in()

    async def there() -> bool:
        async with transaction() as session:
            return await presence.is_anyone_on_duty(session)

    clock.advance(timedelta(seconds=21))
    assert not await there()
    assert (await desk.do("/live/beat")).json()["on_duty"] is True
    assert await there()
    assert (await desk.do("/live/duty", on="0")).headers["hx-refresh"] == "true"
    assert not await there()
    assert "未值班" in (await desk.see("/")).text
    await desk.do("/live/duty", on="1")
    async with transaction() as session:
        assert (await accounts.get(session, "zhiban")).on_duty


async def test_nobody_goes_off_duty_with_danger_in_hand(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    await desk.do(f"/talks/{person.thread_id}/take")
    refused = await desk.do("/live/duty", on="0")
    assert refused.status_code == 409 and "先转给同事" in refused.text
    async with transaction() as session:
        assert (await accounts.get(session, "zhiban")).on_duty


def _alarm(clock: HeldClock, *, step: int = 0, holder: int | None = None) -> Alarm:
    return Alarm("red-1-0", "red", 1, "fire", clock.now(), step, holder)


def _rings(alarm: Alarm, *seats: SeatFacts) -> set[int]:
    return concerned(alarm, seats, capacity=6)


def test_red_rings_for_those_on_duty_first_and_for_all_from_the_third_step(clock: HeldClock) -> None:
    on, off = SeatFacts(1), SeatFacts(2, on_duty=False)
    assert _rings(_alarm(clock), on, off) == {1}
    assert _rings(_alarm(clock, step=1), on, off) == {1}
    assert _rings(_alarm(clock, step=2), on, off) == {1, 2}
    assert _rings(_alarm(clock), off) == {2}, "a call is never rung at nobody while somebody could hear it"


def test_what_happens_in_somebodys_talk_calls_that_operator_only(clock: HeldClock) -> None:
    held = _alarm(clock, holder=7, step=4)
    assert _rings(held, SeatFacts(7, on_duty=False), SeatFacts(8)) == {7}
    assert _rings(held, SeatFacts(7, there=False), SeatFacts(8)) == {8}, "who has it is gone"


async def test_many_pages_share_a_look_that_began_after_each_asked() -> None:
    looks: list[int] = []

    async def look() -> int:
        looks.append(len(looks))
        await asyncio.sleep(0.05)
        return looks[-1]

    shared = Shared(look)
    first = asyncio.create_task(shared.look())
    await asyncio.sleep(0.02)
    later = await asyncio.gather(*(shared.look() for _ in range(30)))
    assert await first == 0
    assert set(later) == {1} and looks == [0, 1]


async def test_a_look_that_fails_fails_for_those_who_asked_and_the_next_is_fresh() -> None:
    fails = [True]

    async def look() -> str:
        if fails.pop():
            raise ConnectionError
        return "fine"

    shared = Shared(look)
    with pytest.raises(ConnectionError):
        await shared.look()
    fails.append(False)
    assert await shared.look() == "fine"


def test_who_has_a_talk_open_is_known_while_its_page_says_so(clock: HeldClock) -> None:
    viewers = Viewers()
    viewers.note(5, 1)
    viewers.note(5, 2)
    viewers.note(6, 1)
    assert viewers.of(5) == {1, 2} and viewers.is_viewing(6, 1) and not viewers.is_viewing(6, 2)
    clock.advance(timedelta(seconds=10))
    viewers.note(5, 2)
    clock.advance(timedelta(seconds=5))
    assert viewers.of(5) == {2} and not viewers.is_viewing(6, 1)


async def test_the_page_says_who_else_looks(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    first, second = await sign_in("first", "甲甲"), await sign_in("second", "乙乙")
    await person.texts(KICKING)
    await first.do(f"/live/beat?talk={person.thread_id}")
    assert "甲甲 在看" in (await second.see(f"/talks/{person.thread_id}")).text
    assert "甲甲 在看" not in (await first.see(f"/talks/{person.thread_id}")).text
    clock.advance(timedelta(seconds=15))
    assert "甲甲 在看" not in (await second.see(f"/talks/{person.thread_id}")).text


async def test_one_stream_tells_of_typing_in_every_talk_that_is_open_and_in_no_other(
    console: FastAPI, sign_in: SignIn, person: Person
) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await desk.do(f"/live/beat?talk={person.thread_id}")
    events = follow(console.state.board, _seat(desk))
    await _next(events)
    waiting = asyncio.create_task(_next(events, "typing"))
    await asyncio.sleep(1)  # until the channel is heard
    for thread_id in (person.thread_id + 1, person.thread_id):
        async with transaction() as session:
            await ground.notify(session, "hotline_typing", str(thread_id))
    typed: Any = await waiting
    assert typed == [str(person.thread_id)]
    await desk.do(f"/talks/{person.thread_id}/recuse")
    await desk.do(f"/live/beat?talk={person.thread_id}")
    assert console.state.board.viewers.of(person.thread_id) == set()  # they said that they know this family
    await events.aclose()  # type: ignore[attr-defined]
