"""Signing in with a phone in a real browser, and words that outlive the end of a session."""

from __future__ import annotations

import os
from pathlib import Path

import pyotp
from playwright.async_api import Page, expect

from sms_gateway import clock as clocks
from sms_gateway.database import transaction
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from tests.console.story import PASSWORD, add_operator, link_for
from tests.console.test_ticket_children import opened
from tests.telling import Person

from .conftest import MakePage, OpenDesk

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


async def _knock(page: Page, base: str, login: str, password: str = PASSWORD) -> None:
    await page.goto(f"{base}/sign-in")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.click("text=登录，开始值班")


async def test_a_supervisor_binds_a_phone_and_comes_in_with_its_code(
    console_site: str, make_page: MakePage, open_desk: OpenDesk
) -> None:
    await add_operator("lead", "杨丽萍", Role.SUPERVISOR, there=False)
    page = await make_page()
    await _knock(page, console_site, "lead")
    await expect(page.get_by_role("heading", name="绑定手机")).to_be_visible()
    await page.click("text=扫不了？")
    secret = (await page.locator(".secret").inner_text()).replace(" ", "")
    await _picture(page, "enrol")
    await page.fill("#code", "000000")
    await page.click("button:has-text('绑定')")
    await expect(page.get_by_role("alert")).to_contain_text("动态码不对")
    await page.fill("#code", pyotp.TOTP(secret).at(clocks.now()))
    await page.click("button:has-text('绑定')")
    await expect(page.locator(".codes li")).to_have_count(10)
    await _picture(page, "codes")
    spare = await page.locator(".codes li").first.inner_text()
    await page.click("text=抄好了，继续")
    await expect(page.locator("#line")).to_have_text("实时")
    other = await make_page()
    await _knock(other, console_site, "lead")
    await expect(other.get_by_role("heading", name="动态码")).to_be_visible()
    await other.click("text=手机不在身边？")
    await _picture(other, "code")
    await other.fill("#recovery", spare)
    await other.click("text=用备用码登录")
    await expect(other.locator("#line")).to_have_text("实时")
    await other.goto(f"{console_site}/account")
    await _picture(other, "account")
    await other.goto(f"{console_site}/accounts")
    await _picture(other, "staff")


async def test_a_made_password_is_changed_at_the_door(console_site: str, make_page: MakePage) -> None:
    async with transaction() as session:
        await accounts.add(session, login="xin", name="新来的", role=Role.OPERATOR, password=PASSWORD, must_change=True)
    page = await make_page()
    await _knock(page, console_site, "xin")
    await _picture(page, "own-password")
    await page.fill("#password", "窗外的蓝花楹开了一整条街")
    await page.fill("#again", "窗外的蓝花楹开了一整条街")
    await page.click("text=换好，开始值班")
    await expect(page.locator("#line")).to_have_text("实时")


async def test_words_in_any_form_are_there_again_after_the_session_ended(
    open_desk: OpenDesk, console_site: str, person: Person
) -> None:
    page = await open_desk()
    ticket_id = await opened(person, lane="orange", what="学校天天占体育课")
    await page.goto(f"{console_site}/tickets/{ticket_id}")
    await page.click("[data-dialog=child-new]")
    sheet = page.locator("#child-new")
    await sheet.get_by_label("几岁").fill("6")
    await sheet.get_by_label("男女").select_option("m")
    await sheet.get_by_label("和谁一起").fill("奶奶")
    async with transaction() as session:
        operator = await accounts.get(session, "zhiban")
        await accounts.end_sessions(session, operator_id=operator.id)
    await sheet.locator("button[type=submit]").click()
    await expect(page.locator("#login")).to_be_visible()
    await page.goto(f"{console_site}/sign-in/{await link_for('zhiban')}")
    await page.click("button:text('进入值班台')")
    await expect(page.locator("#line")).to_have_text("实时")
    await page.goto(f"{console_site}/tickets/{ticket_id}")
    await expect(page.locator("#toast")).to_contain_text("还在")
    await page.click("[data-dialog=child-new]")
    await expect(sheet.get_by_label("几岁")).to_have_value("6")
    await expect(sheet.get_by_label("男女")).to_have_value("m")
    await expect(sheet.get_by_label("和谁一起")).to_have_value("奶奶")
    await sheet.locator("button[type=submit]").click()
    await expect(page.locator(".child")).to_contain_text("6 岁 · 男")
    assert await page.evaluate("Object.keys(sessionStorage).filter((key) => key.includes('children')).length") == 0


async def test_words_of_a_plain_form_are_there_again_too_and_go_once_they_arrived(
    open_desk: OpenDesk, console_site: str
) -> None:
    page = await open_desk()
    await page.goto(f"{console_site}/handover")
    field = page.locator("textarea[name=words]").first
    await field.fill("三楼那家明早再问一次")
    async with transaction() as session:
        operator = await accounts.get(session, "zhiban")
        await accounts.end_sessions(session, operator_id=operator.id)
    await page.evaluate("document.querySelector('textarea[name=words]').form.submit()")
    await expect(page.locator("#login")).to_be_visible()
    assert page.url.endswith("/sign-in?back=/handover")
    await page.fill("#login", "zhiban")
    await page.fill("#password", PASSWORD)
    await page.click("text=登录，开始值班")
    await expect(field).to_have_value("三楼那家明早再问一次")
