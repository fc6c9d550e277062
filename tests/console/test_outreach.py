"""群发 at its doors: written by one, released by another, stopped by anybody; nothing typed is lost, no number leaves."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from python_calamine import load_workbook
from sqlalchemy import func, select, update

from sms_gateway.broadcasts import acts, pacing, templates, trying
from sms_gateway.broadcasts.addresses import group_key
from sms_gateway.broadcasts.models import Broadcast, BroadcastEvent, OutreachTemplate
from sms_gateway.broadcasts.roll_models import SavedSegment
from sms_gateway.clock import HeldClock
from sms_gateway.console import outreach_words
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditRow, Role
from tests.broadcasts.making import set_rows
from tests.telling import FakeCarrier, Person

from . import outreach_story as story
from .conftest import PAGE, Desk, browser, enter
from .story import add_operator

FORM = {
    "title": "寒假安全提醒", "body": story.BODY, "template_id": "", "scheduled_at": "", "hours_start": "09:00", "hours_end": "20:00", "carrier_segments": "100",
    "replies_per_thousand": "1", "quiet_days": "7", "waiting_seconds": "120", "danger_replies": "3", "error_percent": "10", "pilot": "1000",
    "first_county": "",
}  # fmt: skip
EVENING = timedelta(hours=12)


Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def sit(console: FastAPI, by_day: HeldClock) -> AsyncIterator[Sit]:
    """Sign somebody in and open 群发: an editor's own first page would load the whole handbook."""
    opened: list[httpx.AsyncClient] = []

    async def make(login: str, name: str, role: Role = Role.EDITOR) -> Desk:
        operator = await add_operator(login, name, role, there=False)
        client = browser(console)
        opened.append(client)
        await enter(client, login)
        found = re.search(r'data-csrf="([^"]+)"', (await client.get("/outreach", headers=PAGE)).text)
        assert found
        return Desk(client, operator, found.group(1))

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def writer(sit: Sit) -> Desk:
    return await sit("bianji", "和丽梅")


@pytest.fixture
async def second(sit: Sit) -> Desk:
    return await sit("bianji2", "杨志强")


@pytest.fixture
def by_day(clock: HeldClock) -> HeldClock:
    """Ten in the morning in Yunnan."""
    at = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)
    clock.advance(at + timedelta(days=1) - clock.now())
    return clock


async def post(desk: Desk, path: str, **fields: str | list[str]) -> httpx.Response:
    """A plain form, as a browser without scripts sends it."""
    return await desk.client.post(path, data={**fields, "csrf": desk.csrf}, headers=PAGE)


async def one(broadcast_id: int) -> Broadcast:
    async with transaction() as session:
        return await acts.get(session, broadcast_id)


async def audited(what: str) -> list[AuditRow]:
    async with transaction() as session:
        return list(await session.scalars(select(AuditRow).where(AuditRow.what == what)))


# ---- written ----


async def test_a_draft_is_written_and_stands_in_the_list(writer: Desk) -> None:
    roll = await story.make_roll()
    answer = await post(writer, "/outreach", **FORM, rolls=[str(roll)], regions=["530627"])
    assert answer.status_code == 303
    page = (await writer.see(answer.headers["location"])).text
    assert "寒假安全提醒" in page and "昭通市镇雄县" not in page.split("<form")[0]
    kept = await one(int(answer.headers["location"].split("/")[2]))
    assert kept.audience["rolls"] == [roll] and kept.audience["regions"] == ["530627"]
    assert "寒假安全提醒" in (await writer.see("/outreach")).text


