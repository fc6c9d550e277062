"""The departments' workspace: a unit sees its own matters, reworded, moves them, and learns nothing of anybody else's."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import FastAPI

from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.shield import MAX_UPLOAD
from sms_gateway.tickets.working_time import working_day_after
from tests.telling import Person
from tests.tickets.test_attachments import JPG, PDF, office

from . import matters
from .conftest import PAGE, PART, Desk, SignIn
from .matters import CIVIL, EDU

ACTS = ("sign", "begin", "return", "ask", "extend", "reply")
FIELDS = {"words": "好", "duty": CIVIL, "until": "2030-01-01"}


async def _unit(sign_in: SignIn, unit: str = EDU) -> Desk:
    return await sign_in(unit.replace("@", "-"), "承办人", Role.DEPARTMENT, unit=unit)


async def _send(
    desk: Desk, ticket_id: int, files: list[tuple[str, bytes]], version: str, words: str = "已办"
) -> object:
    sent = [("files", (name, content, "application/octet-stream")) for name, content in files]
    return await desk.client.post(
        f"/work/{ticket_id}/reply", data={"version": version, "words": words}, files=sent, headers={**PART, "X-CSRF": desk.csrf}
    )  # fmt: skip


async def test_a_unit_starts_at_its_work_and_sees_what_it_has_to_sign_for(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person, category="D11"), why="请当天核实")
    assert (await edu.see("/")).headers["location"] == "/work"
    page = (await edu.see("/work")).text
    assert (
        ticket.number in page and "镇雄教育体育局" in page and "学生欺凌" in page and 'name="act" value="sign"' in page
    )
    assert 'href="/tickets"' not in page and 'href="/team"' not in page


async def test_the_page_tells_the_matter_reworded_and_never_who_told(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person, category="D11"), why="请当天核实")
    page = (await edu.see(f"/work/{ticket.id}")).text
    assert "打学生" in page and "请当天核实" in page and "签收" in page
    for secret in ("邻居", "昨天", "138", "13800000001", f"/talks/{person.thread_id}", "/talks/", "短信", "打电话"):
        assert secret not in page, secret
    assert await matters.audited("open_work") == [f"ticket:{ticket.id}"]


async def test_what_is_not_the_units_is_as_if_it_were_not_there(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    edu = await _unit(sign_in)
    theirs = await matters.dispatch(await matters.open_matter(person, category=matters.NOT_SCHOOLS), CIVIL)
    undispatched = await matters.open_matter(another, kind="report", lane="orange")
    for ticket in (theirs, undispatched):
        before = len(await matters.events(ticket))
        assert ticket.number not in (await edu.see("/work?show=doing")).text
        assert (await edu.see(f"/work/{ticket.id}")).status_code == 404
        assert (await edu.see(f"/work/{ticket.id}/files/1")).status_code == 404
        for act in ACTS:
            answer = await edu.do(f"/work/{ticket.id}/{act}", version=await matters.version(ticket), **FIELDS)
            assert answer.status_code == 404, act
        assert len(await matters.events(ticket)) == before
    assert (await edu.see("/work/999999")).status_code == 404
    assert await matters.audited("open_work") == []


async def test_a_matter_of_its_duty_that_another_unit_handles_is_read_and_not_moved(
    sign_in: SignIn, person: Person
) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person, category="D12"), CIVIL, why="只给民政的话")
    assert ticket.number in (await edu.see("/work?show=seen")).text
    page = (await edu.see(f"/work/{ticket.id}")).text
    assert "只看" in page and "打学生" in page and "只给民政的话" not in page and "能做的事" not in page
    for act in ACTS:
        answer = await edu.do(f"/work/{ticket.id}/{act}", version=await matters.version(ticket), **FIELDS)
        assert answer.status_code in (403, 422), (act, answer.text)
    assert (await matters.read(ticket.id)).status == "dispatched"


async def test_a_helper_reads_and_does_not_move(sign_in: SignIn, person: Person) -> None:
    civil = await _unit(sign_in, CIVIL)
    ticket = await matters.dispatch(await matters.open_matter(person), EDU, co=[CIVIL])
    page = (await civil.see(f"/work/{ticket.id}")).text
    assert "协办" in page and "打学生" in page
    refused = await civil.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    assert refused.status_code == 403 and refused.json() == {"error": "这一步不归您这个岗位做。"}


async def test_a_unit_complained_of_never_sees_the_matter(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person, category="D11"), CIVIL)
    await matters.accuse(ticket, EDU)
    assert (await edu.see(f"/work/{ticket.id}")).status_code == 404
    assert ticket.number not in (await edu.see("/work?show=seen")).text


async def test_it_signs_begins_asks_and_answers_with_files(sign_in: SignIn, person: Person) -> None:
    edu, desk = await _unit(sign_in), await sign_in()
    ticket = await matters.dispatch(await matters.open_matter(person))
    at = f"/work/{ticket.id}"
    assert (await edu.do(f"{at}/sign", version="1")).status_code == 409
    assert (await edu.do(f"{at}/sign", version=await matters.version(ticket))).headers["hx-redirect"] == at
    assert (await edu.do(f"{at}/begin", version=await matters.version(ticket))).status_code == 204
    assert (await edu.do(f"{at}/ask", version=await matters.version(ticket), words="")).status_code == 422
    assert (await edu.do(f"{at}/ask", version=await matters.version(ticket), words="哪个班？")).status_code == 204
    assert "哪个班？" in (await desk.see(f"/tickets/{ticket.id}")).text
    await desk.do(f"/tickets/{ticket.id}/resume", version=await matters.version(ticket), words="二年级三班")
    assert "二年级三班" in (await edu.see(at)).text
    files = [("核查报告.pdf", PDF), ("现场.jpg", JPG), ("说明.docx", office())]
    answer = await _send(edu, ticket.id, files, await matters.version(ticket), "已批评老师，孩子正常上课")
    assert answer.status_code == 204  # type: ignore[attr-defined]
    page = (await edu.see(at)).text
    assert "已答复" in page and page.count("/files/") == 3
    shown = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "已批评老师" in shown and "核查报告.pdf" in shown
    again = await _send(edu, ticket.id, [], await matters.version(ticket), "再答一次")
    assert again.status_code == 409  # type: ignore[attr-defined]
    await desk.do(f"/tickets/{ticket.id}/conclude", version=await matters.version(ticket), words="办好了")
    late = await _send(edu, ticket.id, [("迟到.pdf", PDF)], await matters.version(ticket), "结束以后的答复")
    assert late.status_code == 409 and "已经结束" in late.json()["error"]  # type: ignore[attr-defined]
    assert (await edu.see(at)).text.count("/files/") == 3


async def test_a_file_is_a_download_for_those_who_may_have_it_and_leaves_a_trace(
    sign_in: SignIn, person: Person
) -> None:
    edu, desk, civil = await _unit(sign_in), await sign_in(), await _unit(sign_in, CIVIL)
    ticket = await matters.dispatch(await matters.open_matter(person), EDU, co=[CIVIL])
    await edu.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    await _send(edu, ticket.id, [("回复<b>.pdf", PDF)], await matters.version(ticket))
    for who, path in ((edu, f"/work/{ticket.id}/files/1"), (desk, f"/tickets/{ticket.id}/files/1")):
        answer = await who.see(path)
        assert answer.status_code == 200 and answer.content == PDF
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert (
            answer.headers["x-content-type-options"] == "nosniff"
            and "sandbox" in answer.headers["content-security-policy"]
        )
    assert (await civil.see(f"/work/{ticket.id}/files/1")).status_code == 404
    assert (await desk.see(f"/tickets/{ticket.id}/files/2")).status_code == 404
    assert await matters.audited("open_file") == [f"ticket:{ticket.id}"] * 2


@pytest.mark.parametrize(
    ("files", "status", "sentence"),
    [
        ([("回复.pdf", b"MZ" + b"\0" * 300)], 422, "内容和它的类型对不上"),
        ([("回复.exe", b"MZ")], 422, "只收 PDF、JPG、PNG、DOCX、XLSX"),
        ([("好.pdf", PDF), ("坏.docx", office(**{"word/vbaProject.bin": "x"}))], 422, "宏"),
        ([(f"{n}.pdf", PDF) for n in range(6)], 422, "最多 5 个"),
        ([("大.pdf", PDF + b"\0" * 10 * 1024 * 1024)], 413, "每个不超过 10 MB"),
        ([(f"{n}.pdf", PDF + b"\0" * 9 * 1024 * 1024 + PDF) for n in range(3)], 413, "一共不超过 20 MB"),
    ],
)  # fmt: skip
async def test_files_that_may_not_be_are_refused_and_nothing_is_answered(
    sign_in: SignIn, person: Person, files: list[tuple[str, bytes]], status: int, sentence: str
) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    await edu.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    answer = await _send(edu, ticket.id, files, await matters.version(ticket))
    assert answer.status_code == status and sentence in answer.json()["error"]  # type: ignore[attr-defined]
    assert (await matters.read(ticket.id)).status == "signed_for"


async def test_without_scripts_a_reply_with_a_file_works_too(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    await edu.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    form = {"csrf": edu.csrf, "version": await matters.version(ticket), "words": "已办"}
    files = [("files", ("a.pdf", PDF, "application/pdf"))]
    answer = await edu.client.post(f"/work/{ticket.id}/reply", data=form, files=files, headers=PAGE)
    assert answer.status_code == 303 and answer.headers["location"] == f"/work/{ticket.id}"
    assert "a.pdf" in (await edu.see(f"/work/{ticket.id}")).text
    forged = await edu.client.post(f"/work/{ticket.id}/reply", data={**form, "csrf": "x"}, files=files, headers=PAGE)
    assert forged.status_code == 403


@pytest.mark.parametrize("says_how_long", [True, False])
async def test_fifty_megabytes_are_cut_off_early_and_never_held(
    console: FastAPI, sign_in: SignIn, person: Person, says_how_long: bool
) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    taken = 0

    async def upload() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF-1.4\n'
        for _ in range(50 * 16):
            taken += 64 * 1024
            yield b"\0" * 64 * 1024
            await asyncio.sleep(0)
        yield b"\r\n--x--\r\n"

    headers = {**PART, "X-CSRF": edu.csrf, "Content-Type": "multipart/form-data; boundary=x"}
    if says_how_long:
        headers["Content-Length"] = str(50 * 1024 * 1024)
    tracemalloc.start()
    answer = await edu.client.post(f"/work/{ticket.id}/reply", content=upload(), headers=headers)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413 and "文件太大" in answer.json()["error"]
    assert taken == 0 if says_how_long else taken < MAX_UPLOAD + 1024 * 1024
    assert peak < 8 * 1024 * 1024


async def test_strangers_uploads_are_refused_before_they_are_read(console: FastAPI, sign_in: SignIn) -> None:
    desk = await sign_in()
    taken = 0

    async def upload() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(160):
            taken += 64 * 1024
            yield b"\0" * 64 * 1024

    headers = {**PART, "X-CSRF": desk.csrf, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await desk.client.post("/work/1/reply", content=upload(), headers=headers)
    assert answer.status_code == 403 and taken <= 64 * 1024


async def test_a_return_names_whose_duty_it_is_and_ends_the_units_sight(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    at = f"/work/{ticket.id}/return"
    for fields, status in (
        ({"words": "不归我们"}, 422), ({"words": "不归我们", "duty": EDU}, 422), ({"words": "", "duty": CIVIL}, 422),
        ({"words": "不归我们", "duty": "civil@999999"}, 404),
    ):  # fmt: skip
        assert (await edu.do(at, version=await matters.version(ticket), **fields)).status_code == status
    answer = await edu.do(at, version=await matters.version(ticket), words="住校外的事归民政", duty=CIVIL)
    assert answer.headers["hx-redirect"] == "/work"
    assert (await edu.see(f"/work/{ticket.id}")).status_code == 404
    event = (await matters.events(ticket))[-1]
    assert (event.what, event.detail["duty"], event.who) == ("returned", CIVIL, f"unit:{EDU}:{edu.operator.id}")


async def test_more_time_is_asked_for_with_a_reason_and_a_day(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    await edu.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    at, until = f"/work/{ticket.id}/extend", working_day_after(shanghai(ticket.due_at).date(), 2)
    now = await matters.version(ticket)
    assert (await edu.do(at, version=now, words="等鉴定", until="明天")).json()["error"] == "请选延到哪一天。"
    assert (await edu.do(at, version=now, words="等鉴定", until="2099-01-01")).status_code == 422
    assert (await edu.do(at, version=now, words="等鉴定", until=until.isoformat())).status_code == 204
    assert "等延期决定" in (await edu.see(f"/work/{ticket.id}")).text
    again = await edu.do(at, version=await matters.version(ticket), words="等鉴定", until=until.isoformat())
    assert again.status_code == 409


async def test_several_are_done_at_once_each_standing_by_itself(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    edu = await _unit(sign_in)
    first = await matters.dispatch(await matters.open_matter(person))
    stale = await matters.dispatch(await matters.open_matter(another))
    helped = await matters.dispatch(await matters.open_matter(person, "还有一件 也要投诉"), CIVIL, co=[EDU])
    hidden = await matters.dispatch(await matters.open_matter(another, "又一件", category=matters.NOT_SCHOOLS), CIVIL)
    picks = [
        f"{first.id}-{await matters.version(first)}", f"{stale.id}-1",
        f"{helped.id}-{await matters.version(helped)}", f"{hidden.id}-{await matters.version(hidden)}",
    ]  # fmt: skip
    page = await edu.client.post(
        "/work/bulk", data={"csrf": edu.csrf, "act": "sign", "pick": picks, "show": "sign"}, headers=PAGE
    )
    assert page.status_code == 200 and "1 单办好，3 单没办成" in page.text
    for sentence in ("刚刚有人动过", "这一步不归您这个岗位做", "没有这个工单"):
        assert sentence in page.text
    assert first.number in page.text and stale.number in page.text and hidden.number not in page.text
    states = [(await matters.read(one.id)).status for one in (first, stale, helped, hidden)]
    assert states == ["signed_for", "dispatched", "dispatched", "dispatched"]


async def test_the_same_reply_goes_to_several(sign_in: SignIn, person: Person, another: Person) -> None:
    edu = await _unit(sign_in)
    both = [await matters.dispatch(await matters.open_matter(one)) for one in (person, another)]
    for act, words in (("sign", ""), ("begin", ""), ("reply", "全县统一清退补课费")):
        picks = [f"{one.id}-{await matters.version(one)}" for one in both]
        page = await edu.do("/work/bulk", act=act, pick=picks, words=words, show="doing")
        assert "2 单办好，0 单没办成" in page.text
    assert [(await matters.read(one.id)).status for one in both] == ["replied", "replied"]
    for bad in ({"act": "sign", "pick": []}, {"act": "delete", "pick": ["1-1"]}, {"act": "reply", "pick": ["1-1"]},
        {"act": "sign", "pick": ["x"]}, {"act": "sign", "pick": ["1-" + "9" * 60]}):  # fmt: skip
        assert (await edu.do("/work/bulk", **bad)).status_code == 422  # type: ignore[arg-type]


async def test_of_two_accounts_of_one_unit_one_wins(sign_in: SignIn, person: Person) -> None:
    first, second = await _unit(sign_in), await sign_in("edu2", "承办人二", Role.DEPARTMENT, unit=EDU)
    ticket = await matters.dispatch(await matters.open_matter(person))
    now = await matters.version(ticket)
    answers = await asyncio.gather(*(one.do(f"/work/{ticket.id}/sign", version=now) for one in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert [event.what for event in await matters.events(ticket)].count("signed_for") == 1


async def test_tabs_follow_a_matter_to_its_end(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    edu, desk = await _unit(sign_in), await sign_in()
    ticket = await matters.dispatch(await matters.open_matter(person))

    async def where() -> list[str]:
        tabs = ("sign", "doing", "soon", "replied", "closed", "seen")
        return [tab for tab in tabs if ticket.number in (await edu.see(f"/work?show={tab}")).text]

    assert await where() == ["sign"]
    await edu.do(f"/work/{ticket.id}/sign", version=await matters.version(ticket))
    assert await where() == ["doing"]
    clock.advance(ticket.due_at - timedelta(hours=2) - clock.now())
    edu, desk = await sign_in("edu2", "承办人", Role.DEPARTMENT, unit=EDU), await sign_in("zhiban2")
    assert await where() == ["doing", "soon"]
    await _send(edu, ticket.id, [], await matters.version(ticket))
    assert await where() == ["replied"]
    await desk.do(f"/tickets/{ticket.id}/conclude", version=await matters.version(ticket), words="办好了")
    assert await where() == ["closed"]


async def test_an_account_whose_unit_is_gone_sees_nothing(sign_in: SignIn, person: Person) -> None:
    edu = await _unit(sign_in)
    ticket = await matters.dispatch(await matters.open_matter(person))
    async with transaction() as session:
        from sms_gateway.operators import accounts

        (await accounts.get(session, "edu-530627")).unit = None
    assert ticket.number not in (await edu.see("/work")).text
    assert (await edu.see(f"/work/{ticket.id}")).status_code == 404
