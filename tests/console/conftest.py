"""The console as a browser sees it, without a socket; operators who sign in; a person who texts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway.app import make_console
from sms_gateway.carriers import registry
from sms_gateway.operators.models import Operator, Role
from sms_gateway.settings import get_settings
from tests.telling import FakeCarrier, Person

from .story import add_operator, link_for

HOST = "http://127.0.0.1:8001"
PAGE = {"Accept": "text/html"}
PART = {"HX-Request": "true"}


@dataclass
class Desk:
    """A signed-in browser."""

    client: httpx.AsyncClient
    operator: Operator
    csrf: str

    async def see(self, path: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, headers=PAGE)

    async def do(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Press a button."""
        return await self.client.post(path, data=fields, headers={**PART, "X-CSRF": self.csrf})


SignIn = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def console(
    database: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FastAPI]:
    """The console on a fresh database."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    app = make_console()
    from sms_gateway import jobs

    jobs.app.perform_import_paths()
    yield app
    registry._made.clear()


async def enter(client: httpx.AsyncClient, login: str) -> None:
    """Sign in by a link, which in development asks no code of anybody's phone."""
    answer = await client.post(f"/sign-in/{await link_for(login)}")
    assert answer.status_code == 303 and answer.headers["location"] == "/"


def browser(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HOST)


@pytest.fixture
async def stranger(console: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in."""
    async with browser(console) as client:
        yield client


@pytest.fixture
async def sign_in(console: FastAPI) -> AsyncIterator[SignIn]:
    """Make an account and sign it in."""
    opened: list[httpx.AsyncClient] = []

    async def make(
        login: str = "zhiban", name: str = "测试员", role: Role = Role.OPERATOR, unit: str | None = None
    ) -> Desk:
        operator = await add_operator(login, name, role, there=False, unit=unit)
        client = browser(console)
        opened.append(client)
        await enter(client, login)
        found = re.search(r'data-csrf="([^"]+)"', (await client.get("/", headers=PAGE, follow_redirects=True)).text)
        assert found
        return Desk(client, operator, found.group(1))

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    """A second person."""
    return Person("+8613800000002", carrier, run_jobs)
