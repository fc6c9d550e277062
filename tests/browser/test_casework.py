"""A matter's whole way in a real browser: the desk dispatches, the department signs and answers with a file, the desk concludes."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

from sms_gateway.operators.models import Role
from tests.console import matters
from tests.console.matters import CIVIL, EDU
from tests.telling import Person
from tests.tickets.test_attachments import PDF

from .conftest import OpenDesk

SHOTS = os.environ.get("SHOTS")
"""A folder to keep pictures of the pages in."""
SLOW = 15_000
"""Milliseconds an act and the page after it may take on a busy machine."""
SIZES = {"1440": {"width": 1440, "height": 900}, "390": {"width": 390, "height": 844}}


async def _picture(page: Page, name: str) -> None:
    """A picture of the page at both sizes, where somebody wants to look; and that it fits the narrow one."""
    for size, view in SIZES.items():
        await page.set_viewport_size(view)  # type: ignore[arg-type]
        await page.wait_for_timeout(50)
        assert await page.evaluate("document.documentElement.scrollWidth") <= view["width"], (name, size)
        if SHOTS:
            await page.screenshot(path=str(Path(SHOTS) / f"{name}-{size}.png"), full_page=size == "390")
    await page.set_viewport_size(SIZES["1440"])  # type: ignore[arg-type]


def _base(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


async def test_a_matter_goes_its_whole_way(
    open_desk: OpenDesk, person: Person, another: Person, tmp_path: Path
) -> None:
    ticket = await matters.open_matter(person, category="D11")
    other = await matters.open_matter(another, "家里没人照看", kind="help", category="D12")
    harm = await matters.open_matter(another, "班上有娃娃身上有伤", kind="report", lane="orange")
    desk = await open_desk("zhiban", "李春燕")
    await desk.goto(f"{_base(desk)}/tickets")
    await _picture(desk, "list")
    await desk.goto(f"{_base(desk)}/tickets/{harm.id}")
    await expect(desk.locator(".ticket-head")).to_contain_text(harm.number)
    await _picture(desk, "harm")
    await desk.goto(f"{_base(desk)}/tickets")
    await desk.click(".filter summary")
    await desk.get_by_label("事项分类").select_option("D11")
    await desk.locator(".filter-form").get_by_text("筛", exact=True).click()
    await expect(desk.locator("tbody tr")).to_have_count(1)
    await _picture(desk, "filter")
    await desk.click(f"text={ticket.number}")
    await expect(desk.locator("h1")).to_contain_text(ticket.number)
    await _picture(desk, "ticket")

    await desk.click(".act-bar >> text=派单")
    sheet = desk.locator("#dispatch-sheet")
    await expect(sheet).to_be_visible()
    await sheet.get_by_label("派给别的单位").select_option(CIVIL)
    assert not await sheet.locator("input[name=unit]").first.is_checked()
    await sheet.get_by_label("派给别的单位").select_option("")
    await sheet.get_by_label("要交代的话").fill("请当天核实")
    await _picture(desk, "dispatch")
    await sheet.locator("button[type=submit]").click()
    await expect(desk.locator(".ticket-clock")).to_contain_text("已派单 · 镇雄教育体育局", timeout=SLOW)

    unit = await open_desk("jiaoyu", "镇雄教体局", Role.DEPARTMENT, unit=EDU)
    await matters.dispatch(other, EDU)
    await unit.goto(f"{_base(unit)}/work")
    await _picture(unit, "work")
    await unit.click(f"text={ticket.number}")
    await expect(unit.locator("main")).not_to_contain_text("邻居")
    await unit.click(".act-bar >> text=签收")
    await expect(unit.locator(".ticket-clock")).to_contain_text("已签收", timeout=SLOW)
    await unit.click(".act-bar >> text=开始办理")
    await expect(unit.locator(".ticket-clock")).to_contain_text("办理中", timeout=SLOW)
    await _picture(unit, "work-ticket")

    await unit.locator(".act-bar >> text=答复").click()
    await unit.get_by_label("查到什么").fill("已找老师谈话，孩子正常上课")
    false, true = tmp_path / "现场.pdf", tmp_path / "核查报告.pdf"
    false.write_bytes(b"MZ" + b"\0" * 100)
    true.write_bytes(PDF)
    await unit.set_input_files("#reply-files", [str(false)])
    await unit.click("#reply-sheet button[type=submit]")
    await expect(unit.locator("#reply-sheet .form-says")).to_contain_text("内容和它的类型对不上", timeout=SLOW)
    await _picture(unit, "reply")
    await unit.set_input_files("#reply-files", [str(true)])
    await unit.click("#reply-sheet button[type=submit]")
    await expect(unit.locator(".ticket-clock")).to_contain_text("已答复", timeout=SLOW)
    async with unit.expect_download() as download:
        await unit.click("text=核查报告.pdf")
    assert (await (await download.value).path()).read_bytes() == PDF

    await expect(desk.locator("#stale")).to_contain_text("这一单刚刚有变化", timeout=SLOW)
    await desk.click("#stale a")
    await expect(desk.locator("main")).to_contain_text("已找老师谈话", timeout=SLOW)
    await _picture(desk, "replied")
    await desk.locator(".act-bar >> text=办结").click()
    await desk.get_by_label("结论").fill("老师已道歉")
    await desk.click("#conclude-sheet button[type=submit]")
    await expect(desk.locator(".ticket-clock")).to_contain_text("已办结", timeout=SLOW)
    assert (await matters.read(ticket.id)).status == "concluded"


async def test_the_lead_rules_on_a_second_return(open_desk: OpenDesk, person: Person) -> None:
    ticket = await matters.dispatch(await matters.open_matter(person, category="D11"))
    unit = await open_desk("jiaoyu", "镇雄教体局", Role.DEPARTMENT, unit=EDU)
    lead = await open_desk("banzhang", "杨丽萍", Role.SUPERVISOR)
    for turn in ("不归教体", "还是不归教体"):
        await unit.goto(f"{_base(unit)}/work/{ticket.id}")
        await unit.locator(".act-bar >> text=退单").click()
        await unit.get_by_label("应该归哪个单位").select_option(CIVIL)
        await unit.get_by_label("为什么不归本单位").fill(turn)
        await unit.click("#return-sheet button[type=submit]")
        await expect(unit.locator("h1")).to_have_text("镇雄教育体育局", timeout=SLOW)
        await lead.goto(f"{_base(lead)}/tickets/{ticket.id}")
        await lead.locator(".act-bar >> text=裁决退单").click()
        sheet = lead.locator("#dispatch-sheet")
        await expect(sheet).to_contain_text(turn)
        await sheet.get_by_text("退单不成立").click()
        await _picture(lead, "ruling")
        await sheet.get_by_label("要交代的话").fill("学校里的事归教体")
        await sheet.locator("button[type=submit]").click()
        await expect(lead.locator(".ticket-clock")).to_contain_text("已派单 · 镇雄教育体育局", timeout=SLOW)
    assert [event.detail["meeting"] for event in await matters.events(ticket) if event.what == "ruled"] == [False, True]


async def test_who_was_slower_keeps_their_words_and_is_told(open_desk: OpenDesk, person: Person) -> None:
    ticket = await matters.open_matter(person, category="D11")
    desk = await open_desk()
    await desk.goto(f"{_base(desk)}/tickets/{ticket.id}")
    await desk.locator(".act-bar >> text=办结").click()
    await desk.get_by_label("结论").fill("当场答了")
    await matters.dispatch(ticket)
    await desk.click("#conclude-sheet button[type=submit]")
    said = desk.locator("#conclude-sheet .form-says")
    await expect(said).to_contain_text("刚刚有人动过这一单")
    await expect(desk.get_by_label("结论")).to_have_value("当场答了")
    await said.locator("a").click()
    await expect(desk.locator(".ticket-clock")).to_contain_text("已派单", timeout=SLOW)


async def test_several_are_ticked_with_the_keyboard_and_done_together(
    open_desk: OpenDesk, person: Person, another: Person
) -> None:
    both = [await matters.dispatch(await matters.open_matter(one, category="D11")) for one in (person, another)]
    unit = await open_desk("jiaoyu", "镇雄教体局", Role.DEPARTMENT, unit=EDU)
    await unit.goto(f"{_base(unit)}/work")
    await unit.click("button[value=sign]")
    await expect(unit.locator("#picked")).to_have_text("先勾选要办的单")
    await unit.focus("[data-all]")
    await unit.keyboard.press("Space")
    await expect(unit.locator("#picked")).to_have_text("勾了 2 单")
    await unit.focus("button[value=sign]")
    await unit.keyboard.press("Enter")
    await expect(unit.locator("#results-title")).to_have_text("2 单办好，0 单没办成", timeout=SLOW)
    await _picture(unit, "bulk")
    assert [(await matters.read(one.id)).status for one in both] == ["signed_for"] * 2
