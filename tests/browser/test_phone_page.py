"""The make-believe phone as a developer or trainer uses it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from sms_gateway import clock as clocks
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.messages.tasks import send

from .conftest import MakePage


async def text_from_hotline(tail: str, body: str) -> int:
    """The hotline writes to a phone, by its own outbox."""
    async with transaction() as session:
        found = await inbox.find_or_make_thread(session, Channel.SMS, f"+861380000{tail}", clocks.now())
        thread = await session.get_one(Thread, found[0])
        message_id = await outbox.queue(session, thread=thread, author=Author.OPERATOR, body=body)
    assert message_id is not None
    await send(message_id)
    return message_id


async def states() -> list[str | None]:
    async with transaction() as session:
        return list(await session.scalars(select(Message.state).where(Message.direction == "out").order_by(Message.id)))


async def test_a_text_goes_out_and_the_answer_comes_in(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0007")
    await expect(page.locator("#number")).to_have_text("+86 138 0000 0007")
    await page.fill("#body", "孤儿每个月能领多少钱")
    await expect(page.locator("#units")).to_have_text("10/70 字 · 1 条")
    await page.keyboard.press("Enter")
    await expect(page.locator(".text.mine .state")).to_contain_text("已送到")
    await text_from_hotline("0007", "散居 1280 元，集中供养 1980 元。")
    bubble = page.locator(".text:not(.mine) .bubble")
    await expect(bubble).to_have_text("【云南12345】散居 1280 元，集中供养 1980 元。")
    await page.reload()
    await expect(page.locator(".text .bubble")).to_have_count(2)


async def test_another_number_is_another_person(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0001")
    await page.fill("#body", "我是一号")
    await page.click("#send")
    await expect(page.locator(".text.mine")).to_have_count(1)
    await page.click("#fresh")
    await expect(page.locator(".text")).to_have_count(0)
    await expect(page.locator("#number")).not_to_have_text("+86 138 0000 0001")
    await text_from_hotline("0001", "给一号的")
    await page.wait_for_timeout(300)
    await expect(page.locator(".text")).to_have_count(0)
    await page.click("#phones button:has-text('0001')")
    await expect(page.locator(".text .bubble")).to_have_text(["我是一号", "【云南12345】给一号的"])


@pytest.mark.parametrize(
    ("body", "units"),
    [
        ("😭" * 35, "70/70 字 · 1 条"),
        ("字" * 71, "71/134 字 · 2 条"),
        ("a" * 160, "160/160 字 · 1 条"),
        ("88", "2/160 字 · 1 条"),
    ],
    ids=["emoji count twice", "two segments", "plain letters", "88"],
)
async def test_segments_are_counted_as_carriers_do(
    gateway_site: str, make_page: MakePage, body: str, units: str
) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0002")
    await page.fill("#body", body)
    await expect(page.locator("#units")).to_have_text(units)


async def test_the_locked_screen_shows_no_more_than_twenty_characters(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0003")
    await expect(page.locator(".empty")).to_be_visible()
    await page.click("#lock")
    await text_from_hotline("0003", "收到，谢谢你肯说，这不是你的错。那个人现在在旁边吗？")
    peek = page.locator("#notices .peek")
    await expect(peek).to_have_text("【云南12345】收到，谢谢你肯说，这不…")
    await page.click("#unlock")
    await expect(page.locator(".text .bubble")).to_be_visible()


async def test_faults_can_be_set_and_are_felt(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0004")
    await page.select_option("[name=refuse]", "blocked")
    await expect(page.locator("#faults-note")).to_contain_text("手机上看不到")
    await text_from_hotline("0004", "到不了的")
    for _ in range(50):
        if await states() == ["blocked"]:
            break
        await page.wait_for_timeout(100)
    assert await states() == ["blocked"]
    await expect(page.locator(".text")).to_have_count(0)
    await page.reload()
    await expect(page.locator("[name=refuse]")).to_have_value("blocked")


async def test_faults_of_outreach_can_be_set_too(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0004")
    await page.click("#faults summary")
    await page.fill("[name=share_refused]", "12.5")
    await page.check("[name=bulk]")
    await expect(page.locator("#faults-note")).to_contain_text("群发时的毛病。 回执成批送来")
    found = await (await page.request.get(f"{gateway_site}/simulator/faults")).json()
    assert (found["share_refused"], found["bulk"], found["refuse"]) == (0.125, True, "none")
    await page.reload()
    await expect(page.locator("[name=share_refused]")).to_have_value("12.5")
    await page.click("#faults summary")
    await page.fill("[name=share_refused]", "0")
    await page.uncheck("[name=bulk]")
    await expect(page.locator("#faults-note")).to_be_hidden()


async def test_markup_is_shown_and_never_run(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(f"{gateway_site}/phone#0005")
    evil = "<img src=x onerror=\"document.title='ran'\">"
    await page.fill("#body", evil)
    await page.click("#send")
    await text_from_hotline("0005", evil)
    await expect(page.locator(".text .bubble")).to_have_text([evil, "【云南12345】" + evil])
    assert await page.locator(".bubble img").count() == 0
    assert await page.title() != "ran"


async def test_on_a_phone_the_phone_fills_the_screen(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page(small=True)
    await page.goto(f"{gateway_site}/phone#0006")
    await expect(page.locator("#side")).to_be_hidden()
    await page.click("#open-side")
    await page.click("text=转人工")
    await expect(page.locator("#side")).to_be_hidden()
    assert await page.input_value("#body") == "转人工"
    await page.click("#send")
    await expect(page.locator(".text.mine .state")).to_contain_text("已送到")
    for needed in ("#send", "#body", "#lock"):
        await expect(page.locator(needed)).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
