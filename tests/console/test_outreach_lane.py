"""Replies to outreach on the operators' pages: below every call that did not come from it, and with what was sent beside the talk."""

from __future__ import annotations

from datetime import timedelta

from sms_gateway.clock import HeldClock
from sms_gateway.operators.models import Role
from tests.broadcasts.reached import reach
from tests.telling import Person

from .conftest import SignIn

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def test_a_blue_reply_waits_below_a_call_that_did_not_come_from_outreach(
    sign_in: SignIn, person: Person, another: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await reach(person.number, title="开学<提醒>")
    clock.advance(timedelta(minutes=5))
    await person.texts("转人工")
    clock.advance(timedelta(minutes=5))
    await another.texts("转人工")
    page = (await desk.see("/")).text
    lane = page.index("群发回信")
    assert page.index(f'id="row-{another.thread_id}"') < lane < page.index(f'id="row-{person.thread_id}"')
    assert "回《开学&lt;提醒&gt;》" in page and '<span class="figures">1</span> 条' in page
    assert (await desk.do(f"/talks/{person.thread_id}/take")).status_code == 200


async def test_danger_that_answers_outreach_stands_where_danger_stands(
    sign_in: SignIn, person: Person, another: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await reach(person.number, another.number)
    await another.texts("转人工")
    clock.advance(timedelta(minutes=5))
    await person.texts(KICKING)
    page = (await desk.see("/")).text
    assert page.index(f'id="row-{person.thread_id}"') < page.index("群发回信")
    assert page.index("群发回信") < page.index(f'id="row-{another.thread_id}"')


async def test_who_waited_before_outreach_came_is_not_put_below(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await person.texts("转人工")
    clock.advance(timedelta(minutes=5))
    await reach(person.number)
    clock.advance(timedelta(minutes=5))
    await person.texts("收到")
    page = (await desk.see("/")).text
    assert page.index(f'id="row-{person.thread_id}"') < page.index("群发回信")


async def test_thanks_stand_in_the_lane_and_not_among_recent_texts(
    sign_in: SignIn, person: Person, another: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await reach(person.number)
    await person.texts("收到")
    await another.texts("8")
    page = (await desk.see("/")).text
    mine, other = page.index(f'id="mini-{person.thread_id}"'), page.index(f'id="mini-{another.thread_id}"')
    assert page.index("群发回信") < mine < page.index("最近来信") < other
    assert f'id="mini-{person.thread_id}"' not in page[page.index("最近来信") :]


async def test_without_any_outreach_the_board_says_nothing_of_it(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("转人工")
    page = (await desk.see("/")).text
    assert "群发回信" not in page and "除了群发" not in page


async def test_the_talk_shows_what_reached_the_phone_and_which_texts_answered_it(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    await person.texts("8")
    clock.advance(timedelta(hours=3))
    desk = await sign_in()
    await reach(person.number)
    clock.advance(timedelta(minutes=5))
    await desk.do(f"/talks/{person.thread_id}/open", why="watch")
    assert "还没回过" in (await desk.see(f"/talks/{person.thread_id}")).text
    await person.texts(KICKING)
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "《开学提醒》" in page and "回过 1 条" in page and page.count("· 回群发") == 1
    assert "【云南12345】镇雄县的家长您好，孩子有难处可以打12345。本热线不要验证码、不要转账。" in page
    clock.advance(timedelta(days=8))
    desk = await sign_in("later", "后来的人")
    assert "《开学提醒》" not in (await desk.see(f"/talks/{person.thread_id}")).text


async def test_the_wall_counts_replies_apart(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    await reach(person.number)
    await person.texts("转人工")
    page = (await lead.see("/team")).text
    assert '<dt>群发回信在等</dt><dd class="figures">1</dd>' in page
    assert '<dt>普通在等</dt><dd class="figures">0</dd>' in page