async def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_stays(writer: Desk) -> None:
    typed = {
        **FORM, "title": "", "body": "您反映的工单已经办结。" + "字" * 20, "hours_start": "05:00", "pilot": "很多", "scheduled_at": "2020-01-01T09:00",
        "carrier_segments": "0", "quiet_days": "abc",
    }  # fmt: skip
    answer = await post(
        writer,
        "/outreach",
        **typed,
        groups=[group_key("学生家长")],
        hours_region=["530627"],
        hours_from=["10:00"],
        hours_to=["18:00"],
    )
    assert answer.status_code == 422
    page = html.unescape(answer.text)
    for sentence in ("起个名字", "求助过", "最早 07:00", "已经过去了", "请写一个整数", "有个数不对", "请写一个数"):
        assert sentence in page, sentence
    for kept in (
        "您反映的工单已经办结",
        'value="05:00"',
        'value="很多"',
        'value="2020-01-01T09:00"',
        'value="abc"',
        'value="10:00"',
    ):
        assert kept in page, kept
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Broadcast)) == 0


async def test_ten_segments_are_refused_with_the_reason_and_the_text_stays(writer: Desk) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    long = "孩子有难处可以打一二三四五。" * 42
    answer = await post(writer, f"/outreach/{made}/save", **{**FORM, "body": long}, version="1")
    assert answer.status_code == 422 and "要分 10 段发，最多 4 段" in answer.text and long in html.unescape(answer.text)
    assert (await one(made)).version == 1


async def test_who_saves_second_keeps_what_they_typed_and_sees_what_the_first_changed(
    writer: Desk, second: Desk
) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    assert (await post(writer, f"/outreach/{made}/save", **{**FORM, "title": "甲改的"}, version="1")).status_code == 303
    answer = await post(second, f"/outreach/{made}/save", **{**FORM, "title": "乙改的"}, version="1")
    assert answer.status_code == 409
    page = html.unescape(answer.text)
    assert 'value="乙改的"' in page and "甲改的" in page and 'name="version" value="2"' in page
    assert (await post(second, f"/outreach/{made}/save", **{**FORM, "title": "乙改的"}, version="2")).status_code == 303
    assert (await one(made)).title == "乙改的"


async def test_while_somebody_types_the_server_reckons_and_keeps_nothing(writer: Desk) -> None:
    roll = await story.make_roll(taken=50_000)
    answer = await writer.do("/outreach/check", **FORM, rolls=[str(roll)], preview="530602")
    page = html.unescape(answer.text)
    assert "昭阳区的家长您好" in page and "50,000" in page and "2 段" in page and "5,000.00" in page
    assert re.search(r"要 <span class=\"figures\">\d+</span> 位值班员，排满", page)
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Broadcast)) == 0


async def test_links_numbers_and_emoji_are_warned_of(writer: Desk) -> None:
    body = "详见 www.example.com，打13800000001😀"
    page = (await writer.do("/outreach/check", **{**FORM, "body": body})).text
    assert "有网址" in page and "有电话号码" in page and "有表情" in page and "没有用报备过的模板" in page


HOSTILE = (
    "<script>alert(1)</script>",
    "{",
    "{county.__class__}",
    "%n" * 50,
    "9" * 400,
    "1e999",
    "nan",
    "\x00",
    "𠮷" * 3000,
)


async def test_hostile_input_is_text_or_a_refusal(writer: Desk) -> None:
    for field in ("title", "body", "hours_start", "pilot", "first_county", "carrier_segments", "scheduled_at"):
        for value in HOSTILE:
            for path in ("/outreach", "/outreach/check"):
                answer = await post(writer, path, **{**FORM, field: value})
                assert answer.status_code in (200, 303, 422), (path, field, value[:20])
                assert "<script>alert" not in answer.text


async def test_an_audience_that_is_none_is_refused_beside_what_was_typed(writer: Desk) -> None:
    answer = await post(writer, "/outreach", **FORM, regions=["999999"], rolls=["-1", "x", "9" * 30])
    assert answer.status_code == 422 and "人群不对" in answer.text and "寒假安全提醒" in answer.text


# ---- made ready, tested ----


async def test_without_a_roll_nothing_is_prepared(writer: Desk) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll(), audience={})
    answer = await writer.do(f"/outreach/{made}/prepare", version="1")
    assert answer.status_code == 422 and "还没有选名册" in answer.json()["error"]


