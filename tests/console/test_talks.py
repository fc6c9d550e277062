"""What an operator sees of a talk and does with it."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import judging
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import outbox
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.wording import say
from tests.telling import Person

from .conftest import Desk, SignIn
from .story import PASSWORD

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
HTML = '<script>alert(1)</script>\'; DROP TABLE messages;-- " onload="x'


async def _call() -> Escalation:
    async with transaction() as session:
        return (await session.scalars(select(Escalation).order_by(Escalation.id.desc()).limit(1))).one()


async def _take(desk: Desk, person: Person) -> None:
    assert (await desk.do(f"/talks/{person.thread_id}/take")).status_code == 200
    await person.run()
    person.news()


def _row(page: str, person: Person) -> str:
    found = re.search(rf'<li class="row[^"]*" id="row-{person.thread_id}".*?</li>', page, re.DOTALL)
    assert found
    return found.group()


async def test_danger_stands_on_top_with_all_an_operator_needs(
    sign_in: SignIn, person: Person, another: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await another.texts("转人工")
    clock.advance(timedelta(minutes=2))
    await person.texts(KICKING)
    page = (await desk.see("/")).text
    assert page.index(f'id="row-{person.thread_id}"') < page.index(f'id="row-{another.thread_id}"')
    row = _row(page, person)
    assert "lane-red" in row and "ringing" in row and ">110<" in row and "现在" in row and "响铃" in row
    assert f'data-since="{int(clock.now().timestamp() * 1000)}"' in row
    assert "<mark>" in row and "138****0001" in row and "13800000001" not in page


async def test_a_talk_is_taken_answered_and_read_without_a_second_of_machine(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    answer = await desk.do(f"/talks/{person.thread_id}/take")
    assert answer.status_code == 200 and "在你手上" in answer.text
    await person.run()
    assert person.news() == [say("human.joins", badge=desk.operator.badge)]
    clock.advance(timedelta(seconds=20))
    assert await person.texts("在镇雄县泼机镇") == []
    await desk.do(f"/talks/{person.thread_id}/reply", body="我在。\n先躲到里屋，门锁好。")
    await person.run()
    assert person.news() == ["我在。\n先躲到里屋，门锁好。"]
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "昭通市镇雄县" in page and "“在镇雄县泼机镇”" in page and "已接通" in page


async def test_two_who_take_at_once_one_wins_and_one_is_told(sign_in: SignIn, person: Person) -> None:
    first, second = await sign_in("first", "甲"), await sign_in("second", "乙")
    await person.texts(KICKING)
    assert (await first.do(f"/talks/{person.thread_id}/take")).status_code == 200
    late = await second.do(f"/talks/{person.thread_id}/take")
    assert late.status_code == 409 and late.json() == {"error": "这个会话刚被别人接走，请刷新后再看。"}
    assert (await second.do(f"/talks/{person.thread_id}/reply", body="我也在")).status_code == 409
    assert "甲" in (await second.see(f"/talks/{person.thread_id}")).text


async def test_the_queue_button_leads_to_the_talk(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    answer = await desk.do(f"/talks/{person.thread_id}/take?from=queue")
    assert answer.headers["hx-redirect"] == f"/talks/{person.thread_id}"


async def test_the_same_words_clicked_twice_go_out_once(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    for _ in range(3):
        assert (await desk.do(f"/talks/{person.thread_id}/reply", body="我在。")).status_code == 200
    await person.run()
    assert person.news() == ["我在。"]
    clock.advance(timedelta(seconds=30))
    await desk.do(f"/talks/{person.thread_id}/reply", body="我在。")
    await person.run()
    assert person.news() == ["我在。"]


async def test_a_reply_repeated_after_a_lost_answer_goes_out_once(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    once = "0123456789abcdef" * 2
    for _ in range(2):
        assert (await desk.do(f"/talks/{person.thread_id}/reply", body="我在。", once=once)).status_code == 200
        clock.advance(timedelta(minutes=2))
    await person.run()
    assert person.news() == ["我在。"]


async def test_the_same_words_meant_twice_go_out_twice(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    for once in ("0" * 32, "1" * 32):
        assert (await desk.do(f"/talks/{person.thread_id}/reply", body="在", once=once)).status_code == 200
    await person.run()
    assert person.news() == ["在", "在"]


async def test_two_posts_of_one_reply_at_the_same_instant_go_out_once(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    path, once = f"/talks/{person.thread_id}/reply", "fedcba9876543210" * 2
    answers = await asyncio.gather(*(desk.do(path, body=f"第{n}", once=once) for n in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    await person.run()
    assert len(person.news()) == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("", "还没有写字。"), (" \n\u0000 ", "还没有写字。"), ("长" * 1001, "一次最多 1000 字，请分开发。")],
)
async def test_a_reply_that_cannot_go_out_says_why(sign_in: SignIn, person: Person, body: str, sentence: str) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    answer = await desk.do(f"/talks/{person.thread_id}/reply", body=body)
    assert answer.status_code == 422 and answer.json() == {"error": sentence}


async def test_red_ends_only_when_somebody_saw_the_child(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    talk = f"/talks/{person.thread_id}"
    too_early = await desk.do(f"{talk}/close", outcome="safe", note="没事了")
    assert too_early.status_code == 409
    assert (await desk.do(f"{talk}/hand-back")).status_code == 422
    missing = await desk.do(f"{talk}/handed-over", unit="110", reference="")
    assert missing.status_code == 422
    assert (await desk.do(f"{talk}/handed-over", unit="somebody", reference="x")).status_code == 422
    done = await desk.do(f"{talk}/handed-over", unit="110", reference="昭通110 接警员 0231")
    assert done.status_code == 200 and "已交110 公安" in done.text
    assert (await _call()).state == "handed_over"
    assert (await desk.do(f"{talk}/handed-over", unit="120", reference="救护车已派")).status_code == 200
    assert (await desk.do(f"{talk}/child-seen", by="王警官", at="20:14", where="家里")).status_code == 422
    seen = {"by": "王警官", "at": "20:14", "where": "家里", "tonight": "外婆家"}
    assert (await desk.do(f"{talk}/child-seen", **seen)).status_code == 200
    assert (await desk.do(f"{talk}/close", outcome="safe", note="")).status_code == 422
    assert (await desk.do(f"{talk}/close", outcome="made up", note="x")).status_code == 422
    assert (await desk.do(f"{talk}/close", outcome="safe", note="外婆接走了")).status_code == 200
    call = await _call()
    assert (call.state, call.outcome) == ("resolved", "safe")
    assert call.note is not None
    for words in ("昭通110 接警员 0231", "救护车已派", "王警官", "外婆家", "外婆接走了"):
        assert words in call.note
        assert words.encode() not in (call.note_sealed or b"")
    await person.run()
    assert person.news() == [say("bye.red")]


async def test_a_false_alarm_needs_a_second_person(sign_in: SignIn, person: Person) -> None:
    first, second = await sign_in("first", "甲"), await sign_in("second", "乙")
    await person.texts(KICKING)
    await _take(first, person)
    path = f"/talks/{person.thread_id}/false-alarm"
    wrong = await first.do(path, note="是演戏", second_login="second", second_password="wrong")
    assert wrong.status_code == 422
    alone = await first.do(path, note="是演戏", second_login="first", second_password=PASSWORD)
    assert alone.status_code == 422 and (await _call()).state != "false_alarm"
    done = await first.do(path, note="是演戏", second_login="second", second_password=PASSWORD)
    assert done.status_code == 200
    assert (await _call()).state == "false_alarm"
    assert (await second.see("/")).status_code == 200  # the signature ended no session of theirs


async def test_a_quiet_talk_is_handed_back_or_closed(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("转人工")
    await _take(desk, person)
    assert (await desk.do(f"/talks/{person.thread_id}/hand-back")).status_code == 200
    assert (await person.talk()).owner == "assistant"
    await desk.do(f"/talks/{person.thread_id}/take")
    assert (await desk.do(f"/talks/{person.thread_id}/close", outcome="answered")).status_code == 200
    assert (await person.talk()).owner == "closed"
    assert "已结束" in (await desk.see(f"/talks/{person.thread_id}")).text


async def test_the_place_is_asked_for_until_it_is_known(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await _take(desk, person)
    talk = f"/talks/{person.thread_id}"
    assert "还不知道" in (await desk.see(talk)).text
    unclear = await desk.do(f"{talk}/place", place="那边")
    assert unclear.status_code == 422 and "州市＋县" in unclear.json()["error"]
    assert "昭通市镇雄县" in (await desk.do(f"{talk}/place", place="镇雄县泼机镇街上")).text
    assert (await _call()).note is not None and "泼机镇街上" in ((await _call()).note or "")


async def test_the_whole_number_is_shown_in_danger_only_and_leaves_a_trace(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("转人工")
    await _take(desk, person)
    assert (await desk.do(f"/talks/{person.thread_id}/number")).status_code == 422
    await person.texts(KICKING)
    shown = await desk.do(f"/talks/{person.thread_id}/number")
    assert "13800000001" in shown.text
    async with transaction() as session:
        audit = [(row.what, row.subject) for row in await session.scalars(select(AuditRow))]
    assert ("show_number", f"thread:{person.thread_id}") in audit


async def test_opening_a_talk_is_written_down_looking_again_is_not(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    await desk.see(f"/talks/{person.thread_id}")
    await desk.do(f"/talks/{person.thread_id}/live")
    async with transaction() as session:
        opened = [row for row in await session.scalars(select(AuditRow)) if row.what == "open_talk"]
    assert [(row.operator_id, row.subject) for row in opened] == [(desk.operator.id, f"thread:{person.thread_id}")]


async def test_a_supervisor_takes_a_talk_from_a_colleague_who_is_away(sign_in: SignIn, person: Person) -> None:
    desk, lead = await sign_in(), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    await person.texts(KICKING)
    await _take(desk, person)
    path = f"/talks/{person.thread_id}/take-from-colleague"
    assert (await desk.do(path)).status_code == 403
    assert (await lead.do(path)).status_code == 200
    await person.run()
    assert person.news() == []  # the child is told nothing
    assert (await _call()).acknowledged_by == lead.operator.id
    assert (await desk.do(f"/talks/{person.thread_id}/reply", body="我在")).status_code == 409


async def test_a_text_that_did_not_arrive_is_red_on_the_page(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    message_id = await person.hand_in(KICKING)
    await judging.judge(message_id)
    await person.run()
    async with transaction() as session:
        sent = person.carrier.sent
        assert sent
        await outbox.apply_receipt(
            session, carrier="simulator", carrier_id=f"fake-{message_id + 1}", state="blocked", error="30007"
        )
    await person.run()
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "被运营商拦下" in page and 'class="state blocked"' in page


async def test_what_people_write_is_shown_never_run(sign_in: SignIn, person: Person, another: Person) -> None:
    desk = await sign_in("zhiban", HTML[:60], Role.SUPERVISOR)
    await person.texts(KICKING + HTML)
    await another.texts("我要投诉 " + HTML)
    await _take(desk, person)
    talk = f"/talks/{person.thread_id}"
    await desk.do(f"{talk}/reply", body=HTML)
    await desk.do(f"{talk}/note", note=HTML)
    await desk.do(f"{talk}/place", place="镇雄县" + HTML)
    await desk.do(f"{talk}/handed-over", unit="110", reference=HTML)
    await desk.do(f"{talk}/child-seen", by=HTML, at=HTML, where=HTML, tonight=HTML)
    for path in ("/", talk, f"{talk}/live", "/queue/rail?talk=1", "/team", "/tickets", f"/tickets?number={HTML}"):
        page = await desk.see(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text and 'onload="x' not in page.text.replace("&#34;", "&quot;"), path
    shown = (await desk.see(talk)).text
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


@pytest.mark.parametrize(
    "path", ["/talks/999", "/talks/abc", "/talks/99999999999999999999", "/tickets/999", "/nothing", "/talks/-1"]
)
async def test_what_is_not_there_is_a_page_that_says_so(sign_in: SignIn, path: str) -> None:
    desk = await sign_in()
    answer = await desk.see(path)
    assert answer.status_code == 404 and "没有" in answer.text and "<html" in answer.text


@pytest.mark.parametrize(
    "act", ["take", "reply", "close", "hand-back", "mark", "place", "note", "number", "handed-over"]
)
async def test_an_act_on_a_talk_that_is_not_there_is_a_sentence(sign_in: SignIn, act: str) -> None:
    desk = await sign_in()
    answer = await desk.do(
        f"/talks/999/{act}",
        body="x",
        outcome="safe",
        note="x",
        to="in_contact",
        place="镇雄县",
        unit="110",
        reference="x",
    )
    assert answer.status_code == 404 and answer.json()["error"] == "没有这个会话。"
