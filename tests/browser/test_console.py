"""The operators' pages in a real browser: danger arrives, somebody takes it, both talk, it ends."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import expect

from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.operators.models import Role
from sms_gateway.wording import say
from tests.console.story import PASSWORD
from tests.telling import Person

from .conftest import OpenDesk

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
RED_TITLE = re.compile("红色没人接")


async def test_danger_arrives_is_taken_talked_about_and_closed(
    open_desk: OpenDesk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await open_desk()
    await person.texts(KICKING)

    row = page.locator(".row.lane-red.ringing")
    await expect(row).to_be_visible(timeout=5000)
    await expect(row.locator(".clock")).to_have_text(re.compile(r"^0:\d\d$"))
    await expect(row).to_contain_text("有个叔叔一直在踹我家门")
    await expect(page.locator("#alarms")).to_contain_text("红色没人接")
    await expect(page).to_have_title(RED_TITLE, timeout=5000)
    first = await row.locator(".clock").inner_text()
    await expect(row.locator(".clock")).not_to_have_text(first)

    await row.locator("button", has_text="接手").click()
    await expect(page.locator("#band")).to_contain_text("在你手上")
    await expect(page.locator("#alarms")).to_be_hidden()
    await person.run()
    assert person.news()[-1].startswith("我是值班员")

    await page.fill("#reply", "我在。先别出声")
    await expect(page.locator("#count")).to_have_text("16 字 · 1 条 · 0.05 元")
    await page.press("#reply", "Enter")
    await expect(page.locator(".text.operator .bubble", has_text="我在。先别出声")).to_be_visible()
    await expect(page.locator("#reply")).to_have_value("")
    await person.run()
    assert person.news() == ["我在。先别出声"]
    await expect(page.locator(".text.operator").last).to_contain_text("已发出")

    await page.fill("#reply", "没写完的话")
    await person.texts("镇雄县泼机镇 他手里有刀")
    await expect(page.locator(".text.person").last).to_contain_text("他手里有刀")
    await expect(page.locator("#facts")).to_contain_text("昭通市镇雄县")
    await expect(page.locator("#reply")).to_have_value("没写完的话")
    await page.reload()
    await expect(page.locator("#reply")).to_have_value("没写完的话")

    await page.click("#hand-over-button")
    await page.fill("#reference", "昭通110 接警员 0231")
    await page.click("text=已打，记下")
    await expect(page.locator("#facts")).to_contain_text("已交110 公安")
    await page.click("text=已见到孩子…")
    for field, words in (("by", "王警官"), ("at", "20:14"), ("where", "家里"), ("tonight", "外婆家")):
        await page.fill(f"#seen-{field}", words)
    await page.click("#seen-sheet >> text=记下")
    await expect(page.locator("#seen-sheet")).to_be_hidden()
    await page.click("#close-button")
    await page.fill("#close-note", "外婆接走了")
    await page.click("#close-sheet button[type=submit]")
    await expect(page.locator("#band")).to_contain_text("已结束")
    await person.run()
    assert person.news() == [say("bye.red")]


async def test_the_bell_is_acknowledged_and_the_title_calms_down(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    calm = await page.title()
    await person.texts(KICKING)
    await expect(page).to_have_title(RED_TITLE, timeout=5000)
    await page.keyboard.press("a")
    await expect(page.locator("#alarms")).to_be_hidden()
    await expect(page).to_have_title(calm)
    await expect(page.locator(".row.ringing")).to_be_visible()


async def test_sound_is_on_after_the_click_that_signed_in_stays_off_when_switched_off(open_desk: OpenDesk) -> None:
    page = await open_desk()
    sound = page.locator("#sound")
    await expect(sound).to_have_text("声音开着")
    await page.click("text=工单")
    await expect(sound).to_have_text("声音开着")
    await sound.click()
    await expect(sound).to_have_text("打开声音")
    await page.click("text=会话")
    await expect(page.locator("#line")).to_have_text("实时")
    await page.keyboard.press("j")
    await expect(sound).to_have_text("打开声音")
    await page.keyboard.press("s")
    await expect(sound).to_have_text("声音开着")


async def test_two_at_once_one_gets_it_the_other_is_told(open_desk: OpenDesk, person: Person) -> None:
    first, second = await open_desk("first", "甲甲"), await open_desk("second", "乙乙")
    await person.texts(KICKING)
    await second.goto(f"{second.url.rstrip('/')}/talks/{person.thread_id}")
    await expect(second.locator("#take")).to_be_visible()
    await second.route("**/live/stream*", lambda route: route.abort())
    await second.route("**/talks/*/live", lambda route: route.abort())
    await second.reload()
    await first.click(".row >> text=接手")
    await expect(first.locator("#band")).to_contain_text("在你手上")
    await second.click("#take")
    await expect(second.locator("#toast")).to_have_text("这个会话刚被别人接走，请刷新后再看。")


async def test_a_page_that_is_cut_off_says_so_and_catches_up(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await page.context.set_offline(True)
    await expect(page.locator("#away")).to_contain_text("连接断开", timeout=15000)
    await expect(page.locator("#line")).to_have_text("连接断开")
    await person.texts(KICKING)
    assert await page.locator(".row").count() == 0
    await page.context.set_offline(False)
    await expect(page.locator(".row.ringing")).to_be_visible(timeout=15000)
    await expect(page.locator("#away")).to_be_hidden()


async def test_the_keyboard_is_enough(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    await expect(page.locator(".row.ringing")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.locator("#take")).to_be_visible()
    await expect(page.locator("#line")).to_have_text("实时")
    await page.keyboard.press("t")
    await expect(page.locator("#reply")).to_be_visible()
    await page.keyboard.press("1")
    await expect(page.locator("#reply")).to_have_value(say("ask.place"))
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("快")
    await page.keyboard.press("Enter")
    await expect(page.locator(".text.operator .bubble").last).to_have_text(f"{say('ask.place')}\n快")
    await page.keyboard.press("Escape")
    await page.keyboard.press("h")
    await expect(page.locator("#hand-over-sheet")).to_be_visible()


async def test_a_press_on_bare_paper_leaves_the_reply_for_good(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    await page.goto(f"{page.url.rstrip('/')}/talks/{person.thread_id}")
    await page.click("#take")
    await page.click("#reply")
    await page.click(".timeline h2")
    await person.texts("他还在门口")
    await expect(page.locator(".text.person .bubble").last).to_have_text("他还在门口")
    await page.wait_for_timeout(300)
    assert await page.evaluate("document.activeElement.id") != "reply"


async def test_what_a_person_writes_is_never_run(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await person.texts(
        "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script> 有人拿刀追我"
    )
    await expect(page.locator(".row.ringing")).to_contain_text("<img src=x")
    await page.goto(f"{page.url.rstrip('/')}/talks/{person.thread_id}")
    await expect(page.locator(".text.person .bubble")).to_contain_text("<script>")
    assert "broken in" not in await page.title()


async def test_the_first_screen_holds_everything_without_scrolling(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await page.set_viewport_size({"width": 1440, "height": 900})
    for text in (KICKING, "他手里有刀 不敢出声", "在镇雄县泼机镇街上"):
        await person.texts(text)
    await page.goto(f"{page.url.rstrip('/')}/talks/{person.thread_id}")
    await page.click("#take")
    await expect(page.locator("#reply")).to_be_visible()
    for part in (
        "#band .clock",
        ".text.person:nth-last-child(-n+7)",
        "#hand-over-button",
        "#next-say",
        "#reply",
        "#send",
    ):
        box = await page.locator(part).last.bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 900, part
    scrolls = await page.evaluate(
        "['lines', 'facts'].map((id) => { const e = document.getElementById(id); return e.scrollHeight - e.clientHeight; })"
    )
    assert scrolls[1] <= 0, "the facts scroll"
    headings = await page.locator("#facts h2").all_inner_texts()
    assert headings[:4] == ["谁在写", "能打电话吗", "在哪里", "交出去"]


@pytest.mark.parametrize("path", ["/", "/talks/1", "/tickets", "/team"])
async def test_on_a_phone_no_page_is_wider_than_the_screen(open_desk: OpenDesk, person: Person, path: str) -> None:
    page = await open_desk(role=Role.SUPERVISOR, small=True)
    await person.texts(
        KICKING + "https://a-very-long-word-without-any-blank.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    )
    await page.goto(f"{page.url.rstrip('/')}{path}")
    await page.wait_for_timeout(600)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_web_visitors_words_and_the_answer_meet(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    token = "visitor-token-of-this-test"
    from sms_gateway import clock

    async with transaction() as session:
        inbound = inbox.Inbound(Channel.WEB, token, "我想找真人说 0", "web", "web-1", clock.now())
        recorded = await inbox.receive(session, inbound)
    assert recorded is not None
    await person.run()
    await page.goto(f"{page.url.rstrip('/')}/talks/{recorded.thread_id}")
    await page.click("#take")
    await page.fill("#reply", "我在，你说")
    await expect(page.locator("#count")).to_have_text("5 字")
    await page.press("#reply", "Enter")
    await expect(page.locator(".text.operator .bubble").last).to_have_text("我在，你说")


async def test_an_ended_session_leads_to_sign_in_and_back(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    talk = f"{page.url.rstrip('/')}/talks/{person.thread_id}"
    await page.goto(talk)
    await expect(page.locator("#line")).to_have_text("实时")
    await page.context.clear_cookies()
    with suppress(PlaywrightError):  # a heartbeat was quicker: the page is on its way already
        await page.evaluate("document.getElementById('take').click()")
    await expect(page.locator("#login")).to_be_visible()
    await page.fill("#login", "zhiban")
    await page.fill("#password", PASSWORD)
    await page.click("text=登录，开始值班")
    await expect(page).to_have_url(talk)