async def test_a_list_that_could_not_be_made_says_why(writer: Desk, person: Person) -> None:
    roll = await bring(writer, story.LINES.encode())
    await person.run()
    answer = await post(writer, "/outreach", **FORM, rolls=[str(roll)], regions=["530102"])
    made = int(answer.headers["location"].split("/")[2])
    await writer.do(f"/outreach/{made}/prepare", version="1")
    await person.run()
    assert "一个号码也没有" in (await writer.see(f"/outreach/{made}/ready/part")).text
    assert (await writer.do(f"/outreach/{made}/prepare", version="1")).status_code == 204


async def test_an_imported_roll_becomes_a_list_with_its_counties(writer: Desk, person: Person) -> None:
    roll = await bring(writer, story.LINES.encode("gbk"))
    await person.run()
    answer = await post(writer, "/outreach", **FORM, rolls=[str(roll)])
    made = int(answer.headers["location"].split("/")[2])
    assert (await writer.do(f"/outreach/{made}/prepare", version="1")).headers[
        "hx-redirect"
    ] == f"/outreach/{made}/write"
    assert "正在准备" in (await writer.see(f"/outreach/{made}/ready/part")).text
    await person.run()
    part = (await writer.see(f"/outreach/{made}/ready/part")).text
    assert "准备好了" in part and "60" in part and "昭通市镇雄县" in part and "一次发完" in part


