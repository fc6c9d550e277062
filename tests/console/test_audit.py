"""留痕: who read what and why, for supervisors only; and the year as a file that can be checked without us."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from sms_gateway import clock as clocks
from sms_gateway.clock import SHANGHAI, HeldClock
from sms_gateway.commands import audit as command
from sms_gateway.database import dispose, transaction
from sms_gateway.operators import audit_anchors
from sms_gateway.operators.models import AuditRow, Operator, Recusal, Role
from sms_gateway.operators.presence import note
from sms_gateway.tickets import accused, actors, children
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.children import ChildFacts
from tests.telling import Person

from . import matters
from .conftest import Desk, SignIn


@pytest.fixture(autouse=True)
def december(clock: HeldClock) -> None:
    clock.advance(datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI) - clock.now())


async def write(operator_id: int | None, what: str, subject: str, detail: str | None = None, **more: str) -> None:
    async with transaction() as session:
        await note(session, operator_id=operator_id, what=what, subject=subject, detail=detail, **more)


async def rows_of(operator_id: int) -> list[AuditRow]:
    async with transaction() as session:
        return list(await session.scalars(select(AuditRow).where(AuditRow.operator_id == operator_id)))


async def lead_of(sign_in: SignIn, login: str = "banzhang", unit: str | None = None) -> Desk:
    return await sign_in(login, "班长", Role.SUPERVISOR, unit=unit)


async def test_it_says_in_words_who_read_what_and_why_without_personal_values(sign_in: SignIn, person: Person) -> None:
    ticket = await matters.open_matter(person)
    yan, lead = await sign_in("yan", "普艳"), await lead_of(sign_in)
    await yan.see(f"/tickets/{ticket.id}")
    why = "家长张翠花打13800000001来问，核对前情"
    await write(yan.operator.id, "open_history", "thread:1", why)
    await write(None, "api_open_ticket", f"ticket:{ticket.id}", stream="key:3")
    await write(None, "end_api_key", "key:3", "系统账号 root", stream="terminal")
    page = (await lead.see("/audit")).text
    for said in (
        f"工单 {ticket.number}",
        "打开工单",
        "普艳",
        "部门系统 3",
        "命令行",
        "停用接口密钥",
        "系统账号 root",
        "核对前情",
    ):
        assert said in page, said
    assert "13800000001" not in page and "张翠花" not in page
    assert "open_ticket</td>" not in page and "ticket:" not in page


async def test_reading_the_audit_is_itself_kept_with_what_was_asked_for(sign_in: SignIn) -> None:
    lead = await lead_of(sign_in)
    await lead.see(f"/audit?by={lead.operator.id}&what=sign_in&since=2026-11-30")
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "open_audit"))
    assert row.operator_id == lead.operator.id
    assert row.detail == f"谁：{lead.operator.id}，做了什么：登录，从 2026-11-30"
    assert "看审计" in (await lead.see("/audit")).text


async def test_it_is_found_by_person_act_subject_and_day(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    ticket = await matters.open_matter(person)
    yan = await sign_in("yan", "普艳")
    await write(yan.operator.id, "open_file", f"ticket:{ticket.id}", "第一天看的文件")
    clock.advance(timedelta(days=1))
    lead = await lead_of(sign_in)
    await write(lead.operator.id, "open_file", f"ticket:{ticket.id}", "第二天看的文件")
    await write(lead.operator.id, "review", "thread:1", "复看会话")
    await write(None, "api_open_file", f"ticket:{ticket.id}", "系统看的文件", stream="key:3")

    async def shown(query: str) -> set[str]:
        page = (await lead.see(f"/audit?{query}")).text
        words = ("第一天看的文件", "第二天看的文件", "复看会话", "系统看的文件")
        return {word for word in words if f"{word}</td>" in page}

    assert await shown(f"by={yan.operator.id}") == {"第一天看的文件"}
    assert await shown("by=key") == {"系统看的文件"}
    assert await shown("what=review") == {"复看会话"}
    assert await shown(f"kind=ticket&number={ticket.number}") == {"第一天看的文件", "第二天看的文件", "系统看的文件"}
    assert await shown("since=2026-12-02&what=open_file") == {"第二天看的文件"}
    assert await shown("until=2026-12-01&what=open_file") == {"第一天看的文件"}
    assert "看不懂" in (await lead.see("/audit?since=gestern&by=x&what=x&kind=x&number=1")).text


async def test_it_is_paged_and_no_row_is_shown_twice_or_lost(sign_in: SignIn) -> None:
    lead = await lead_of(sign_in)
    for number in range(1, 121):
        await write(None, "ticket_anchor", f"thread:{number}")
    seen, address = list[str](), "/audit?what=ticket_anchor"
    for _ in range(4):
        page = (await lead.see(address)).text
        seen += [line.split('"')[0] for line in page.split('href="/talks/')[1:]]
        if 'rel="next"' not in page:
            break
        address = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert sorted(map(int, seen)) == list(range(1, 121))


async def test_a_supervisor_sees_nothing_of_a_family_they_know_nor_of_other_regions_people(
    sign_in: SignIn, person: Person
) -> None:
    ticket = await matters.open_matter(person)
    yan = await sign_in("yan", "普艳")
    await write(yan.operator.id, "open_ticket", f"ticket:{ticket.id}", "普艳看的理由")
    lead, county = await lead_of(sign_in), await lead_of(sign_in, "zhaotong", "12345@530600")
    assert "普艳看的理由" in (await lead.see("/audit")).text
    assert "普艳看的理由" not in (await county.see("/audit")).text
    assert "打开工单" in (await lead.see("/team")).text and "打开工单" not in (await county.see("/team")).text
    assert "open_audit" in {row.what for row in await rows_of(county.operator.id)}
    assert "打开工单" in (await lead.see("/audit?what=open_ticket")).text
    async with transaction() as session:
        session.add(Recusal(operator_id=lead.operator.id, contact_id=ticket.contact_id, at=clocks.now()))
    assert "普艳看的理由" not in (await lead.see("/audit")).text
    for desk in (lead, county):
        answer = await desk.do("/audit/export", year="2026", reason="年度合规审计")
        assert answer.status_code == 403 and "请另一位值班长" in answer.text


# --- a year


async def _exported(lead: Desk) -> zipfile.ZipFile:
    answer = await lead.do("/audit/export", year="2026", reason="年度合规审计")
    assert answer.status_code == 200 and answer.headers["x-sha256"] == hashlib.sha256(answer.content).hexdigest()
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def test_a_year_can_be_checked_with_nothing_but_sha_256(sign_in: SignIn, clock: HeldClock) -> None:
    await write(7, "export", "export:csv", '=HYPERLINK("http://evil.example") 13800000001 要看')
    clock.advance(timedelta(days=2))
    await write(None, "ticket_anchor", "x")
    await audit_anchors.sweep()
    lead = await lead_of(sign_in)
    packed = await _exported(lead)
    for line in packed.read("SHA256SUMS.txt").decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(packed.read(name)).hexdigest() == digest
    rows = list(csv.DictReader(io.StringIO(packed.read("留痕-2026.csv").decode("utf-8-sig"))))
    heads: dict[str, bytes] = {}
    for row in rows:
        content = {
            "at": row["时间（UTC）"], "detail": row["有没有理由"] == "true", "operator": int(row["账号编号"]) if row["账号编号"] else None,
            "seq": int(row["链内第几条"]), "stream": row["链"], "subject": row["对象代码"], "uid": row["uid"], "what": row["动作代码"],
        }  # fmt: skip
        written = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
        assert hashlib.sha256(written).hexdigest() == row["内容哈希"]
        before = heads.get(row["链"], hashlib.sha256(f"audit:{row['链']}".encode()).digest())
        heads[row["链"]] = hashlib.sha256(before + bytes.fromhex(row["内容哈希"])).digest()
        assert heads[row["链"]].hex() == row["链哈希"]
    assert len(rows) >= 4
    anchors = list(csv.DictReader(io.StringIO(packed.read("存证-2026.csv").decode("utf-8-sig"))))
    assert [one["日期"] for one in anchors] == ["2026-12-01", "2026-12-02"]
    assert anchors[-1]["root"] in packed.read("说明.txt").decode("utf-8-sig")


async def test_a_year_holds_no_formula_and_no_personal_value(sign_in: SignIn) -> None:
    lead = await lead_of(sign_in)
    await write(lead.operator.id, "export", "export:csv", "=1+1 班主任王小明13800000001要看")
    packed = await _exported(lead)
    text = packed.read("留痕-2026.csv").decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(packed.read("留痕-2026.xlsx")))
    cells = [str(cell.value) for row in book["2026"].iter_rows() for cell in row if cell.value is not None]
    for value in (text, "\n".join(cells)):
        assert "13800000001" not in value and "班长" not in value and "王小明" not in value
    assert all(cell.data_type != "f" for row in book["2026"].iter_rows() for cell in row)
    reasons = [row["理由（号码已遮住，姓名尽量遮住）"] for row in csv.DictReader(io.StringIO(text))]
    assert not any(reason.startswith(("=", "+", "-", "@")) for reason in reasons)


async def test_names_of_the_record_are_masked_wherever_they_stand_in_a_reason(sign_in: SignIn, person: Person) -> None:
    """Nothing around them says that they are names: the ticket's own record does."""
    ticket, lead = await matters.open_matter(person), await lead_of(sign_in)
    async with transaction() as session:
        by = actors.operator(lead.operator.id)
        for name in ("阿依朵", "朵"):  # a name of one sign would hide every word with it
            facts = ChildFacts("530627", 9, "f", {"name": name})
            await children.add(session, ticket_id=ticket.id, version=None, facts=facts, actor=by)
        facts_of = AccusedFacts("teacher", about={"name": "段世昌"})
        await accused.add(session, ticket_id=ticket.id, version=None, facts=facts_of, actor=by)
    await write(lead.operator.id, "open_ticket", f"ticket:{ticket.id}", "看看阿依朵的花朵和段世昌")
    await write(lead.operator.id, "open_history", f"thread:{ticket.thread_id}", "再看看阿依朵和段世昌")
    page = (await lead.see("/audit")).text
    file = (await _exported(lead)).read("留痕-2026.csv").decode("utf-8-sig")
    for shown in (page, file):
        assert "阿依朵" not in shown and "段世昌" not in shown
        assert "看看阿＊＊的花朵和段＊＊" in shown and "再看看阿＊＊和段＊＊" in shown


