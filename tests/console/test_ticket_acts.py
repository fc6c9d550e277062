"""The desk moves a ticket: to a unit, back, on, to its end. What cannot be done is said in one sentence, and changes nothing."""

from __future__ import annotations

import asyncio

import pytest

from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.tickets import actors, dispatching, extending, handling, moves
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.working_time import working_day_after
from tests.telling import Person

from . import matters
from .conftest import SignIn
from .matters import CIVIL, EDU, EDU_ABOVE


async def _returned(ticket: Ticket, unit: str = EDU, duty: str = CIVIL) -> None:
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await dispatching.give_back(session, locked, actor=actors.of_unit(unit, 9), why="不归我们管", duty=duty)


async def _replied(ticket: Ticket, unit: str = EDU) -> None:
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await dispatching.sign(session, locked, actor=actors.of_unit(unit, 9))
        await handling.reply(session, locked, actor=actors.of_unit(unit, 9), words="已找老师谈话")


async def test_the_page_suggests_a_unit_and_shows_the_copy_that_would_go_out(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person, category="D11")
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "镇雄县教育体育局" in page and "建议派给谁" in page and "派给单位的样子" in page
    copy = page[page.index("派给单位的样子") :].partition("</details>")[0]
    assert "打学生" in copy and "邻居" not in copy and "昨天" not in copy and "电话" not in copy
    assert f'action="/tickets/{ticket.id}/dispatch"' in page and f'action="/tickets/{ticket.id}/merge"' in page
    assert (
        f'action="/tickets/{ticket.id}/send-back"' not in page and f'action="/tickets/{ticket.id}/resume"' not in page
    )


async def test_a_ticket_goes_to_its_unit_with_helpers_and_leaves_an_event(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person)
    answer = await desk.do(
        f"/tickets/{ticket.id}/dispatch", version="1", unit=CIVIL, other=EDU, co=[CIVIL, EDU], why="请当天核实"
    )
    assert answer.status_code == 204 and answer.headers["hx-redirect"] == f"/tickets/{ticket.id}"
    now = await matters.read(ticket.id)
    assert (now.status, now.unit, now.level) == ("dispatched", EDU, "county")
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "已派单给镇雄教育体育局，协办：镇雄民政局" in page and "请当天核实" in page and "改派" in page


async def test_a_plain_form_is_led_back_to_the_ticket(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person)
    form = {"csrf": desk.csrf, "version": "1", "unit": EDU}
    answer = await desk.client.post(f"/tickets/{ticket.id}/dispatch", data=form)
    assert answer.status_code == 303 and answer.headers["location"] == f"/tickets/{ticket.id}"
    again = await desk.client.post(f"/tickets/{ticket.id}/dispatch", data=form, headers={"Accept": "text/html"})
    assert again.status_code == 409 and "刚刚有人动过" in again.text
    assert f'href="/tickets/{ticket.id}"' in again.text and "刷新，看最新的" in again.text


@pytest.mark.parametrize(
    ("unit", "status", "sentence"),
    [
        ("", 422, "还要写：派给哪个单位。"),
        ("edu", 422, "单位代码"),
        ("edu@999999", 404, "没有这个行政区划代码。"),
        ("nobody@530627", 404, "没有这个单位。"),
        (CIVIL, 409, "这个单位正是被投诉的一方，不能派给它。"),
    ],
)
async def test_a_dispatch_that_cannot_be_says_why(
    sign_in: SignIn, person: Person, unit: str, status: int, sentence: str
) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person)
    await matters.accuse(ticket, CIVIL)
    answer = await desk.do(f"/tickets/{ticket.id}/dispatch", version="1", unit=unit)
    assert answer.status_code == status and sentence in answer.json()["error"]
    assert (await matters.read(ticket.id)).status == "accepted"


async def test_who_is_complained_of_is_never_offered(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person, category="D11")
    await matters.accuse(ticket, EDU)
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    form = page[page.index('id="dispatch-sheet"') :]
    assert f'value="{EDU}"' not in form[: form.index("</dialog>")] and "不派给它" in page


