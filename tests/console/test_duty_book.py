"""The duty book's pages: who sees, who keeps, what is refused, and that what was written is never read as HTML."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.bridge import duty_book
from sms_gateway.bridge.models import DutyPost, DutyTest
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Role

from .conftest import SignIn

COUNTY = "530627"
PAGE = f"/duty-book/{COUNTY}"
LINE = {"kind": "police_post", "name": "泼机派出所 值班", "phone": "13800001001", "hours": "24 小时"}
NASTY = "<script>alert(1)</script>&\"'"


async def the_post() -> DutyPost:
    async with transaction() as session:
        return (await session.scalars(select(DutyPost).where(DutyPost.ended_at.is_(None)))).one()


async def test_a_supervisor_adds_a_post_and_the_desk_sees_its_whole_number(console: FastAPI, sign_in: SignIn) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    assert (await lead.do(f"{PAGE}/add", **LINE)).headers["hx-redirect"] == PAGE
    desk = await sign_in()
    page = (await desk.see(PAGE)).text
    assert "泼机派出所 值班" in page and "138 0000 1001" in page and 'href="tel:+8613800001001"' in page
    assert "还没拨测" in page and "加一条" not in page
    async with transaction() as session:
        whats = list(await session.scalars(select(AuditRow.what).where(AuditRow.subject.startswith("duty_post:"))))
    assert whats == ["add_duty_post"]


async def test_what_the_form_cannot_be_is_refused_with_a_sentence(console: FastAPI, sign_in: SignIn) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    for wrong, says in (
        ({"phone": "110"}, "短号前要加区号"), ({"phone": "12"}, "电话认不出来"), ({"phone": "找老王"}, "电话认不出来"),
        ({"phone": "+1 415 555 0100"}, "电话认不出来"), ({"kind": "pizza"}, "哪一类"), ({"name": "  "}, "请写名称"), ({"name": "长" * 81}, "请写名称"),
        ({"hours": "长" * 41}, "时段"),
    ):  # fmt: skip
        answer = await lead.do(f"{PAGE}/add", **{**LINE, **wrong})
        assert answer.status_code == 422 and says in answer.text, wrong
    assert (await lead.do("/duty-book/999999/add", **LINE)).status_code == 404
    assert (await lead.see("/duty-book/abc")).status_code == 404
    assert (await lead.do(f"{PAGE}/add", **LINE)).status_code == 204
    assert (await lead.do(f"{PAGE}/add", **LINE)).status_code == 409


async def test_only_supervisors_of_the_place_keep_it(console: FastAPI, sign_in: SignIn) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await lead.do(f"{PAGE}/add", **LINE)
    post = await the_post()
    desk, elsewhere = await sign_in(), await sign_in("km", "昆明班长", Role.SUPERVISOR, unit="12345@530100")
    assert (await desk.do(f"{PAGE}/add", **LINE)).status_code == 403
    assert (await elsewhere.do(f"{PAGE}/add", **LINE)).status_code == 403
    for act in ("mend", "end"):
        assert (await desk.do(f"/duty-book/posts/{post.id}/{act}", **LINE)).status_code == 403
        assert (await elsewhere.do(f"/duty-book/posts/{post.id}/{act}", **LINE)).status_code == 404
    editor = await sign_in("ed", "编辑", Role.EDITOR)
    assert (await editor.see("/duty-book")).status_code == 403
    assert (await lead.do("/duty-book/posts/999/end")).status_code == 404


async def test_a_test_call_turns_a_post_red_and_good_again(console: FastAPI, sign_in: SignIn, clock: HeldClock) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await lead.do(f"{PAGE}/add", **LINE)
    post = await the_post()
    act = f"/duty-book/posts/{post.id}/test"
    assert (await lead.do(act, result="maybe")).status_code == 422
    assert (await lead.do(act, result="unanswered", words=NASTY)).headers["hx-redirect"] == PAGE
    page = (await lead.see(PAGE)).text
    assert "没人接" in page and "lane-red" in page and "1 条变红" in page and NASTY not in page
    assert "1 条红" in (await lead.see("/duty-book?show=red")).text
    clock.advance(timedelta(minutes=1))
    await lead.do(act, result="answered", words="何所长接的", back="due")
    assert "lane-red" not in (await lead.see(PAGE)).text
    assert (await lead.see("/duty-book/due")).text.count("泼机派出所") == 0
    async with transaction() as session:
        assert list(await session.scalars(select(DutyTest.result).order_by(DutyTest.id))) == ["unanswered", "answered"]


async def test_another_number_is_another_post_and_the_second_to_end_it_is_told(
    console: FastAPI, sign_in: SignIn
) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await lead.do(f"{PAGE}/add", **LINE)
    first = await the_post()
    await lead.do(f"/duty-book/posts/{first.id}/mend", name="改名", phone="138 0000 1001", hours="")
    assert (await the_post()).id == first.id and (await the_post()).name == "改名"
    await lead.do(f"/duty-book/posts/{first.id}/mend", name="改名", phone="0870-110", hours="夜间")
    second = await the_post()
    assert second.id != first.id and second.phone == "0870110" and "0870-110" in (await lead.see(PAGE)).text
    for act in ("end", "mend", "test"):
        answer = await lead.do(f"/duty-book/posts/{first.id}/{act}", **LINE, result="answered")
        assert answer.status_code == 409, act


async def test_html_in_every_field_stays_words(console: FastAPI, sign_in: SignIn) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await lead.do(f"{PAGE}/add", kind="shelter", name=NASTY, phone="13800001002", hours=NASTY[:40])
    await lead.do(f"/duty-book/posts/{(await the_post()).id}/test", result="wrong_number", words=NASTY)
    for path in (PAGE, "/duty-book", "/duty-book/due", "/duty-book?show=<b>x</b>"):
        page = await lead.see(path)
        assert page.status_code == 200 and "<script>alert" not in page.text, path


async def test_a_table_in_gbk_is_taken_in_and_its_wrong_lines_are_named(console: FastAPI, sign_in: SignIn) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR, unit="12345@530600")
    lines = [
        "县,类别,名称,电话,时段", "镇雄县,110 台,镇雄 110,0870-110,24 小时", "530627,shelter,救助站,13800001003,", "镇雄县,110 台,又一个,110,",
        "五华区,派出所,华山派出所,13800001004,", "没有的县,派出所,某所,13800001005,", "镇雄县,派出所,<script>x</script>,13800001006,",
    ]  # fmt: skip
    table = "\n".join(lines).encode("gb18030")
    answer = await lead.client.post(
        "/duty-book/import", files={"table": ("book.csv", table, "text/csv")}, headers={"X-CSRF": lead.csrf}
    )
    assert answer.status_code == 200 and "加了 3 条" in answer.text and "3 行没有收" in answer.text
    for words in ('第 <span class="figures">4</span> 行：短号前要加区号', "不归你管", "没认出是哪个县"):
        assert words in answer.text, words
    assert "<script>x" not in (await lead.see(PAGE)).text
    again = await lead.client.post(
        "/duty-book/import", files={"table": ("x.csv", b"\x00\xff\xfe\x81", "text/csv")}, headers={"X-CSRF": lead.csrf}
    )
    assert again.status_code == 422 and "读不出来" in again.text


async def test_the_desk_is_given_the_countys_posts_with_110_first_and_the_prefectures_where_it_has_none(
    console: FastAPI, sign_in: SignIn
) -> None:
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await lead.do(f"{PAGE}/add", kind="village", name="村里", phone="13800001007")
    await lead.do(f"{PAGE}/add", **LINE)
    await lead.do("/duty-book/530600/add", kind="desk110", name="昭通 110", phone="0870-110")
    async with transaction() as session:
        found = await duty_book.on_hand(session, COUNTY)
        assert [post.kind for post in found] == ["desk110", "police_post", "village"]
        assert await duty_book.on_hand(session, None) == []
        assert await duty_book.red_counties(session) == {}
