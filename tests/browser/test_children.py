"""The desk in a real browser: a child is written down, a report noted with its receipt, the page fits wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

from tests.console.test_ticket_children import opened
from tests.telling import Person

from .conftest import OpenDesk

SHOTS = os.environ.get("SHOTS")
"""A folder to keep pictures of the pages in."""


async def _picture(page: Page, name: str) -> None:
    for width, height in ((1440, 900), (390, 844)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_timeout(50)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        if SHOTS:
            await page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def test_a_child_and_a_report_are_written_down(open_desk: OpenDesk, person: Person, another: Person) -> None:
    await opened(another, lane="blue", child="女孩，12岁，在镇雄一中读初一", what="学校不管")
    ticket_id = await opened(person, what="昨晚我后爸又打我，我12岁，在镇雄一中读初一，现在躲在外婆家")
    desk = await open_desk("zhiban", "李春燕")
    await desk.goto("/".join(desk.url.split("/")[:3]) + f"/tickets/{ticket_id}")
    await expect(desk.locator(".pressing")).to_contain_text("还没报告")
    await _picture(desk, "children")
    await desk.click("text=再登记一个孩子")
    sheet = desk.locator("#child-new")
    await sheet.get_by_label("几岁").fill("6")
    await sheet.get_by_label("男女").select_option("m")
    await sheet.get_by_label("和谁一起").fill("奶奶")
    await _picture(desk, "child-sheet")
    await sheet.locator("button[type=submit]").click()
    await expect(desk.locator("#children-title + .child, .child").nth(1)).to_contain_text("6 岁 · 男")
    await desk.locator("text=记下已报告").first.click()
    sheet = desk.locator("dialog[open]")
    await sheet.get_by_label("谁接的").fill("王警官 警号0231")
    await _picture(desk, "report-sheet")
    await sheet.locator("button[type=submit]").click()
    await expect(desk.locator("text=王警官 警号0231")).to_be_visible()
    await _picture(desk, "reported")
