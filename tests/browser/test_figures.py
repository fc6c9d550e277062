"""Figures in a real browser: charts are drawn under our content policy, lead to their lists, and the page fits a phone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select, update

from benchmarks.casework_data import fill
from sms_gateway import clock
from sms_gateway.app import make_console
from sms_gateway.database import transaction
from sms_gateway.departments.categories import ordinary_codes
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from sms_gateway.tickets import dashboards
from sms_gateway.tickets.models import Ticket, TicketGroup
from tests.console.story import add_operator, link_for
from tests.telling import FakeCarrier

from .conftest import MakePage, free_port, serve


@pytest.fixture
async def base(
    database: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A console with two months of matters, a surge, marks and groups."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    await add_operator("banzhang", "杨丽萍", Role.SUPERVISOR, there=False)
    await fill(database, 1_500, open_share=0.25)
    draw, now = Random(5), clock.now()
    async with transaction() as session:
        some = list(await session.scalars(select(Ticket.id).order_by(Ticket.id).limit(700)))
        for ticket_id in some:  # two years are thin: most of them into the last weeks
            at = now - timedelta(days=draw.random() * 80, minutes=5)
            shift = at - Ticket.received_at
            moved = {
                name: getattr(Ticket, name) + shift for name in ("received_at", "opened_at", "due_at", "closed_at")
            }
            await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(**moved))
        rush = list(await session.scalars(select(Ticket.id).order_by(Ticket.id).offset(700).limit(12)))
        code = sorted(ordinary_codes())[4]
        await session.execute(
            update(Ticket)
            .where(Ticket.id.in_(rush))
            .values(
                received_at=now - timedelta(minutes=3), place="530627", category=code, sensitivity=None, sealed=False
            )
        )
        await session.execute(update(Ticket).where(Ticket.id.in_(some[:40])).values(returns=1))
        for members in ([], rush):
            session.add(
                TicketGroup(
                    found_at=now,
                    since=now - timedelta(days=30),
                    looked_at=212,
                    cut=False,
                    category=code,
                    ticket_ids=members,
                )
            )
        await dashboards.count_all(session)
    port = free_port()
    server, task = await serve(make_console(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def _sit(make_page: MakePage, base: str, *, small: bool = False) -> Page:
    page = await make_page(small=small)
    if not small:
        await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(f"{base}/sign-in/{await link_for('banzhang')}")
    await page.click("button[type=submit]")
    await page.goto(f"{base}/figures")
    await expect(page.get_by_role("heading", name="云南省 · 数字")).to_be_visible()
    return page


async def _fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= Math.min(innerWidth, screen.width)"))


async def _picture(page: Page, name: str) -> None:
    """Kept where `SCREENSHOTS` says, for people to look at."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def test_charts_are_drawn_and_their_bars_lead_to_the_list(make_page: MakePage, base: str) -> None:
    page = await _sit(make_page, base)
    for chart in ("stages", "regions", "weeks"):
        await expect(page.locator(f"#chart-{chart} canvas")).to_be_visible()
    await page.hover("#chart-regions", position={"x": 260, "y": 60})  # a tooltip is drawn, not styled
    await _picture(page, "figures-1440")
    assert await _fits(page)
    link = await page.locator("section:has(#t-places) tbody tr").first.locator("td a").first.get_attribute("href")
    assert link is not None
    await page.locator("#chart-regions").click(position={"x": 180, "y": 60})
    await page.wait_for_url("**/tickets?*")
    assert page.url.split("/tickets")[1].split("&")[0].endswith(link.split("region=")[1][:6])
    await page.goto(f"{base}/figures/common")
    await expect(page.get_by_role("link", name="12 件", exact=True)).to_be_visible()
    await _picture(page, "common-1440")


async def test_the_pages_fit_a_phone(make_page: MakePage, base: str) -> None:
    page = await _sit(make_page, base, small=True)
    await expect(page.locator("#chart-stages canvas")).to_be_visible()
    await _picture(page, "figures-390")
    assert await _fits(page)
    await page.select_option("#region", "530627")
    await expect(page.get_by_role("heading", name="昭通市镇雄县 · 数字")).to_be_visible()
    await _picture(page, "county-390")
    for path in ("/figures/common", "/tickets/search", "/tickets/export?show=all"):
        await page.goto(base + path)
        assert await _fits(page), path
        await _picture(page, path.strip("/").replace("/", "-").partition("?")[0] + "-390")


async def test_words_are_looked_for_without_standing_in_the_address(make_page: MakePage, base: str) -> None:
    page = await _sit(make_page, base)
    await page.goto(f"{base}/tickets/search")
    await page.fill("[name=words]", "校车 超载")
    await page.get_by_role("button", name="查", exact=True).click()
    await expect(page.get_by_text("找到")).to_be_visible()
    assert page.url.endswith("/tickets/search")
    await _picture(page, "search-1440")
    async with page.expect_download() as waiting:
        await page.goto(f"{base}/tickets/export?show=all")
        await _picture(page, "export-1440")
        await page.fill("[name=reason]", "月度会商通报情况")
        await page.get_by_role("button", name="导出 Excel").click()
    assert (await waiting.value).suggested_filename.endswith(".xlsx")