async def test_a_test_text_is_the_very_text_and_its_number_is_nowhere(
    writer: Desk, carrier: FakeCarrier, person: Person, by_day: HeldClock, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    answer = await writer.do(f"/outreach/{made}/test", version="1", numbers="138 0000 0009\n", place="530627")
    assert answer.status_code == 200 and "138****0009" in answer.text and "13800000009" not in answer.text
    await person.run()
    assert carrier.sent == [
        ("+8613800000009", f"【云南12345】{story.BODY.replace('{county}', '镇雄县')}本热线不要验证码、不要转账。")
    ]
    assert "已发出" in (await writer.see(f"/outreach/{made}/tests/part")).text
    (row,) = await audited("test_broadcast")
    async with transaction() as session:
        (event,) = await session.scalars(select(BroadcastEvent).where(BroadcastEvent.what == "tested"))
    assert "0009" not in f"{row.subject}{row.detail}{event.detail}"
    out = capsys.readouterr()
    assert "0009" not in out.out + out.err


@pytest.mark.parametrize(
    ("numbers", "says"),
    [("", "请写要收测试短信的手机号"), ("138000\n", "第 1 个不是手机号"), ("13800000001,12345", "第 2 个不是手机号"), ("\n".join(["13800000001"] * 6), "最多 5 个"), ("+1 202 555 0143", "第 1 个不是手机号")],
)  # fmt: skip
async def test_what_is_no_mobile_is_refused_by_its_place(
    writer: Desk, by_day: HeldClock, numbers: str, says: str
) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    answer = await writer.do(f"/outreach/{made}/test", version="1", numbers=numbers, place="530627")
    assert answer.status_code == 422 and says in answer.json()["error"]


@pytest.mark.parametrize("why", ["open_case", "silent_at", "outreach_opted_out_at"])
async def test_who_may_not_be_written_to_gets_no_test_and_the_reason_is_not_told(
    writer: Desk, person: Person, by_day: HeldClock, why: str
) -> None:
    await person.texts("孤儿每个月能领多少钱")
    value = True if why == "open_case" else by_day.now()
    async with transaction() as session:
        await session.execute(update(Contact).values(**{why: value}))
        before = await session.scalar(select(func.count()).select_from(Message))
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    answer = await writer.do(f"/outreach/{made}/test", version="1", numbers="13800000001", place="530627")
    assert answer.status_code == 422 and answer.json()["error"] == "第 1 个号码现在不能发，请换一个。"
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == before


async def test_no_test_goes_out_at_night_and_not_without_end(
    writer: Desk, sit: Sit, by_day: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    monkeypatch.setattr(trying, "MOST_TESTS", 1)
    test = {"version": "1", "place": "530627"}
    assert (await writer.do(f"/outreach/{made}/test", numbers="13800000001", **test)).status_code == 200
    assert (await writer.do(f"/outreach/{made}/test", numbers="13800000002", **test)).status_code == 409
    by_day.advance(EVENING)
    late = await (await sit("bianji3", "段晚")).do(f"/outreach/{made}/test", numbers="13800000003", **test)
    assert late.status_code == 409 and "夜里" in late.json()["error"]


async def test_a_choice_of_people_is_kept_under_a_name_once(writer: Desk) -> None:
    roll = await story.make_roll()
    fields = {**FORM, "rolls": [str(roll)], "regions": ["530627"], "consent": "1", "segment_title": "镇雄家长"}
    assert (await writer.do("/outreach/segments", **fields)).status_code == 204
    assert (await writer.do("/outreach/segments", **fields)).status_code == 409
    assert "镇雄家长" in (await writer.see("/outreach/new")).text
    async with transaction() as session:
        (kept,) = await session.scalars(select(SavedSegment))
    assert kept.chosen["only_consented"] and kept.chosen["rolls"] == [roll]
    assert (await writer.do(f"/outreach/segments/{kept.id}/remove")).status_code == 204
    assert (await writer.do(f"/outreach/segments/{kept.id}/remove")).status_code == 404


# ---- templates ----


async def test_a_template_goes_its_way_and_other_words_begin_again(writer: Desk) -> None:
    assert (await writer.do("/outreach/templates", title="防溺水", body=story.BODY)).status_code == 204
    async with transaction() as session:
        (kept,) = await session.scalars(select(OutreachTemplate))
    page = f"/outreach/templates/{kept.id}"

    async def now() -> OutreachTemplate:
        async with transaction() as session:
            return await templates.get(session, kept.id)

    async def do(where: str, **fields: str) -> int:
        version = templates.version_of(await now())
        return (await writer.do(page + where, version=version, **fields)).status_code

    assert await do("/state", to="registered", number="YN1") == 409
    assert await do("/state", to="submitted") == 204
    assert await do("/state", to="registered") == 422
    assert await do("/state", to="registered", number="YN1", words="都批了") == 204
    shown = (await writer.see("/outreach/templates")).text
    assert "YN1" in shown and templates.version_of(await now()) in shown
    assert await do("", title="防溺水二", body=story.BODY) == 204
    assert (await now()).state == "registered"
    assert await do("", title="防溺水二", body="换了。") == 204
    again = await now()
    assert (again.state, again.registered_as) == ("draft", None)


async def test_nobody_writes_over_a_template_that_another_changed_meanwhile(
    writer: Desk, second: Desk, clock: HeldClock
) -> None:
    async with transaction() as session:
        kept = await templates.create(session, title="防溺水", body=story.BODY, operator_id=writer.operator.id)
    page, seen = f"/outreach/templates/{kept.id}", templates.version_of(kept)
    clock.advance(timedelta(seconds=1))
    assert (await second.do(page, version=seen, title="防溺水", body="他写的。")).status_code == 204
    for answer in (
        await writer.do(page, version=seen, title="防溺水", body="我写的。"),
        await writer.do(page, title="防溺水", body="我写的。"),
        await writer.do(f"{page}/state", version=seen, to="submitted"),
    ):
        assert answer.status_code == 409 and "别人刚改过" in answer.json()["error"]
    async with transaction() as session:
        assert (await templates.get(session, kept.id)).body == "他写的。"


@pytest.mark.parametrize(
    ("title", "body", "says"),
    [("", "好", "名称"), ("题", "", "还没有写"), ("题", "您反映的事办好了", "求助过"), ("题", "{name}您好", "只能用这些变量"), ("题", "字" * 500, "最多 4 段")],
)  # fmt: skip
async def test_a_template_that_must_not_be_is_refused(writer: Desk, title: str, body: str, says: str) -> None:
    answer = await writer.do("/outreach/templates", title=title, body=body)
    assert answer.status_code == 422 and says in answer.json()["error"]


async def test_words_that_are_not_the_registered_ones_are_warned_of_before_release(writer: Desk, second: Desk) -> None:
    day = await story.fill(writer.operator.id, second.operator.id)
    assert "一字不差" in (await second.see(f"/outreach/{day.ready}/release")).text
    async with transaction() as session:
        await session.execute(update(Broadcast).where(Broadcast.id == day.ready).values(body="别的话。"))
    assert "不一样了" in (await second.see(f"/outreach/{day.ready}/release")).text


# ---- released by two ----


async def test_the_writer_sees_why_they_cannot_approve_and_cannot(writer: Desk, second: Desk) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    page = (await writer.see(f"/outreach/{made}/release")).text
    assert "不能自己批" in page and 'id="approve"' not in page
    assert (await writer.do(f"/outreach/{made}/approve", version="1", recipients="40")).status_code == 403
    assert (await one(made)).status == "draft"


async def test_a_supervisor_who_changed_a_word_is_an_author_too(writer: Desk, sit: Sit) -> None:
    lead = await sit("banzhang", "杨丽萍", Role.SUPERVISOR)
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    saved = await post(
        lead, f"/outreach/{made}/save", **{**FORM, "rolls": ["1"], "regions": ["530602", "530627"]}, version="1"
    )
    assert saved.status_code == 303
    assert (await lead.do(f"/outreach/{made}/approve", version="2", recipients="40")).status_code == 403


@pytest.mark.parametrize("typed", ["", "41", "四十", "-40", "4e1", "9" * 20])
async def test_another_number_than_the_lists_approves_nothing(writer: Desk, second: Desk, typed: str) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    answer = await post(second, f"/outreach/{made}/approve", version="1", recipients=typed)
    assert answer.status_code == 422 and 'id="approve"' in answer.text and f'value="{typed}"' in answer.text
    assert (await one(made)).status == "draft"


async def test_a_second_person_approves_starts_pauses_and_lets_go_on(writer: Desk, second: Desk) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    of = f"/outreach/{made}"
    assert (await second.do(f"{of}/approve", version="1", recipients="40")).headers["hx-redirect"] == f"{of}/release"
    assert "批准了" in (await writer.see(f"{of}/release")).text
    assert (await writer.do(f"{of}/start", version="1")).status_code == 409
    assert (await writer.do(f"{of}/start", version="2")).headers["hx-redirect"] == f"{of}/run"
    assert 'id="pause"' in (await writer.see(f"{of}/run")).text
    assert (await second.do(f"{of}/pause")).status_code == 204
    assert "有人按了暂停" in (await second.see(f"{of}/run/part")).text
    assert (await second.do(f"{of}/resume", version="3", danger="0")).status_code == 409
    assert (await second.do(f"{of}/resume", version="4", danger="0")).status_code == 204
    assert (await second.do(f"{of}/cancel")).headers["hx-redirect"] == of
    assert (await one(made)).status == "running"
    assert (await second.do(f"{of}/cancel", sure="1")).status_code == 204
    assert (await one(made)).status == "cancelled"
    for what in ("approve", "start", "pause", "resume", "cancel"):
        assert len(await audited(f"{what}_broadcast")) == 1, what


@pytest.mark.parametrize(("late", "says"), [(-1, "自动开始"), (5, "自动开始"), (7, "以后也不会自动开始")])
async def test_one_that_missed_its_time_says_that_it_will_not_begin_by_itself(
    writer: Desk, second: Desk, by_day: HeldClock, late: int, says: str
) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    await second.do(f"/outreach/{made}/approve", version="1", recipients="40")
    async with transaction() as session:
        at = by_day.now() - timedelta(hours=late)
        await session.execute(update(Broadcast).where(Broadcast.id == made).values(scheduled_at=at))
    assert says in (await writer.see(f"/outreach/{made}/release")).text
    listed = (await writer.see("/outreach")).text
    assert ("自动开始" in listed) == (late < 7)


async def test_what_was_approved_is_not_changed_behind_the_approvers_back(writer: Desk, second: Desk) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    await second.do(f"/outreach/{made}/approve", version="1", recipients="40")
    assert (await post(writer, f"/outreach/{made}/save", **FORM, version="2")).status_code == 409
    assert (await writer.see(f"/outreach/{made}/write")).headers["location"].endswith("/release")


async def test_one_that_is_sent_back_says_why_to_its_writer(writer: Desk, second: Desk) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    empty = await post(second, f"/outreach/{made}/send-back", version="1", reason=" ")
    assert empty.status_code == 422 and "为什么退回" in empty.text
    assert (await second.do(f"/outreach/{made}/send-back", version="1", reason="人太多，先发一个县")).status_code == 204
    page = (await writer.see(f"/outreach/{made}/write")).text
    assert "被退回" in page and "人太多，先发一个县" in page


# ---- running, afterwards ----


async def test_the_counts_on_the_live_page_add_up_and_a_stop_is_loud(writer: Desk, second: Desk) -> None:
    day = await story.fill(writer.operator.id, second.operator.id)
    page = (await writer.see(f"/outreach/{day.running}/run")).text
    counts = [int(found.replace(",", "")) for found in re.findall(r"</span><b>([\d,]+)</b>", page)]
    total = int(re.search(r'id="sum">([\d,]+)', page)[1].replace(",", ""))  # type: ignore[index]
    assert total == sum(counts) and total > 40_000
    assert "退订过群发" in page and "照空着的值班员人数放慢" in page
    async with transaction() as session:
        await acts.pause(session, day.running, operator_id=None, reason="danger")
    part = (await writer.see(f"/outreach/{day.running}/run/part")).text
    assert 'role="alert"' in part and "回信里有危险" in part and 'id="resume"' in part


def test_every_reason_to_stop_has_words() -> None:
    reasons = {*map(str, pacing.Pause), "person", "line", "wave", "restored"}
    assert set(outreach_words.PAUSES) == set(outreach_words.PAUSE_ADVICE) == reasons


async def test_after_a_wave_the_next_is_let_go_by_a_person(writer: Desk, second: Desk) -> None:
    made = await story.make_ready(writer.operator.id, await story.make_roll())
    await story.let_run(made, author=writer.operator.id, second=second.operator.id)
    waves = [{"number": 0, "region": None, "limit": 30, "asks": True, "total": 30}, {"number": 1, "region": None, "limit": None, "asks": False, "total": 10}]  # fmt: skip
    async with transaction() as session:
        await acts.pause(session, made, operator_id=None, reason="wave")
        await session.execute(update(Broadcast).where(Broadcast.id == made).values(waves=waves))
    page = (await writer.see(f"/outreach/{made}/run")).text
    assert "放行下一批" in page and "试发" in page
    version = str((await one(made)).version)
    assert (await writer.do(f"/outreach/{made}/resume", version=version, danger="0")).status_code == 409
    assert (await writer.do(f"/outreach/{made}/next-wave", version=version, danger="0")).status_code == 204
    assert (await one(made)).wave == 1


async def test_the_report_and_its_file_tell_sums_and_nobodys_number(writer: Desk, second: Desk) -> None:
    day = await story.fill(writer.operator.id, second.operator.id)
    await set_rows(day.ready, {})
    async with transaction() as session:
        (await session.get_one(Broadcast, day.done)).title = "=1+1"
    page = (await writer.see(f"/outreach/{day.done}/report")).text
    for said in ("29,702", "退订过群发", "问是不是骗子", "data-chart", "导出 Excel", "原来估计每 1000 人回 1 条"):
        assert said in page, said
    export = f"/outreach/{day.done}/report/export"
    assert (await post(writer, export)).status_code == 422 and not await audited("export_broadcast")
    answer = await post(writer, export, reason="月会通报群发的结果")
    assert answer.status_code == 200 and answer.content[:2] == b"PK"
    book = load_workbook(io.BytesIO(answer.content))
    cells = [cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row]
    assert "'=1+1" in cells and "=1+1" not in cells
    assert not [cell for cell in cells if re.search(r"1\d{10}", str(cell).replace(".0", ""))]
    assert not re.search(r"\+?86?1[3-9]\d{9}", page)
    (row,) = await audited("export_broadcast")
    assert row.subject == f"broadcast:{day.done}" and row.detail == "月会通报群发的结果"


async def test_what_has_not_begun_has_no_report(writer: Desk) -> None:
    made = await story.make_draft(writer.operator.id, await story.make_roll())
    assert (await writer.see(f"/outreach/{made}/report")).status_code == 409
    assert (await writer.see(f"/outreach/{made}/run")).headers["location"].endswith("/write")
    assert (await writer.see("/outreach/999")).status_code == 404


# ---- rolls ----


async def bring(desk: Desk, data: bytes, title: str = "镇雄县家长") -> int:
    """A file as the page's script sends it."""
    made = (await desk.do("/outreach/rolls", title=title, size=str(len(data)))).json()
    for part, start in enumerate(range(0, len(data), made["piece"])):
        answer = await desk.client.post(
            f"/outreach/rolls/{made['id']}/parts?part={part}", content=data[start : start + made["piece"]],
            headers={"X-CSRF": desk.csrf, "Content-Type": "application/octet-stream"},
        )  # fmt: skip
        assert answer.status_code == 204
    assert (await desk.do(f"/outreach/rolls/{made['id']}/start")).status_code == 204
    return int(made["id"])


async def test_a_roll_comes_in_pieces_and_says_what_it_refused(writer: Desk, person: Person) -> None:
    lines = story.LINES + "=1+1,镇雄县,,\n0871-63100000,镇雄县,,\n13800001000,镇雄县,,\n"
    roll = await bring(writer, lines.encode())
    assert "正在读" in (await writer.see("/outreach/rolls")).text
    await person.run()
    page = (await writer.see("/outreach/rolls/part")).text
    assert "可以用" in page and "固定电话" in page and "公式，不计算" in page and "前面已经有这个号码" in page
    file = await writer.see(f"/outreach/rolls/{roll}/refusals")
    assert file.headers["content-disposition"].endswith('.csv"')
    said = file.content.decode("utf-8-sig").splitlines()
    assert said[0] == '"行号","为什么没收"' and '62,"公式，不计算"' in said
    assert "0871" not in file.text
    assert (await writer.do(f"/outreach/rolls/{roll}/remove")).status_code == 204
    assert (await writer.see(f"/outreach/rolls/{roll}/refusals")).status_code == 404


async def test_a_piece_that_is_too_large_or_comes_late_is_refused(writer: Desk, person: Person) -> None:
    made = (await writer.do("/outreach/rolls", title="太大", size="10")).json()
    path = f"/outreach/rolls/{made['id']}/parts?part=0"
    headers = {"X-CSRF": writer.csrf, "Content-Type": "application/octet-stream"}
    assert (await writer.client.post(path, content=b"x" * (made["piece"] + 1), headers=headers)).status_code == 422
    assert (await writer.do(f"/outreach/rolls/{made['id']}/start")).status_code == 422
    roll = await bring(writer, story.LINES.encode())
    late = await writer.client.post(f"/outreach/rolls/{roll}/parts?part=0", content=b"x", headers=headers)
    assert late.status_code == 409
    assert (await writer.do("/outreach/rolls", title="", size="1")).status_code == 422
    assert (await writer.do("/outreach/rolls", title="五 GB", size=str(5 << 30))).status_code == 422
