"""The handbook's pages in a real browser: written with its checks beside it, let out by a second person."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from sms_gateway.app import make_console
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from tests.console.handbook_story import CAMPING, ENTRY, ask_what_nobody_knows, warm
from tests.console.story import add_operator, link_for
from tests.telling import FakeCarrier

from .conftest import MakePage, free_port, serve


@pytest.fixture
async def base(
    database: str, carrier: FakeCarrier, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A console with two editors and questions nobody could answer."""
    data = tmp_path_factory.mktemp("data")
    warm(data)
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(data))
    get_settings.cache_clear()
    for login, name in (("bianji", "和丽梅"), ("bianji2", "杨志强")):
        await add_operator(login, name, Role.EDITOR, there=False)
    await ask_what_nobody_knows()
    port = free_port()
    server, task = await serve(make_console(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def seat(make_page: MakePage, base: str, login: str, *, small: bool = False) -> Page:
    page = await make_page(small=small)
    await page.goto(f"{base}/sign-in/{await link_for(login)}")
    await page.click("button[type=submit]")
    await expect(page.get_by_role("heading", name="没答上的问题")).to_be_visible(timeout=60_000)
    return page


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_an_editor_writes_with_the_checks_beside_and_a_second_one_lets_it_out_on_a_phone(
    make_page: MakePage, base: str
) -> None:
    writer = await seat(make_page, base, "bianji")
    await writer.locator(".gap-card", has_text=CAMPING[1]).get_by_role("button", name="写一条新问答").click()
    summary = writer.locator("#check-summary")
    await expect(summary).to_contain_text("短信答案")
    await writer.fill("#f-short", "每人退200元（某某规定2013年）")
    await expect(writer.locator("#problem-short")).to_contain_text("最新规定为准")
    for field in ("question", "variants", "short", "long"):
        await writer.fill(f"#f-{field}", ENTRY[field])
    for name in ("name", "article", "date"):
        await writer.locator(f"[name=source_{name}]").first.fill(ENTRY[f"source_{name}"])
    await writer.locator("[name=source_kind]").first.select_option("article")
    await writer.select_option("#f-topic", ENTRY["topic"])
    await expect(summary).to_contain_text("都写好了")
    await expect(writer.locator("#check .sms")).to_have_text(f"【云南12345】{ENTRY['short']}")
    await writer.get_by_role("button", name="提交给另一个人审").click()
    await expect(writer.get_by_text("要等另一个人来审")).to_be_visible()
    await expect(writer.locator("#approve")).to_have_count(0)

    second = await seat(make_page, base, "bianji2", small=True)
    await second.goto(writer.url)
    assert await fits(second)
    await second.click("#approve")
    await expect(second.get_by_text("已上线，正在这样答")).to_be_visible(timeout=20_000)
    await second.goto(f"{base}/handbook/gaps")
    await expect(second.get_by_text(CAMPING[1])).to_have_count(0)
    assert await fits(second)


async def test_taking_an_answer_out_of_use_is_asked_about_first(make_page: MakePage, base: str) -> None:
    page = await seat(make_page, base, "bianji", small=True)
    await page.goto(f"{base}/handbook/entries")
    assert await fits(page)
    await page.get_by_role("link", name="云南有多少孤儿？").click()
    await expect(page.get_by_text("已过，该复核")).to_be_visible()
    await page.get_by_role("button", name="停用这一条").click()
    await page.get_by_role("button", name="不了").click()
    await expect(page.get_by_text("今天这样答")).to_be_visible()
    await page.get_by_role("button", name="停用这一条").click()
    await page.get_by_role("button", name="是", exact=True).click()
    # The handbook is read anew first: seconds where the machine is busy.
    await expect(page.get_by_text("这一条已停用")).to_be_visible(timeout=20_000)
