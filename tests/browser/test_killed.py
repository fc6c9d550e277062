"""A browser that dies with danger in hand: the talk is given back and rings for others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from sms_gateway.conversations import giving_back
from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.operators import signin
from sms_gateway.settings import get_settings
from tests.console.story import add_operator
from tests.telling import Person

from .conftest import ARGUMENTS, OpenDesk, chromium_path, free_port

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
BEAT_SECONDS = 5
SWEEP_SECONDS = 1.0
ARRIVES = 15_000


@pytest.fixture
async def own_chromium(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A browser of its own, to be killed, and the address it is steered at."""
    port = free_port()
    steer = [f"--remote-debugging-port={port}", f"--user-data-dir={tmp_path / 'profile'}", "--headless=new"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        chromium_path(), *ARGUMENTS, *steer, "about:blank", stdout=quiet, stderr=quiet
    )
    async with asyncio.timeout(30):
        while True:
            with suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            await asyncio.sleep(0.1)
    yield process, f"http://127.0.0.1:{port}"
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_killed_browser_gives_its_red_talk_back_in_time(
    console_site: str, open_desk: OpenDesk, own_chromium: tuple[asyncio.subprocess.Process, str], person: Person
) -> None:
    process, address = own_chromium
    await add_operator("jia", "甲甲", there=False)
    async with transaction() as session:
        token = await signin.one_time_link(session, login="jia")
    await person.texts(KICKING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
        page = await browser.contexts[0].new_page()
        await page.goto(f"{console_site}/sign-in/{token}")
        await page.click("button[type=submit]")
        await expect(page.locator("#line")).to_have_text("实时", timeout=ARRIVES)
        await page.goto(f"{console_site}/talks/{person.thread_id}")
        await page.click("#take")
        await expect(page.locator("#band")).to_contain_text("在你手上", timeout=ARRIVES)
        assert await giving_back.sweep() == 0
        process.kill()
        killed = time.monotonic()
        await process.wait()
    while not await giving_back.sweep():
        await asyncio.sleep(SWEEP_SECONDS)
        assert time.monotonic() - killed < 30
    assert time.monotonic() - killed <= get_settings().give_back_seconds + 2 * SWEEP_SECONDS + 1
    assert time.monotonic() - killed > get_settings().give_back_seconds - BEAT_SECONDS - 1
    async with transaction() as session:
        thread = await session.get_one(Thread, person.thread_id)
        assert (thread.owner, thread.operator_id) == ("waiting", None)
    other = await open_desk("yi", "乙乙")
    await expect(other.locator(".row.ringing")).to_be_visible(timeout=ARRIVES)
