"""Operators among themselves and with the emergency desk, in real browsers: take, pass on, whisper, hand over, drill."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from sms_gateway.app import make_gateway
from sms_gateway.carriers import registry
from sms_gateway.conversations import drilling
from sms_gateway.conversations.drill_cases import Case
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from tests.console.story import PASSWORD
from tests.telling import FakeCarrier, Person

from .conftest import MakePage, OpenDesk, free_port, serve

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
PLACE = "在镇雄县泼机镇街上小学后面"
ARRIVES = 8_000
"""Milliseconds within which a change shows in an open page, on a busy machine."""


@pytest.fixture
async def desk_site(
    console_site: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The gateway beside the console, with the make-believe emergency desk where the driver finds it."""
    port = free_port()
    monkeypatch.setenv("HOTLINE_PORT", str(port))
    get_settings.cache_clear()
    server, task = await serve(make_gateway(), port)
    registry._made["simulator"] = carrier
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


def _base(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


async def _open_talk(page: Page, person: Person) -> None:
    await page.goto(f"{_base(page)}/talks/{person.thread_id}")
    await expect(page.locator("#line")).to_have_text("实时")


async def _take(page: Page, person: Person) -> None:
    await _open_talk(page, person)
    await page.click("#take")
    await expect(page.locator("#band")).to_contain_text("在你手上", timeout=ARRIVES)


async def test_two_take_in_the_same_instant_one_has_it_and_the_other_is_told(
    open_desk: OpenDesk, person: Person
) -> None:
    pages = [await open_desk("jia", "甲甲"), await open_desk("yi", "乙乙")]
    await person.texts(KICKING)
    for page in pages:
        await _open_talk(page, person)
    await asyncio.gather(*(page.evaluate("document.getElementById('take').click()") for page in pages))
    for page in pages:
        await expect(page.locator("#take")).to_have_count(0, timeout=ARRIVES)
    has = [page for page in pages if await page.locator("#reply").count()]
    assert len(has) == 1
    (other,) = (page for page in pages if page is not has[0])
    await expect(other.locator("#toast")).to_contain_text("刚被别人接走")
    await expect(other.locator("#band")).to_contain_text("在谈")
    await person.run()
    assert len([one for one in person.news() if one.startswith("我是值班员")]) == 1


async def test_a_talk_is_passed_on_face_to_face_and_given_back_straight(open_desk: OpenDesk, person: Person) -> None:
    first, second = await open_desk("jia", "甲甲"), await open_desk("yi", "乙乙")
    await person.texts(KICKING)
    await _take(first, person)
    await person.run()
    person.news()
    await _open_talk(second, person)
    await first.keyboard.press("x")
    sheet = first.locator("#transfer-sheet")
    await sheet.get_by_text("乙乙").click()
    await first.fill("#transfer-note", "门还没被踹开，等派出所回话")
    await sheet.locator("button[type=submit]").click()
    await expect(second.locator(".offered")).to_contain_text("要把这个会话转给你", timeout=ARRIVES)
    await expect(second.locator("#facts")).to_contain_text("门还没被踹开")
    await expect(first.locator("#reply")).to_be_visible()  # until it is accepted it stays with its owner

    await second.click("#accept-transfer")
    await expect(second.locator("#reply")).to_be_visible(timeout=ARRIVES)
    await expect(first.locator("#band")).to_contain_text("乙乙", timeout=ARRIVES)
    await expect(first.locator("#reply")).to_have_count(0)

    await second.keyboard.press("x")
    sheet = second.locator("#transfer-sheet")
    await sheet.get_by_text("甲甲").click()
    await sheet.get_by_text("直接转").click()
    await second.fill("#transfer-note", "还给你，我去接另一个")
    await sheet.locator("button[type=submit]").click()
    await expect(first.locator("#reply")).to_be_visible(timeout=ARRIVES)
    await person.run()
    assert person.news() == []  # the person hears nothing of it


async def test_the_supervisor_listens_and_whispers_from_the_wall(open_desk: OpenDesk, person: Person) -> None:
    lead, operator = await open_desk("banzhang", "杨丽萍", Role.SUPERVISOR), await open_desk("jia", "甲甲")
    await person.texts(KICKING)
    await _take(operator, person)
    await person.run()
    person.news()
    await lead.goto(f"{_base(lead)}/team")
    mate = lead.locator(".mate", has_text="甲甲")
    await expect(mate.locator(".held")).to_contain_text("红")
    await mate.get_by_role("link", name="对 甲甲 说悄悄话").click()
    await lead.fill("#whisper", "问他后门能不能走")
    await lead.press("#whisper", "Enter")
    await expect(operator.locator(".whispers")).to_contain_text("问他后门能不能走", timeout=ARRIVES)
    await operator.click("#whisper-seen")
    await expect(lead.locator(".whispers")).to_contain_text("看到了", timeout=ARRIVES)
    await person.run()
    assert person.news() == []


async def test_one_click_hands_over_and_the_receipt_and_what_follows_come_back(
    open_desk: OpenDesk, make_page: MakePage, desk_site: str, person: Person
) -> None:
    emergency = await make_page()
    await emergency.goto(f"{desk_site}/desk")
    page = await open_desk()
    await person.texts(KICKING)
    await person.texts(PLACE)
    await _take(page, person)
    await page.keyboard.press("b")
    sheet = page.locator("#bridge-sheet")
    await expect(sheet).to_be_visible()
    await expect(sheet).to_contain_text("镇雄")
    await page.fill("#approach", "孩子躲在里屋，敲前门")
    await sheet.locator("button[type=submit]").click()
    await person.run()
    await expect(page.locator(".bridges")).to_contain_text("回执 JQ", timeout=ARRIVES)
    incident = emergency.locator(".incident")
    await expect(incident).to_contain_text("孩子躲在里屋，敲前门", timeout=ARRIVES)
    await incident.get_by_role("button", name="已派警").click()
    await expect(emergency.locator("#says")).to_have_text("已经告诉热线。")
    await person.run()
    await expect(page.locator("#facts")).to_contain_text("已派最近的派出所", timeout=ARRIVES)


async def test_a_refused_hand_over_stays_red_on_the_wall_until_somebody_signs(
    open_desk: OpenDesk, make_page: MakePage, desk_site: str, person: Person
) -> None:
    emergency = await make_page()
    await emergency.goto(f"{desk_site}/desk")
    await emergency.get_by_label("拒收").check()
    await expect(emergency.locator("#says")).to_have_text("已经告诉热线。")
    lead, page = await open_desk("banzhang", "杨丽萍", Role.SUPERVISOR), await open_desk()
    await lead.goto(f"{_base(lead)}/team")
    await person.texts(KICKING)
    await person.texts(PLACE)
    await _take(page, person)
    await page.click("#bridge-button")
    await page.click("#bridge-sheet button[type=submit]")
    await expect(page.locator("#bridge-sheet")).to_be_hidden(timeout=ARRIVES)
    await person.run()
    await expect(page.locator(".bridges [role=alert]")).to_be_visible(timeout=ARRIVES)
    failed = lead.locator(".wall-wrong .bridge-failed")
    await expect(failed).to_contain_text("没交成", timeout=ARRIVES)
    await lead.reload()
    await failed.get_by_label("怎么补上的").fill("座机打通昭通110，已派警")
    await failed.get_by_role("button", name="签字，已补上").click()
    await expect(failed).to_have_count(0, timeout=ARRIVES)


async def test_a_made_up_emergency_is_marked_wherever_it_is_seen(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    async with transaction() as session:
        run = await drilling.begin(session, planned=1, at_most=timedelta(minutes=10))
        case = Case("violence_in_progress", ("有人一直踹门 就我和妹妹",))
        await drilling.send(session, run.id, 0, case.texts[0], harm=case.harm)
    await person.run()
    row = page.locator(".row.lane-red", has_text="踹门")
    await expect(row).to_contain_text("演练", timeout=ARRIVES)
    await row.get_by_role("button", name="接手").click()
    await expect(page.locator("#band")).to_contain_text("在你手上", timeout=ARRIVES)
    await expect(page.locator("#band")).to_contain_text("演练")


async def test_a_red_call_from_the_bell_to_its_end_without_a_mouse(
    open_desk: OpenDesk, desk_site: str, person: Person
) -> None:
    await open_desk("banzhang", "杨丽萍", Role.SUPERVISOR)
    page = await open_desk()
    keys = page.keyboard
    await person.texts(KICKING)
    await person.texts(PLACE)
    await expect(page.locator(".row.ringing")).to_be_visible(timeout=ARRIVES)
    await keys.press("n")
    await expect(page.locator("#take")).to_be_visible()
    await expect(page.locator("#line")).to_have_text("实时")
    await keys.press("t")
    await expect(page.locator("#reply")).to_be_visible(timeout=ARRIVES)
    await keys.press("r")
    await keys.type("我在。先别出声")
    await keys.press("Enter")
    await expect(page.locator(".text.operator .bubble").last).to_have_text("我在。先别出声")
    await expect(page.locator("#reply")).to_have_value("")

    await keys.press("Escape")
    await keys.press("b")
    await expect(page.locator("#bridge-sheet")).to_be_visible()
    await _tab_to(page, "#approach")
    await keys.type("敲前门")
    await _tab_to(page, "#bridge-sheet button[type=submit]")
    await keys.press("Enter")
    await expect(page.locator("#bridge-sheet")).to_be_hidden(timeout=ARRIVES)
    await person.run()
    await expect(page.locator(".bridges")).to_contain_text("回执 JQ", timeout=ARRIVES)

    await _tab_to(page, "[data-dialog=seen-sheet]")
    await keys.press("Enter")
    for field, words in (("by", "王警官"), ("at", "20:14"), ("where", "家里"), ("tonight", "外婆家")):
        await _tab_to(page, f"#seen-{field}")
        await keys.type(words)
    await keys.press("Enter")
    await expect(page.locator("#seen-sheet")).to_be_hidden(timeout=ARRIVES)
    await expect(page.locator("#close-button")).to_be_enabled(timeout=ARRIVES)
    await keys.press("e")
    for field, words in (("close-note", "外婆接走了"), ("signoff-login", "banzhang"), ("signoff-password", PASSWORD)):
        await _tab_to(page, f"#{field}")
        await keys.type(words)
    await keys.press("Enter")
    await expect(page.locator("#band")).to_contain_text("已结束", timeout=ARRIVES)


async def _tab_to(page: Page, what: str) -> None:
    """Walk with the tabulator; what cannot be reached so fails."""
    await expect(page.locator(what)).to_be_visible(timeout=ARRIVES)
    for _ in range(90):
        if await page.evaluate("(what) => document.activeElement?.matches(what)", what):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{what} is not reached with the keyboard")


async def test_a_reply_whose_answer_was_lost_goes_out_once(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    await _take(page, person)
    await person.run()
    person.news()

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/talks/*/reply", lose, times=1)
    await page.fill("#reply", "我在。先别出声")
    async with page.expect_event("requestfailed"):
        await page.press("#reply", "Enter")
    await page.context.set_offline(True)
    await expect(page.locator("#line")).to_have_text("连接断开", timeout=15_000)
    await page.context.set_offline(False)
    await expect(page.locator("#line")).to_have_text("实时", timeout=15_000)
    if await page.input_value("#reply"):  # what is still there was not confirmed: they send it again
        await page.press("#reply", "Enter")
    await expect(page.locator("#reply")).to_have_value("")
    await expect(page.locator(".text.operator .bubble", has_text="先别出声")).to_have_count(1)
    await person.run()
    assert person.news() == ["我在。先别出声"]


async def test_it_rings_flashes_and_notifies_though_the_page_is_in_sight(open_desk: OpenDesk, person: Person) -> None:
    page = await open_desk()
    context: BrowserContext = page.context
    await context.grant_permissions(["notifications"])
    await expect(page.locator("#sound")).to_have_text("声音开着")
    await page.evaluate("""() => {
      const told = document.body.dataset, make = AudioContext.prototype.createOscillator;
      AudioContext.prototype.createOscillator = function () { told.heard = Number(told.heard || 0) + 1; return make.call(this); };
      window.Notification = class extends EventTarget { static permission = "granted"; constructor(says, more) { super(); told.notes = `${told.notes || ""}[${says} ${more.body}]`; } };
    }""")
    await person.texts(KICKING)
    body = page.locator("body")
    await expect(body).to_have_attribute("data-heard", re.compile(r"^([4-9]|\d\d+)$"), timeout=ARRIVES)
    await expect(page).to_have_title(re.compile("红色没人接"), timeout=ARRIVES)
    assert await page.evaluate("document.visibilityState") == "visible"
    notes = await body.get_attribute("data-notes") or ""
    assert notes.count("[") == 1 and "红色没人接" in notes and "踹" not in notes  # a screen may be read over a shoulder


class _Held:
    """A reply's request, on its way for as long as the test likes."""

    def __init__(self) -> None:
        self.out, self.on = asyncio.Event(), asyncio.Event()

    async def __call__(self, route: Route) -> None:
        self.out.set()
        await self.on.wait()
        await route.continue_()


async def test_what_is_typed_while_a_reply_is_on_its_way_stays_and_goes_out_next(
    open_desk: OpenDesk, person: Person
) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    await _take(page, person)
    await person.run()
    person.news()
    held = _Held()
    await page.route("**/talks/*/reply", held, times=1)
    await page.fill("#reply", "我在")
    await page.press("#reply", "Enter")
    await held.out.wait()
    await page.keyboard.type("先别出声")
    held.on.set()
    await expect(page.locator(".text.operator .bubble").last).to_have_text("我在", timeout=ARRIVES)
    await expect(page.locator("#reply")).to_have_value("先别出声")
    await page.reload()
    await expect(page.locator("#reply")).to_have_value("先别出声")  # the draft is what was not sent
    await page.press("#reply", "Enter")
    await expect(page.locator("#reply")).to_have_value("", timeout=ARRIVES)
    await person.run()
    assert person.news() == ["我在", "先别出声"]


async def test_a_word_being_composed_is_not_broken_off_when_the_reply_before_it_is_out(
    open_desk: OpenDesk, person: Person
) -> None:
    page = await open_desk()
    await person.texts(KICKING)
    await _take(page, person)
    held = _Held()
    await page.route("**/talks/*/reply", held, times=1)
    await page.fill("#reply", "我在")
    await page.press("#reply", "Enter")
    await held.out.wait()
    writing = await page.context.new_cdp_session(page)
    await writing.send("Input.imeSetComposition", {"text": "bie", "selectionStart": 3, "selectionEnd": 3})
    held.on.set()
    await expect(page.locator(".text.operator .bubble").last).to_have_text("我在", timeout=ARRIVES)
    await expect(page.locator("#reply")).to_have_value("我在bie")
    await writing.send("Input.insertText", {"text": "别出声"})
    await expect(page.locator("#reply")).to_have_value("别出声")
