"""群发 in a real browser: written with its cost beside it, made ready, let out by a second person, watched, stopped, reported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from sms_gateway.app import make_console
from sms_gateway.broadcasts import acts
from sms_gateway.database import transaction
from sms_gateway.operators import accounts, signin
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from tests.broadcasts.making import set_rows
from tests.console import outreach_story as story
from tests.console.handbook_story import warm
from tests.console.story import add_operator
from tests.telling import FakeCarrier

from .conftest import MakePage, free_port, serve

RunJobs = Callable[[], Awaitable[None]]
SLOW = 30_000


@pytest.fixture
async def base(
    database: str, carrier: FakeCarrier, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A console with two editors."""
    data = tmp_path_factory.mktemp("data")
    warm(data)
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(data))
    get_settings.cache_clear()
    for login, name in (("bianji", "和丽梅"), ("bianji2", "杨志强")):
        await add_operator(login, name, Role.EDITOR, there=False)
    port = free_port()
    server, task = await serve(make_console(), port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def seat(make_page: MakePage, base: str, login: str, path: str, *, small: bool = False) -> Page:
    async with transaction() as session:
        token = await signin.one_time_link(session, login=login)
    page = await make_page(small=small)
    await page.goto(f"{base}/sign-in/{token}")
    await page.click("button[type=submit]")
    await expect(page.locator("#line")).to_have_text("实时", timeout=60_000)
    await page.goto(base + path)
    return page


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_from_a_draft_to_the_report(make_page: MakePage, base: str, run_jobs: RunJobs, tmp_path: Path) -> None:
    writer = await seat(make_page, base, "bianji", "/outreach/rolls")
    file = tmp_path / "家长.csv"
    file.write_text(story.LINES, encoding="gbk")
    await writer.set_input_files("#roll-file", file)
    await expect(writer.locator("#roll-title")).to_have_value("家长")
    await writer.click("#upload-go")
    await expect(writer.locator(".roll-card")).to_contain_text("正在读", timeout=SLOW)
    await run_jobs()
    await expect(writer.locator(".roll-card")).to_contain_text("可以用", timeout=SLOW)

    await writer.goto(f"{base}/outreach")
    await writer.get_by_role("link", name="新建").click()
    await writer.fill("#f-title", "寒假安全提醒")
    await writer.fill("#f-body", "的家长您好，孩子有难处可以发短信到12345。")
    await writer.evaluate("document.querySelector('#f-body').setSelectionRange(0, 0)")
    await writer.get_by_role("button", name="县名", exact=False).first.click()
    await expect(writer.locator("#side .sms")).to_contain_text("【云南12345】镇雄县的家长您好", timeout=SLOW)
    await writer.get_by_label("家长 60 个").first.check()
    await expect(writer.locator("#brief")).to_contain_text("60 个号码", timeout=SLOW)
    await writer.fill("#f-pilot", "很多")
    await writer.get_by_role("button", name="保存").click()
    await expect(writer.locator("#not-saved")).to_be_visible()
    await expect(writer.locator("#f-pilot")).to_have_value("很多")
    await writer.fill("#f-pilot", "20")
    await writer.get_by_role("button", name="保存").click()
    await writer.click("#prepare")
    await expect(writer.locator("#ready")).to_contain_text("正在准备")
    await run_jobs()
    await expect(writer.locator("#ready")).to_contain_text("准备好了", timeout=SLOW)
    await writer.get_by_role("link", name="看发送单").click()
    await expect(writer.locator("#why-not")).to_contain_text("不能自己批")

    second = await seat(make_page, base, "bianji2", writer.url.removeprefix(base), small=True)
    assert await fits(second)
    await second.fill("#recipients", "61")
    await second.click("#approve")
    await expect(second.get_by_role("alert").filter(has_text="不一样")).to_be_visible()
    await second.fill("#recipients", "60")
    await second.click("#approve")
    await second.click("#start")
    await second.get_by_role("button", name="开始发").click()
    await expect(second.locator("#pause")).to_be_visible()
    assert await fits(second)

    made = int(second.url.split("/")[-2])
    await writer.goto(f"{base}/outreach/{made}/run")
    await expect(writer.locator("#sum")).to_have_text("60")
    await second.click("#pause")
    await expect(writer.locator("#why-paused")).to_contain_text("有人按了暂停", timeout=SLOW)
    await set_rows(made, dict.fromkeys(range(1, 21), "delivered"))
    async with transaction() as session:
        await acts.pause(session, made, operator_id=None)
    await writer.click("#resume")
    await expect(writer.locator("#pause")).to_be_visible(timeout=SLOW)
    await expect(writer.locator(".adds-up")).to_contain_text("20", timeout=SLOW)
    await writer.click("#cancel")
    await writer.get_by_role("button", name="不了").click()
    await expect(writer.locator("#pause")).to_be_visible()
    await writer.click("#cancel")
    await writer.get_by_role("button", name="真的取消").click()
    await writer.wait_for_url(f"**/outreach/{made}/report", timeout=SLOW)
    await expect(writer.locator("canvas").first).to_be_visible()
    async with writer.expect_download() as waiting:
        await writer.fill("#export-reason", "月会通报群发的结果")
        await writer.click("#export")
    assert (await waiting.value).suggested_filename.endswith(".xlsx")


async def test_what_is_typed_outlives_a_reload_and_a_stop_by_itself_is_loud(make_page: MakePage, base: str) -> None:
    async with transaction() as session:
        one, other = await accounts.get(session, "bianji"), await accounts.get(session, "bianji2")
    day = await story.fill(one.id, other.id)
    page = await seat(make_page, base, "bianji", f"/outreach/{day.draft}/write", small=True)
    await page.fill("#f-body", "改到一半的话")
    await expect(page.locator("#saved-says")).to_have_text("有改动，还没存")
    await expect(page.locator("#prepare")).to_be_disabled()
    await page.reload()
    await expect(page.locator("#f-body")).to_have_value("改到一半的话")
    await expect(page.locator("#kept")).to_be_visible()
    async with transaction() as session:
        draft = await acts.get(session, day.draft)
        changed = acts.Draft(title="别人改的名称", body=draft.body, audience=draft.audience)
        await acts.edit(session, day.draft, version=draft.version, operator_id=other.id, draft=changed)
    await page.reload()
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert").filter(has_text="别人存过")).to_contain_text("还没有存")
    await expect(page.locator("#f-body")).to_have_value("改到一半的话")
    await page.goto(f"{base}/outreach/{day.draft}/write")
    await page.click("#drop-kept")
    await expect(page.locator("#f-body")).to_have_value(story.BODY)
    await page.select_option("#f-segment", label="镇雄县同意收的家长")
    await expect(page.locator("#f-consent")).to_be_checked()
    await expect(page.locator("#chosen-places")).to_contain_text("镇雄县")
    assert await fits(page)

    await page.goto(f"{base}/outreach/{day.running}/run")
    await expect(page.locator("#pause")).to_be_visible()
    async with transaction() as session:
        await acts.pause(session, day.running, operator_id=None, reason="danger")
    await expect(page.locator("#why-paused.loud")).to_contain_text("回信里有危险", timeout=SLOW)
    assert await fits(page)
    heads = page.locator("#by-place thead button")
    if await heads.first.is_visible():
        await heads.nth(1).click()
        await expect(page.locator("#by-place th[aria-sort]")).to_have_count(1)