async def test_a_return_is_the_leads_to_rule_on_and_the_second_goes_to_a_meeting(
    sign_in: SignIn, person: Person
) -> None:
    desk, lead = await sign_in(), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    ticket = await matters.dispatch(await matters.open_matter(person))
    await _returned(ticket)
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "退回的单由值班长裁决" in page and "/dispatch" not in page and "说应归镇雄民政局" in page
    at, now = f"/tickets/{ticket.id}/dispatch", await matters.version(ticket)
    refused = await desk.do(at, version=now, unit=CIVIL)
    assert refused.status_code == 403 and "值班长裁决" in refused.json()["error"]
    assert "还派给退单的单位" in (await lead.do(at, version=now, unit=EDU)).json()["error"]
    assert (await lead.do(at, version=now, unit=EDU, why="学校归教体")).status_code == 204
    await _returned(ticket, duty=CIVIL)
    page = (await lead.see(f"/tickets/{ticket.id}")).text
    assert "要上会" in page and "第二次退单" in page and "退单不成立，还由原单位办" in page
    now = await matters.version(ticket)
    refused = await lead.do(at, version=now, unit=CIVIL)
    assert refused.status_code == 422 and "会商的结论" in refused.json()["error"]
    assert (await lead.do(at, version=now, unit=CIVIL, why="会商定了由民政办")).status_code == 204
    assert [event.detail["stands"] for event in await matters.events(ticket) if event.what == "ruled"] == [False, True]


async def test_a_reply_is_sent_back_then_accepted_and_a_late_reply_is_refused(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.dispatch(await matters.open_matter(person))
    await _replied(ticket)
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "已找老师谈话" in page and "答复退回再办" in page
    assert (await desk.do(f"/tickets/{ticket.id}/send-back", version=await matters.version(ticket))).status_code == 422
    sent = await desk.do(f"/tickets/{ticket.id}/send-back", version=await matters.version(ticket), words="孩子现在怎样")
    assert sent.status_code == 204
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await handling.reply(session, locked, actor=actors.of_unit(EDU, 9), words="孩子已回校")
    done = await desk.do(f"/tickets/{ticket.id}/conclude", version=await matters.version(ticket), words="老师已道歉")
    assert done.status_code == 204 and (await matters.read(ticket.id)).status == "concluded"
    again = await desk.do(f"/tickets/{ticket.id}/conclude", version=await matters.version(ticket), words="再来一次")
    assert again.status_code == 409
    rework = await desk.do(f"/tickets/{ticket.id}/rework", version=await matters.version(ticket), words="没有道歉")
    assert rework.status_code == 204 and (await matters.read(ticket.id)).unit == EDU


async def test_the_person_is_asked_the_clock_stands_and_the_unit_is_told(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.dispatch(await matters.open_matter(person))
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await dispatching.sign(session, locked, actor=actors.of_unit(EDU, 9))
    asked = await desk.do(f"/tickets/{ticket.id}/ask", version=await matters.version(ticket), words="哪个班")
    assert asked.status_code == 204
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "停钟" in page and "哪个班" in page
    on = await desk.do(f"/tickets/{ticket.id}/resume", version=await matters.version(ticket), words="二年级三班")
    assert on.status_code == 204 and (await matters.read(ticket.id)).status == "signed_for"
    assert (await desk.do(f"/tickets/{ticket.id}/tell-unit", words="又打了一次")).status_code == 204
    assert (await desk.do(f"/tickets/{ticket.id}/tell-unit", words=" ")).status_code == 422


async def test_a_refusal_names_where_to_go_and_the_lead_may_take_it_back(sign_in: SignIn, person: Person) -> None:
    desk, lead = await sign_in(), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    ticket = await matters.open_matter(person)
    at = f"/tickets/{ticket.id}"
    assert (await desk.do(f"{at}/decline", version="1", words="不是孩子的事")).json()["error"] == "还要写：该去哪里。"
    assert (await desk.do(f"{at}/decline", version="1", words="", where="12329")).status_code == 422
    assert (await desk.do(f"{at}/decline", version="1", words="不是孩子的事", where="12329")).status_code == 204
    assert (await desk.do(f"{at}/reopen", version="2", words="看错了")).status_code == 403
    assert (await lead.do(f"{at}/reopen", version="2", words="看错了")).status_code == 204
    assert (await matters.read(ticket.id)).status == "accepted"


async def test_two_reports_of_one_matter_become_one(sign_in: SignIn, person: Person, another: Person) -> None:
    desk = await sign_in()
    first, second = await matters.open_matter(person), await matters.open_matter(another)
    at = f"/tickets/{second.id}/merge"
    assert (await desk.do(at, version="1", number="12")).json()["error"].startswith("没有这个单号")
    assert (await desk.do(at, version="1", number=second.number)).status_code == 409
    assert (await desk.do(at, version="9", number=first.number)).status_code == 409
    answer = await desk.do(at, version="1", number=first.number, words="同一个班")
    assert answer.headers["hx-redirect"] == f"/tickets/{first.id}"
    page = (await desk.see(f"/tickets/{first.id}")).text
    assert second.number in page and f'href="/talks/{another.thread_id}"' in page
    assert (await matters.read(second.id)).merged_into == first.id


async def test_a_complaint_is_withdrawn_suspected_harm_is_not(sign_in: SignIn, person: Person, another: Person) -> None:
    desk = await sign_in()
    blue, harm = await matters.open_matter(person), await matters.open_matter(another, kind="report", lane="orange")
    assert (await desk.do(f"/tickets/{blue.id}/withdraw", version="1")).status_code == 204
    assert (await matters.read(blue.id)).status == "withdrawn"
    assert "/withdraw" not in (await desk.see(f"/tickets/{harm.id}")).text
    await desk.do(f"/tickets/{harm.id}/withdraw", version="1")
    assert (await matters.read(harm.id)).status == "accepted"
    assert (await matters.events(harm))[-1].what == "wish_noted"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"place": "539999"}, "没有这个行政区划代码"),
        ({"place": "x" * 300}, "没有这个行政区划代码"),
        ({"category": "D999"}, "没有这个事项分类"),
        ({"sensitivity": "secret"}, "没有这种敏感类别"),
    ],
)
async def test_what_is_not_in_the_lists_is_refused(
    sign_in: SignIn, person: Person, fields: dict[str, str], sentence: str
) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person)
    answer = await desk.do(f"/tickets/{ticket.id}/mend", version="1", **fields)
    assert answer.status_code == 422 and sentence in answer.json()["error"]
    assert (await matters.read(ticket.id)).version == 1


