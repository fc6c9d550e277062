"""`/healthz` says that the gateway lives, `/readyz` that all the rest does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fastapi import FastAPI

from sms_gateway import database as ground
from sms_gateway.beats import ALIVE_WITHIN, beat
from sms_gateway.clock import HeldClock
from sms_gateway.jobs import QUEUES
from sms_gateway.seeing import health
from sms_gateway.settings import get_settings
from tests.hanging import Way

PARTS = ["database", "rasa", "actions", "danger_worker", "workers"]


@pytest.fixture
async def rasa_side(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    async def fine(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/", fine)
    application.router.add_get("/health", fine)
    server = TestServer(application)
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    monkeypatch.setenv("HOTLINE_RASA_URL", url)
    monkeypatch.setenv("HOTLINE_ACTIONS_URL", url)
    get_settings.cache_clear()
    yield server
    await server.close()


async def look(app: FastAPI, gateway: httpx.AsyncClient, path: str) -> tuple[int, dict[str, str]]:
    app.state.health._looked_at = float("-inf")  # look again, at once
    answer = await gateway.get(path)
    found = answer.json()
    return answer.status_code, {part: found[part] for part in PARTS}


async def test_all_well_is_ready(
    app: FastAPI, gateway: httpx.AsyncClient, clock: HeldClock, rasa_side: TestServer
) -> None:
    for queue in QUEUES:
        await beat(queue)
    assert await look(app, gateway, "/readyz") == (200, dict.fromkeys(PARTS, "ok"))


@pytest.mark.parametrize(
    ("silent", "part"), [("danger", "danger_worker"), ("turns", "workers"), ("replies", "workers")]
)
async def test_a_worker_that_stopped_beating_is_down(
    app: FastAPI, gateway: httpx.AsyncClient, clock: HeldClock, rasa_side: TestServer, silent: str, part: str
) -> None:
    for queue in QUEUES:
        await beat(queue)
    clock.advance(ALIVE_WITHIN + timedelta(seconds=1))
    for queue in set(QUEUES) - {silent}:
        await beat(queue)
    assert await look(app, gateway, "/readyz") == (503, {**dict.fromkeys(PARTS, "ok"), part: "down"})
    assert (await look(app, gateway, "/healthz"))[0] == 200


async def test_rasa_and_actions_away_is_not_ready_but_alive(app: FastAPI, gateway: httpx.AsyncClient) -> None:
    for queue in QUEUES:
        await beat(queue)
    wanted = {**dict.fromkeys(PARTS, "ok"), "rasa": "down", "actions": "down"}
    assert await look(app, gateway, "/readyz") == (503, wanted)
    assert await look(app, gateway, "/healthz") == (200, wanted)


async def test_without_a_database_the_gateway_still_lives(
    app: FastAPI, gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    get_settings.cache_clear()
    status, found = await look(app, gateway, "/healthz")
    assert (status, set(found.values())) == (200, {"down"})
    assert (await look(app, gateway, "/readyz"))[0] == 503


BALANCER_WAITS = 3.0
"""Seconds, `deploy/Caddyfile`."""


async def test_while_the_database_hangs_it_answers_before_the_balancer_takes_it_out(
    app: FastAPI, gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers nothing, not even a request to cancel: just then the gateway is needed, to put texts on disk."""
    async with Way.to(ground.database_url()) as way:
        await ground.dispose()
        monkeypatch.setenv("HOTLINE_DATABASE_URL", way.url)
        get_settings.cache_clear()
        assert (await look(app, gateway, "/healthz"))[1]["database"] == "ok"
        way.hang()
        for _ in range(3):
            began = time.monotonic()
            both = await asyncio.gather(look(app, gateway, "/healthz"), look(app, gateway, "/healthz"))
            assert time.monotonic() - began < BALANCER_WAITS
            assert [(status, found["database"]) for status, found in both] == [(200, "down")] * 2
        assert set(app.state.health._left_behind) == {"database"}, "one look, however often it is asked for"
        way.go_on()
        async with asyncio.timeout(15):
            while (await look(app, gateway, "/healthz"))[1]["database"] != "ok":
                await asyncio.sleep(health.KEPT_SECONDS)
        await ground.dispose()
