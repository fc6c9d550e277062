"""The public chat as a visitor meets it."""

from __future__ import annotations

from playwright.async_api import Page, expect
from sqlalchemy import select, update

from sms_gateway.database import notify, transaction
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Author, Direction, Message, Thread

from .conftest import MakePage


async def write(page: Page, body: str) -> None:
    await page.fill("#body", body)
    await page.click("#send")


async def answer_last(body: str, *, author: Author = Author.ASSISTANT, owner: str | None = None) -> None:
    """Answer the newest text, as the workers would."""
    async with transaction() as session:
        newest = select(Message).where(Message.direction == Direction.IN).order_by(Message.id.desc()).limit(1)
        message = (await session.scalars(newest)).one()
        thread = await session.get_one(Thread, message.thread_id)
        reply = await outbox.queue(session, thread=thread, author=author, body=body)
        assert reply is not None
        await outbox.mark_sent(session, reply, None)
        if owner:
            await session.execute(update(Thread).where(Thread.id == thread.id).values(owner=owner))
            await notify(session, "hotline_thread", str(thread.id))


async def test_a_visitor_writes_and_reads_the_answer_without_reloading(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await page.click("text=孤儿每个月能领多少钱")
    await expect(page.locator(".text.me")).to_contain_text("孤儿每个月能领多少钱")
    await expect(page.locator("#typing")).to_be_visible()
    await answer_last("散居 1280 元，集中供养 1980 元。")
    await expect(page.locator(".text.machine .bubble")).to_have_text("散居 1280 元，集中供养 1980 元。")
    await expect(page.locator("#typing")).to_be_hidden()
    await answer_last("我是值班员07，是真人。", author=Author.OPERATOR, owner="operator")
    await expect(page.locator(".text.operator .bubble")).to_have_text("我是值班员07，是真人。")
    await expect(page.locator("#owner")).to_have_text("值班员在线，是真人")
    await expect(page.locator(".text.me")).to_have_count(1)


async def states() -> list[str | None]:
    """Of our texts, in their order."""
    async with transaction() as session:
        ours = select(Message.state).where(Message.direction == Direction.OUT).order_by(Message.id)
        return list(await session.scalars(ours))


async def test_a_text_has_arrived_when_the_page_shows_it_and_has_not_when_the_page_is_closed(
    gateway_site: str, make_page: MakePage
) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await write(page, "有人吗")
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
    async with page.expect_response("**/chat/shown"):
        await answer_last("我在。")
    assert await states() == ["delivered"]
    await page.goto("about:blank")
    await answer_last("还在吗？")
    assert await states() == ["delivered", "sent"]
    async with page.expect_response("**/chat/shown"):
        await page.goto(gateway_site)
    assert await states() == ["delivered", "delivered"]


async def test_a_talk_survives_a_reload_and_two_tabs_show_the_same(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await write(page, "有人吗")
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
    await answer_last("我在。")
    await page.reload()
    await expect(page.locator(".text .bubble")).to_have_text(["有人吗", "我在。"])
    second = await make_page(context=page.context)
    await second.goto(gateway_site)
    await expect(second.locator(".text .bubble")).to_have_text(["有人吗", "我在。"])
    await write(second, "从另一个窗口写的")
    await expect(page.locator(".text.me .bubble")).to_have_text(["有人吗", "从另一个窗口写的"])


async def test_two_browsers_never_see_each_other(gateway_site: str, make_page: MakePage) -> None:
    first, second = await make_page(), await make_page()
    for page, body in ((first, "我是甲"), (second, "我是乙")):
        await page.goto(gateway_site)
        await write(page, body)
        await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
        await answer_last(f"回给{body}")
    await expect(first.locator(".text .bubble")).to_have_text(["我是甲", "回给我是甲"])
    await expect(second.locator(".text .bubble")).to_have_text(["我是乙", "回给我是乙"])


async def test_markup_in_texts_is_shown_and_never_run(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    evil = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
    await write(page, evil)
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
    await answer_last(evil)
    await expect(page.locator(".text .bubble")).to_have_text([evil, evil])
    await page.reload()
    await expect(page.locator(".text .bubble")).to_have_text([evil, evil])
    assert await page.locator(".bubble img, .bubble script").count() == 0
    assert await page.title() != "ran"


async def test_a_text_that_is_too_long_stays_in_the_box(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await write(page, "长" * 10_000)
    await expect(page.locator("#trouble")).to_contain_text("一次最多 5000 个字")
    assert await page.input_value("#body") == "长" * 10_000
    await write(page, "长" * 5000)
    await expect(page.locator("#trouble")).to_be_hidden()
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")


async def test_a_text_that_could_not_be_sent_can_be_sent_again(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await page.route("**/chat/texts", lambda route: route.abort())
    await write(page, "救我")
    await expect(page.locator(".text.failed")).to_contain_text("再发一次", timeout=10_000)
    await page.unroute("**/chat/texts")
    await page.click(".again")
    await expect(page.locator(".text.failed")).to_have_count(0)
    await expect(page.locator(".text.me .bubble")).to_have_text(["救我"])


async def is_gone(page: Page) -> bool:
    await page.wait_for_url("about:blank")
    return not (await page.inner_text("body")).strip()


async def test_the_quick_exit_leaves_nothing_behind(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto("about:blank")
    await page.goto(gateway_site)
    await write(page, "有人吗")
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
    await page.click("#leave")
    assert await is_gone(page)
    for _ in range(50):
        if not await page.context.cookies():
            break
        await page.wait_for_timeout(100)
    assert await page.context.cookies() == []
    await page.go_back()
    assert page.url == "about:blank"
    await page.goto(gateway_site)
    await expect(page.locator(".welcome h2")).to_be_visible()
    await expect(page.locator(".text")).to_have_count(0)


async def test_escape_twice_leaves_and_closes_the_other_tab_too(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page()
    await page.goto(gateway_site)
    await write(page, "有人吗")
    await expect(page.locator(".text.me .note")).not_to_contain_text("发送")
    second = await make_page(context=page.context)
    await second.goto(gateway_site)
    await expect(second.locator(".text")).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.wait_for_timeout(1200)
    await page.keyboard.press("Escape")
    assert page.url.startswith(gateway_site)  # slow presses are an accident
    await page.keyboard.press("Escape")
    assert await is_gone(page)
    assert await is_gone(second)


async def test_on_a_phone_everything_is_in_sight_and_under_the_thumb(gateway_site: str, make_page: MakePage) -> None:
    page = await make_page(small=True)
    await page.goto(gateway_site)
    for number in range(6):
        await write(page, f"第{number}句，写得长一点，好让它换行，看看会不会把页面撑宽" + "a" * 80)
    await expect(page.locator(".text.me")).to_have_count(6)
    for needed in ("#leave", "#body", "#send", ".danger a[href='tel:110']"):
        await expect(page.locator(needed)).to_be_in_viewport(ratio=1)
        box = await page.locator(needed).bounding_box()
        assert box is not None
        assert needed.startswith(".danger") or box["height"] >= 43
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
