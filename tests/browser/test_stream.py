"""Many pages of one browser: one of them has the event stream, all are true, and the next takes over when it closes."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import BrowserContext, Page, Request, expect

from tests.telling import Person

from .conftest import MakePage, OpenDesk

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
ARRIVES = 8_000
TABS = 7
"""One more than the connections Chromium opens to a host over HTTP/1.1."""


class _Streams:
    """The pages of a browser that have an event stream open now."""

    def __init__(self, context: BrowserContext) -> None:
        self._open: dict[Request, Page] = {}
        context.on("request", self._began)
        for end in ("requestfinished", "requestfailed"):
            context.on(end, lambda request: self._open.pop(request, None))  # type: ignore[call-overload]

    def _began(self, request: Request) -> None:
        if request.url.endswith("/live/stream"):
            self._open[request] = request.frame.page

    @property
    def pages(self) -> list[Page]:
        return [page for page in self._open.values() if not page.is_closed()]


async def _tab(make_page: MakePage, first: Page, path: str) -> Page:
    page = await make_page(context=first.context)
    await page.goto(f"{'/'.join(first.url.split('/')[:3])}{path}")
    await expect(page.locator("#line")).to_have_text("实时", timeout=ARRIVES)
    return page


async def test_seven_pages_of_one_browser_share_a_stream_and_all_of_them_hear_and_act(
    open_desk: OpenDesk, make_page: MakePage, person: Person, another: Person
) -> None:
    first = await open_desk()
    streams = _Streams(first.context)
    await first.reload()
    await expect(first.locator("#line")).to_have_text("实时", timeout=ARRIVES)
    await person.texts(KICKING)
    tabs = [first, *[await _tab(make_page, first, "/") for _ in range(TABS - 2)]]
    talk = await _tab(make_page, first, f"/talks/{person.thread_id}")
    assert len(streams.pages) == 1
    await talk.click("#take")
    await talk.fill("#reply", "我在。先别出声")
    await talk.press("#reply", "Enter")
    await expect(talk.locator(".text.operator .bubble").last).to_have_text("我在。先别出声", timeout=ARRIVES)
    await person.texts("他走了")
    await expect(talk.locator(".text.person .bubble").last).to_have_text("他走了", timeout=ARRIVES)
    await another.texts("有人拿刀追我")
    for page in tabs:
        await expect(page.locator(".row.ringing")).to_be_visible(timeout=ARRIVES)
        await expect(page.locator("#alarms")).to_be_visible()
    await talk.keyboard.press("Escape")
    await talk.keyboard.press("a")
    for page in tabs:
        await expect(page.locator("#alarms")).to_be_hidden(timeout=ARRIVES)  # acknowledged once is acknowledged


async def test_the_next_page_takes_over_when_the_one_with_the_stream_closes(
    open_desk: OpenDesk, make_page: MakePage, person: Person
) -> None:
    first = await open_desk()
    streams = _Streams(first.context)
    await first.reload()
    await expect(first.locator("#line")).to_have_text("实时", timeout=ARRIVES)
    tabs = [first, await _tab(make_page, first, "/"), await _tab(make_page, first, "/tickets")]
    assert streams.pages == [first]
    await first.close()
    async with asyncio.timeout(2):
        while not streams.pages:
            await asyncio.sleep(0.05)
    await person.texts(KICKING)
    for page in tabs[1:]:
        await expect(page.locator("#alarms")).to_contain_text("红色没人接", timeout=ARRIVES)
    assert len(streams.pages) == 1


async def test_a_page_that_has_the_stream_and_sleeps_loses_it(open_desk: OpenDesk, make_page: MakePage) -> None:
    first = await open_desk()
    name = "hotline-stream-" + (await first.locator("body").get_attribute("data-operator") or "")
    asleep = await make_page(context=first.context)
    await asleep.goto(f"{'/'.join(first.url.split('/')[:3])}/static/icon.svg")
    await asleep.evaluate(
        "(name) => { navigator.locks.request(name, { steal: true }, () => new Promise(() => {})).catch(() => {}); }",
        name,
    )
    second = await make_page(context=first.context)
    await first.close()
    await second.goto(first.url)
    await expect(second.locator("#line")).to_have_text("实时", timeout=ARRIVES)


async def test_a_browser_without_locks_has_a_stream_on_every_page(
    open_desk: OpenDesk, make_page: MakePage, person: Person
) -> None:
    first = await open_desk()
    await first.context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    streams = _Streams(first.context)
    await first.reload()
    await expect(first.locator("#line")).to_have_text("实时", timeout=ARRIVES)
    second = await _tab(make_page, first, "/")
    assert set(streams.pages) == {first, second}
    await person.texts(KICKING)
    for page in (first, second):
        await expect(page.locator(".row.ringing")).to_be_visible(timeout=ARRIVES)


async def test_the_bell_rings_on_one_page_and_on_the_next_when_that_one_closes(
    open_desk: OpenDesk, make_page: MakePage, person: Person
) -> None:
    first = await open_desk()
    await first.context.add_init_script("""
      const make = AudioContext.prototype.createOscillator;
      AudioContext.prototype.createOscillator = function () { document.body.dataset.heard = "yes"; return make.call(this); };
    """)
    await first.reload()
    second = await _tab(make_page, first, "/")
    for page in (first, second):
        await page.click("h1")
        await expect(page.locator("#sound")).to_have_text("声音开着")
    await person.texts(KICKING)
    await expect(second.locator("body")).to_have_attribute("data-heard", "yes", timeout=ARRIVES)
    await expect(first).to_have_title(re.compile("红色没人接"), timeout=ARRIVES)
    await first.wait_for_timeout(4_500)  # every four seconds
    assert await first.locator("body").get_attribute("data-heard") is None
    await second.close()
    await expect(first.locator("body")).to_have_attribute("data-heard", "yes", timeout=ARRIVES)
