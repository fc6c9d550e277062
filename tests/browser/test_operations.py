"""The page 运行 in a real browser: what is wrong comes first with what to do now, charts are drawn, a phone shows all of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from math import sin
from pathlib import Path
from random import Random

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from sms_gateway import clock, last_done
from sms_gateway.app import make_console
from sms_gateway.beats import WorkerBeat, beat
from sms_gateway.database import transaction
from sms_gateway.events import fanning, service, subscriptions
from sms_gateway.jobs import each_second
from sms_gateway.messages.models import Direction, Message
from sms_gateway.operators import signin
from sms_gateway.operators.models import Role
from sms_gateway.seeing.models import OperationSample
from sms_gateway.settings import get_settings
from tests.console.story import Teller, add_operator
from tests.events.conftest import data, facts
from tests.telling import FakeCarrier

from .conftest import MakePage, free_port, serve

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


def figures(minute: int) -> dict[str, object]:
    """An invented minute of an invented day: a busy evening, one stuck queue, one night nobody came."""
    draw = Random(minute)
    busy = 1 + sin(minute / 230)
    stuck = 40.0 if 900 < minute < 925 else 0.0
    return {
        "age": {"danger": round(draw.random() * 0.2, 1), "turns": round(busy * 2 + stuck + draw.random(), 1), "replies": round(draw.random() * busy, 1), "bulk": round(draw.random() * 9, 1)},
        "waiting": int(busy * 4), "took": {"turn": [1.1, round(2.5 + busy + stuck / 2, 1)], "danger_reply": [0.1, 0.2], "danger_human": [None, None] if minute % 90 else [22.0, 40.0]},
        "sends": {"delivered": int(60 * busy), "sent": int(20 * busy), "failed": draw.randrange(3), "unknown": int(draw.random() > 0.97)},
        "push_lag": draw.random() * 90, "ringing": int(draw.random() > 0.98), "on_duty": 0 if 400 < minute < 420 else 3, "spooled": 0,
        "disk_free": 1e11, "database": 4e8, "broadcast_rate": 0.0,
    }  # fmt: skip


@pytest.fixture
async def base(
    database: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A console after a day, with a red call nobody took and a worker that stopped."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    await add_operator("banzhang", "杨丽萍", Role.SUPERVISOR, there=False)
    now = clock.now().replace(second=0, microsecond=0)
    await Teller("+8613800000001").says("你好")
    await Teller("+8613800000002").says(KICKING)
    for name in ("danger", "turns", "replies", "outreach", "gateway"):
        await beat(name)
    async with transaction() as session:
        session.add_all(
            OperationSample(minute=now - timedelta(minutes=ago), figures=figures(1440 - ago)) for ago in range(1, 1440)
        )
        session.add(
            WorkerBeat(
                queue="bulk",
                worker="hotline-2:71",
                at=now - timedelta(minutes=3),
                since=now - timedelta(days=2),
                memory_mb=212,
            )
        )
        await session.execute(update(Message).where(Message.direction == Direction.OUT).values(state="delivered"))
        await last_done.note(session, last_done.What.BACKUP)
        await subscriptions.add(session, unit="edu@530627", name="镇雄教体局系统", url="https://edu.example/hook")
    async with transaction() as session:
        await service.publish(
            session,
            type="cn.yunnan.12345.ticket.dispatched",
            subject="20260001",
            at=now - timedelta(minutes=25),
            facts=facts(),
            data=data("20260001"),
        )
    async with transaction() as session:
        await fanning.fan_out(session)
    port = free_port()
    server, task = await serve(make_console(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def _sit(make_page: MakePage, base: str, *, small: bool = False) -> Page:
    page = await make_page(small=small)
    if not small:
        await page.set_viewport_size({"width": 1440, "height": 900})
    async with transaction() as session:
        token = await signin.one_time_link(session, login="banzhang")
    await page.goto(f"{base}/sign-in/{token}")
    await page.click("button[type=submit]")
    await expect(page.locator("#line")).to_have_text("实时")
    await page.goto(f"{base}/operations")
    await expect(page.get_by_role("heading", name="运行", exact=True)).to_be_visible()
    return page


async def _fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= Math.min(innerWidth, screen.width)"))


async def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def test_what_is_wrong_comes_first_with_what_to_do_now(make_page: MakePage, base: str) -> None:
    page = await _sit(make_page, base)
    trouble = page.locator(".troubles > li", has_text="后台没有进程在干活")
    await expect(trouble).to_be_visible()
    await trouble.locator("summary").click()
    await expect(trouble.locator("ol li").first).to_be_visible()
    for chart in ("ages", "waits", "sends", "people"):
        await expect(page.locator(f"[data-history={chart}] canvas")).to_be_visible()
    await _picture(page, "operations-1440")
    assert await _fits(page)
    beating = asyncio.create_task(each_second(lambda: beat("bulk"), "beat"))  # the worker is back
    await expect(page.locator(".troubles > li", has_text="后台没有进程在干活")).to_have_count(0, timeout=25_000)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


async def test_all_of_it_fits_a_phone(make_page: MakePage, base: str) -> None:
    page = await _sit(make_page, base, small=True)
    await expect(page.locator("[data-history=ages] canvas")).to_be_visible()
    await page.locator(".hours summary").click()
    await _picture(page, "operations-390")
    assert await _fits(page)
