"""A real Chromium, and our applications on real sockets; the browser may reach nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from sms_gateway.app import make_console, make_gateway
from sms_gateway.carriers import registry
from sms_gateway.database import transaction
from sms_gateway.operators import signin
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from tests.console.story import add_operator
from tests.telling import FakeCarrier, Person

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]

DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 780}

MakePage = Callable[..., Awaitable[Page]]
OpenDesk = Callable[..., Awaitable[Page]]


def chromium_path() -> str:
    """`CHROMIUM`, or the one that is installed."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    found = found or shutil.which("google-chrome")
    assert found, "没有 Chromium：请装一个，或把它的路径写进 CHROMIUM。"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def make_page(chromium: Browser) -> AsyncIterator[MakePage]:
    """A page in a browser of its own. What goes wrong on it (scripts, policy, another host) fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    async def make(*, small: bool = False, context: BrowserContext | None = None) -> Page:
        if context is None:
            context = await chromium.new_context(
                viewport=PHONE if small else DESK, has_touch=small, is_mobile=small, service_workers="block"
            )
            contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("request", lambda asked: None if _ours(asked.url) else wrong.append(asked.url))
        return page

    yield make
    for context in contexts:
        await context.close()
    assert not wrong, wrong


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "about:", "data:"))


async def serve(app: FastAPI, port: int) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    """`app` on that port, answering; to be stopped by `should_exit` and awaiting the task."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.02)
    return server, task


@pytest.fixture
async def gateway_site(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of a running gateway on a fresh database."""
    port = free_port()
    monkeypatch.setenv("HOTLINE_PORT", str(port))
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    await registry.close()
    server, task = await serve(make_gateway(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@pytest.fixture
async def console_site(
    database: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The address of a running console on a fresh database."""
    port = free_port()
    monkeypatch.setenv("HOTLINE_CONSOLE_PORT", str(port))
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    server, task = await serve(make_console(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task
    registry._made.clear()


@pytest.fixture
def open_desk(console_site: str, make_page: MakePage) -> OpenDesk:
    """An operator with the queue open, signed in by a one-time link."""

    async def make(
        login: str = "zhiban",
        name: str = "测试员",
        role: Role = Role.OPERATOR,
        *,
        small: bool = False,
        unit: str | None = None,
    ) -> Page:
        await add_operator(login, name, role, there=False, unit=unit)
        async with transaction() as session:
            token = await signin.one_time_link(session, login=login)
        page = await make_page(small=small)
        await page.goto(f"{console_site}/sign-in/{token}")
        await page.click("button[type=submit]")
        await expect(page.locator("#line")).to_have_text("实时")
        return page

    return make


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    """A second person."""
    return Person("+8613800000002", carrier, run_jobs)