async def test_exporting_wants_a_reason_and_is_kept_with_the_files_hash(sign_in: SignIn, tmp_path: Path) -> None:
    lead = await lead_of(sign_in)
    assert (await lead.do("/audit/export", year="2026", reason=" ")).status_code == 422
    assert (await lead.do("/audit/export", year="2027", reason="年度合规审计")).status_code == 422
    answer = await lead.do("/audit/export", year="2026", reason="年度合规审计")
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "export_audit"))
    assert row.subject == "audit:2026"
    assert row.detail == f"年度合规审计，文件 SHA-256 {hashlib.sha256(answer.content).hexdigest()}"
    assert not list(tmp_path.glob("audit-*"))  # nothing stays on disk


async def test_the_terminal_exports_a_year_too(
    sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lead_of(sign_in)
    monkeypatch.setattr(command, "adopt", lambda _: None)
    await dispose()
    words = ["export", "2026", "--out", str(tmp_path / "2026.zip")]
    done = await asyncio.to_thread(CliRunner().invoke, command.app, words)
    assert done.exit_code == 0, done.output
    digest = hashlib.sha256((tmp_path / "2026.zip").read_bytes()).hexdigest()
    assert digest in done.output
    again = await asyncio.to_thread(CliRunner().invoke, command.app, words)
    assert again.exit_code == 1 and "已经有" in again.output
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "export_audit"))
        assert row.stream == "terminal" and digest in (row.detail or "")
        assert await session.scalar(select(Operator.id)) is not None
