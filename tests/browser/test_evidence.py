"""Evidence in a real browser: a sealed picture opened by two people, a letter of the police carried out, the audit read and exported."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from playwright.async_api import Page, expect

from sms_gateway.operators.models import Role
from tests.console import matters
from tests.console.test_sealed import WHY, put
from tests.telling import Person

from .conftest import OpenDesk
from .test_casework import SLOW, _base, _picture


async def _pair(open_desk: OpenDesk) -> tuple[Page, Page]:
    return await open_desk("yan", "普艳", role=Role.SUPERVISOR), await open_desk(
        "banzhang", "杨丽萍", role=Role.SUPERVISOR
    )


async def test_two_people_open_a_picture_once(open_desk: OpenDesk, person: Person) -> None:
    ticket = await matters.open_matter(person, "班上有娃娃身上有伤", kind="report", lane="orange")
    await put(ticket)
    desk, lead = await _pair(open_desk)
    await desk.goto(f"{_base(desk)}/tickets/{ticket.id}")
    part = desk.locator("section[aria-labelledby=sealed-title]")
    await part.scroll_into_view_if_needed()
    await part.get_by_text("申请打开一次").click()
    await _picture(desk, "evidence-ticket")
    await part.get_by_label("为什么一定要看").fill(WHY)
    await part.get_by_role("button", name="申请，等另一个人批").click()
    await expect(desk).to_have_url(re.compile("/sealed$"), timeout=SLOW)
    await expect(desk.locator("tbody")).to_contain_text("要另一个人批")
    await lead.goto(f"{_base(lead)}/sealed")
    await _picture(lead, "evidence-sealed")
    await lead.get_by_role("button", name="同意打开一次").click()
    await lead.locator("dialog[open]").get_by_role("button", name="是", exact=True).click()
    await expect(lead.locator("tbody")).to_contain_text("批了", timeout=SLOW)
    await desk.reload()
    async with desk.context.expect_page() as opened:
        await desk.get_by_role("button", name="打开一次").click()
    shown = await opened.value
    await expect(shown.locator("img")).to_be_visible(timeout=SLOW)
    assert (
        await shown.evaluate("document.images[0].naturalWidth") == 1
    )  # it is drawn: the policy lets it, and nothing else
    await _picture(shown, "evidence-picture")
    await desk.reload()
    await expect(desk.locator("tbody")).to_contain_text("已打开过")


async def test_a_letter_of_the_police_is_carried_out(open_desk: OpenDesk, person: Person, tmp_path: Path) -> None:
    ticket = await matters.open_matter(person, "班上有娃娃身上有伤", kind="report", lane="orange")
    desk, lead = await _pair(open_desk)
    await desk.goto(f"{_base(desk)}/police")
    await desk.get_by_label("文书号").fill("昭公（刑）调证字〔2026〕12号")
    await desk.get_by_label("办案单位").fill("镇雄县公安局刑侦大队")
    await desk.get_by_label("办案人员").fill("甲某 060001")
    await desk.get_by_label("单号").fill(ticket.number)
    await desk.get_by_role("button", name="登记，等另一位值班长批").click()
    await expect(desk.locator(".letter-form .form-says")).to_contain_text("两名以上", timeout=SLOW)
    await desk.get_by_label("办案人员").fill("甲某 060001、乙某 060002")
    await desk.get_by_role("button", name="登记，等另一位值班长批").click()
    await expect(desk.locator("tbody")).to_contain_text("要另一个人批", timeout=SLOW)
    await lead.goto(f"{_base(lead)}/police")
    await _picture(lead, "evidence-police")
    await lead.get_by_role("button", name="同意交出").click()
    await lead.locator("dialog[open]").get_by_role("button", name="是", exact=True).click()
    await expect(lead.locator("tbody")).to_contain_text("批了", timeout=SLOW)
    await desk.reload()
    await desk.get_by_role("button", name="生成（只一次）").click()
    await expect(desk.locator(".passphrase")).to_be_visible(timeout=SLOW)
    await _picture(desk, "evidence-made")
    async with desk.expect_download() as coming:
        await desk.get_by_role("link", name="取文件").click()
    kept = tmp_path / "evidence.zip.enc"
    await (await coming.value).save_as(kept)
    assert kept.read_bytes().startswith(b"Salted__")
    await desk.goto(f"{_base(desk)}/police")
    await _picture(desk, "evidence-police-made")


async def test_the_audit_is_read_narrowed_and_exported(open_desk: OpenDesk, person: Person, tmp_path: Path) -> None:
    ticket = await matters.open_matter(person)
    desk, _lead = await _pair(open_desk)
    await desk.goto(f"{_base(desk)}/tickets/{ticket.id}")
    await desk.goto(f"{_base(desk)}/audit")
    await expect(desk.locator("tbody")).to_contain_text(f"工单 {ticket.number}")
    await _picture(desk, "evidence-audit")
    await desk.click(".filter summary")
    await desk.get_by_label("做了什么").select_option("open_ticket")
    await desk.get_by_label("单号、编号").fill(ticket.number)
    await desk.locator(".filter-form").get_by_role("button", name="筛").click()
    await expect(desk.locator("tbody tr")).to_have_count(1, timeout=SLOW)
    await _picture(desk, "evidence-audit-narrowed")
    await desk.get_by_label("用途").fill("年度个人信息保护合规审计")
    async with desk.expect_download() as coming:
        await desk.get_by_role("button", name="导出").click()
    kept = tmp_path / "year.zip"
    await (await coming.value).save_as(kept)
    with zipfile.ZipFile(kept) as packed:
        assert "SHA256SUMS.txt" in packed.namelist() and "说明.txt" in packed.namelist()