async def test_category_place_and_urgency_are_mended_and_leave_a_trace(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await matters.open_matter(person, county=None)
    answer = await desk.do(f"/tickets/{ticket.id}/mend", version="1", category="D11", place="530627", urgent="1")
    assert answer.status_code == 204
    now = await matters.read(ticket.id)
    assert (now.category, now.place, now.county, now.urgent) == ("D11", "530627", "530627", True)
    assert now.due_at < ticket.due_at
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "改地点：昭通市镇雄县" in page and "改缓急：紧急" in page
    before = len(await matters.events(ticket))
    same = await desk.do(
        f"/tickets/{ticket.id}/mend", version=str(now.version), category="D11", place="530627", urgent="1"
    )
    assert same.status_code == 204 and len(await matters.events(ticket)) == before


async def test_of_two_operators_at_once_one_wins(sign_in: SignIn, person: Person) -> None:
    first, second = await sign_in(), await sign_in("zhiban2", "值班乙")
    ticket = await matters.open_matter(person)
    answers = await asyncio.gather(
        first.do(f"/tickets/{ticket.id}/dispatch", version="1", unit=EDU),
        second.do(f"/tickets/{ticket.id}/dispatch", version="1", unit=CIVIL),
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    said = next(answer.json() for answer in answers if answer.status_code == 409)
    assert said == {"error": "刚刚有人动过这一单，请刷新后再看。"}
    assert [event.what for event in await matters.events(ticket)].count("dispatched") == 1


async def test_closing_a_matter_up_is_anybodys_opening_it_up_the_leads(sign_in: SignIn, person: Person) -> None:
    desk, lead = await sign_in(), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    ticket = await matters.open_matter(person)
    at = f"/tickets/{ticket.id}/mend"
    assert (await desk.do(at, version="1", sealed="1", sensitivity="sexual")).status_code == 204
    now = await matters.version(ticket)
    assert (await desk.do(at, version=now, sensitivity="sexual")).status_code == 403
    assert (await desk.do(at, version=now, sealed="1", sensitivity="none")).status_code == 403
    assert (await lead.do(at, version=now, sensitivity="none")).status_code == 204
    assert not (await matters.read(ticket.id)).sealed


async def test_the_lead_decides_on_more_time(sign_in: SignIn, person: Person) -> None:
    desk, lead = await sign_in(), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    ticket = await matters.dispatch(await matters.open_matter(person))
    from sms_gateway.clock import shanghai

    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        unit = actors.of_unit(EDU, 99)
        await dispatching.sign(session, locked, actor=unit)
        until = working_day_after(shanghai(locked.due_at).date(), 2)
        await extending.ask(session, locked, actor=unit, reason="要等鉴定", until=until)
    assert "等延期决定" in (await desk.see(f"/tickets/{ticket.id}")).text
    assert ticket.number in (await desk.see("/tickets?extension=1")).text
    at, now = f"/tickets/{ticket.id}/extension", await matters.version(ticket)
    assert (await desk.do(at, version=now, approved="1")).status_code == 403
    assert (await lead.do(at, version=now, approved="0")).status_code == 422
    assert (await lead.do(at, version=now, approved="1")).status_code == 204
    assert (await matters.read(ticket.id)).status == "extended"
    assert ticket.number not in (await desk.see("/tickets?extension=1")).text


async def test_a_regions_desk_sees_its_own_tickets_and_no_others(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    zhaotong = await sign_in("zhaotong", "昭通班长", Role.SUPERVISOR, unit="12345@530600")
    ours, theirs = await matters.open_matter(person), await matters.open_matter(another, county="530102")
    listed = (await zhaotong.see("/tickets")).text
    assert ours.number in listed and theirs.number not in listed
    assert (await zhaotong.see(f"/tickets/{ours.id}")).status_code == 200
    assert (await zhaotong.see(f"/tickets/{theirs.id}")).status_code == 404
    assert "没有单号是" in (await zhaotong.see(f"/tickets?number={theirs.number}")).text
    for act in ("dispatch", "conclude", "mend", "ask", "withdraw", "decline"):
        fields = {"unit": EDU, "words": "好", "where": "别处"}
        answer = await zhaotong.do(f"/tickets/{theirs.id}/{act}", version="1", **fields)
        assert answer.status_code == 404, act
    merged = await zhaotong.do(f"/tickets/{ours.id}/merge", version="1", number=theirs.number)
    assert merged.status_code == 404
    assert (await matters.read(theirs.id)).events == 1


async def test_the_list_is_narrowed_by_everything_the_desk_asks(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    desk = await sign_in()
    blue = await matters.dispatch(await matters.open_matter(person, category="D11"), EDU_ABOVE)
    orange = await matters.open_matter(another, kind="report", lane="orange", county="530102")
    await desk.do(f"/tickets/{orange.id}/mend", version="1", urgent="1")
    only_blue = ("category=D11", "category=school", "region=530600", "region=530627", "status=dispatched", "lane=blue",
        "kind=complaint", f"unit={EDU_ABOVE}", "level=prefecture")  # fmt: skip
    for query in only_blue:
        page = (await desk.see(f"/tickets?{query}")).text
        assert blue.number in page and orange.number not in page, query
    for query in ("lane=orange", "category=none", "unit=none", "region=530100", f"by={desk.operator.id}"):
        page = (await desk.see(f"/tickets?{query}")).text
        assert orange.number in page and blue.number not in page, query
    assert "有的筛选条件看不懂" in (await desk.see("/tickets?region=999999&after=%00&by=x")).text
