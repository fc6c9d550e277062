"""公安调取: one enters the letter, another allows it, the file is made once, whole and original, locked, and its hash is kept."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from sms_gateway.clock import SHANGHAI, HeldClock
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.tickets import chain, moves, police
from sms_gateway.tickets.locked_file import COMMAND
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.police_models import PoliceRequest
from sms_gateway.tickets.record import record_event
from tests.telling import Person
from tests.tickets.test_attachments import PDF, png

from . import matters
from .conftest import Desk, SignIn
from .test_sealed import put

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
LETTER, UNIT, OFFICERS = "昭公（刑）调证字〔2026〕12号", "镇雄县公安局刑侦大队", "甲某 060001、乙某 060002"
SAID = "我是班主任王老师 昨天晚上我妈妈被人打"


@pytest.fixture(autouse=True)
def december(clock: HeldClock) -> None:
    clock.advance(datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI) - clock.now())


@pytest.fixture
async def ticket(person: Person) -> Ticket:
    return await matters.open_matter(person, SAID, kind="disclosure", lane="orange")


@pytest.fixture
async def lead(sign_in: SignIn) -> Desk:
    return await sign_in("banzhang", "杨丽萍", Role.SUPERVISOR)


@pytest.fixture
async def second(sign_in: SignIn) -> Desk:
    return await sign_in("fuzhang", "段班长", Role.SUPERVISOR)


def form(ticket: Ticket, **changed: str) -> dict[str, str]:
    return {
        "letter": LETTER, "unit": UNIT, "officers": OFFICERS, "scope": "ticket", "number": ticket.number, "since": "2026-11-01",
        "until": "2026-12-01", **changed,
    }  # fmt: skip


async def entered(lead: Desk, ticket: Ticket, **changed: str) -> str:
    answer = await lead.do("/police", **form(ticket, **changed))
    assert answer.status_code == 204, answer.text
    async with transaction() as session:
        newest = await session.scalar(select(PoliceRequest.id).order_by(PoliceRequest.id.desc()).limit(1))
    return f"/police/{newest}"


async def made(lead: Desk, second: Desk, at: str, folder: Path) -> tuple[zipfile.ZipFile, str]:
    """The opened ZIP, by the program and the command that the page names, and the page."""
    assert (await second.do(f"{at}/approve")).status_code == 204
    page = (await lead.do(f"{at}/make")).text
    (passphrase,) = re.findall(r"(?:[A-Z2-9]{5}-){5}[A-Z2-9]{5}", page)
    locked = await lead.see(f"/police/files/{at.rsplit('/', 1)[1]}")
    assert locked.status_code == 200 and hashlib.sha256(locked.content).hexdigest() in page
    (folder / "a.zip.enc").write_bytes(locked.content)
    command = [*COMMAND.format(name="a.zip").split(), "-pass", "stdin"]
    subprocess.run(command, cwd=folder, input=passphrase.encode(), check=True, capture_output=True)
    return zipfile.ZipFile(io.BytesIO((folder / "a.zip").read_bytes())), page


async def test_the_file_holds_the_original_words_the_record_and_all_files_with_their_hashes(
    lead: Desk, second: Desk, ticket: Ticket, tmp_path: Path
) -> None:
    await put(ticket, "情况说明.pdf", PDF)
    await put(ticket, "手臂的伤.png")
    at = await entered(lead, ticket)
    packed, _page = await made(lead, second, at, tmp_path)
    names = packed.namelist()
    for line in packed.read("SHA256SUMS.txt").decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(packed.read(name)).hexdigest() == digest
    assert len(packed.read("SHA256SUMS.txt").decode().splitlines()) == len(names) - 1
    talk = packed.read(f"对话/会话-{ticket.thread_id}.txt").decode()
    assert SAID in talk and "+8613800000001" in talk  # nothing is reworded for the police
    note = packed.read("说明.txt").decode()
    assert all(word in note for word in (LETTER, UNIT, OFFICERS, ticket.number, "01", "02"))
    assert packed.read(next(name for name in names if name.endswith("情况说明.pdf"))) == PDF
    assert packed.read(next(name for name in names if name.endswith("手臂的伤.png"))) == png()
    assert sum(name.startswith("封存文件/") for name in names) == 2
    record = json.loads(packed.read(f"工单/{ticket.number}-经过.json"))
    assert record["chain_before"] == chain.start(ticket.uid).hex()
    head = chain.start(ticket.uid)
    for event in record["events"]:
        head = chain.link(head, bytes.fromhex(event["content_hash"]))
        assert head.hex() == event["chain_hash"]
    assert record["events"] and json.loads(packed.read(f"工单/{ticket.number}.json"))["head"] == head.hex()


async def test_only_what_the_letter_asks_for_goes_out(
    sign_in: SignIn, person: Person, another: Person, ticket: Ticket, tmp_path: Path, clock: HeldClock
) -> None:
    clock.advance(timedelta(days=3))
    await person.hand_in("后来又写的话")
    other = await matters.open_matter(another, "别家的事")
    lead, second = await sign_in("a1", "甲", Role.SUPERVISOR), await sign_in("b1", "乙", Role.SUPERVISOR)
    at = await entered(lead, ticket)
    packed, _page = await made(lead, second, at, tmp_path)
    everything = b"".join(packed.read(name) for name in packed.namelist()).decode(errors="replace")
    assert SAID in everything and "后来又写的话" not in everything
    assert "别家的事" not in everything and other.number not in everything


async def _opened(
    lead: Desk, second: Desk, at: str, folder: Path, number: str
) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Names, the ticket and its events."""
    packed, _page = await made(lead, second, at, folder)
    record = (json.loads(packed.read(f"工单/{number}{part}.json")) for part in ("", "-经过"))
    return packed.namelist(), *record  # type: ignore[return-value]


async def test_of_a_ticket_too_only_what_lies_within_the_letters_days_goes_out(
    sign_in: SignIn, ticket: Ticket, tmp_path: Path, clock: HeldClock
) -> None:
    await put(ticket, "当天的.pdf", PDF)
    await put(ticket, "当天的伤.png")
    clock.advance(timedelta(days=3))
    async with transaction() as session:
        locked = await moves.lock(session, ticket.id)
        await record_event(session, locked, "noted", who="operator:1", why="三天后写的话")
    await put(ticket, "后来的.pdf", PDF)
    await put(ticket, "后来的伤.png")
    lead, second = await sign_in("a1", "甲", Role.SUPERVISOR), await sign_in("b1", "乙", Role.SUPERVISOR)
    early = await entered(lead, ticket)  # until 1 December
    names, told, record = await _opened(lead, second, early, tmp_path, ticket.number)
    assert sum("当天的" in name for name in names) == 2 and not any("后来的" in name for name in names)
    assert told["answers"] == matters.ANSWERS and told["complete"] is False and "status" not in told
    assert "三天后写的话" not in json.dumps(record, ensure_ascii=False) and record["events"][0]["seq"] == 1
    late = await entered(lead, ticket, since="2026-12-04", until="2026-12-04")
    names, told, record = await _opened(lead, second, late, tmp_path, ticket.number)
    assert sum("后来的" in name for name in names) == 2 and not any("当天的" in name for name in names)
    assert "answers" not in told and "三天后写的话" in json.dumps(record, ensure_ascii=False)
    head = bytes.fromhex(record["chain_before"])
    for event in record["events"]:
        head = chain.link(head, bytes.fromhex(event["content_hash"]))
        assert head.hex() == event["chain_hash"]


async def test_a_talk_goes_with_its_tickets(lead: Desk, second: Desk, ticket: Ticket, tmp_path: Path) -> None:
    at = await entered(lead, ticket, scope="talk", number=str(ticket.thread_id))
    packed, _page = await made(lead, second, at, tmp_path)
    assert f"工单/{ticket.number}.json" in packed.namelist()
    assert f"对话/会话-{ticket.thread_id}.json" in packed.namelist()


async def test_it_takes_two_and_the_file_is_made_once(lead: Desk, second: Desk, ticket: Ticket, tmp_path: Path) -> None:
    at = await entered(lead, ticket)
    assert (await lead.do(f"{at}/approve")).status_code == 409
    assert (await lead.do(f"{at}/make")).status_code == 409
    assert (await second.do(f"{at}/approve")).status_code == 204
    assert (await second.do(f"{at}/refuse")).status_code == 409
    assert (await second.do(f"{at}/make")).status_code == 409  # who allows it does not carry it away
    assert (await lead.do(f"{at}/make")).status_code == 200
    assert (await lead.do(f"{at}/make")).status_code == 409
    assert (await second.see(f"/police/files/{at.rsplit('/', 1)[1]}")).status_code == 404


async def test_what_is_refused_is_never_made(lead: Desk, second: Desk, ticket: Ticket) -> None:
    at = await entered(lead, ticket)
    assert (await second.do(f"{at}/refuse")).status_code == 204
    assert (await lead.do(f"{at}/make")).status_code == 409
    assert "没有批" in (await lead.see("/police")).text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"letter": ""}, 422), ({"unit": " "}, 422), ({"officers": "甲某 060001"}, 422), ({"since": "2026-12-02"}, 422), ({"until": "x"}, 422),
        ({"number": "99999999"}, 404), ({"scope": "talk", "number": "999"}, 404), ({"scope": "all"}, 404),
    ],
)  # fmt: skip
async def test_a_letter_that_is_not_whole_is_not_taken(
    lead: Desk, ticket: Ticket, changed: dict[str, str], status: int
) -> None:
    assert (await lead.do("/police", **form(ticket, **changed))).status_code == status


async def test_the_passphrase_is_nowhere_the_file_goes_and_the_hash_stays(
    lead: Desk, second: Desk, ticket: Ticket, tmp_path: Path, clock: HeldClock, sign_in: SignIn
) -> None:
    at = await entered(lead, ticket)
    _packed, page = await made(lead, second, at, tmp_path)
    (passphrase,) = re.findall(r"(?:[A-Z2-9]{5}-){5}[A-Z2-9]{5}", page)
    async with transaction() as session:
        rows = list(
            await session.scalars(select(AuditRow).where(AuditRow.what.like("%_police_file")).order_by(AuditRow.id))
        )
        raw = "\n".join(map(str, await session.scalars(text("SELECT t::text FROM police_requests t"))))
        digest = (await session.scalars(select(PoliceRequest.digest))).one()
    assert [row.what for row in rows] == [f"{act}_police_file" for act in ("ask", "approve", "make", "fetch")]
    assert all(row.subject == f"ticket:{ticket.id}" and passphrase not in (row.detail or "") for row in rows)
    assert digest and digest in (rows[2].detail or "") and LETTER in (rows[0].detail or "")
    assert passphrase not in raw and LETTER not in raw and OFFICERS not in raw and "镇雄县公安局" not in raw
    clock.advance(timedelta(hours=25))
    async with transaction() as session:
        with pytest.raises(police.FileIsGone):
            await police.fetch(session, int(at.rsplit("/", 1)[1]), operator_id=lead.operator.id)
    assert await police.forget_files() == 1 and await police.forget_files() == 0
    later = await sign_in("houlai", "后来的班长", Role.SUPERVISOR)
    listed = (await later.see("/police")).text
    assert digest in listed and LETTER in listed and passphrase not in listed


async def test_a_supervisor_who_knows_the_family_neither_enters_nor_allows_nor_sees_it(
    lead: Desk, second: Desk, ticket: Ticket
) -> None:
    at = await entered(lead, ticket)
    assert LETTER in (await second.see("/police")).text
    async with transaction() as session:
        await recusing.recuse(session, thread_id=ticket.thread_id, operator=second.operator)
    assert (await second.do(f"{at}/approve")).status_code == 403
    assert (await second.do("/police", **form(ticket))).status_code == 403
    assert LETTER not in (await second.see("/police")).text


async def test_a_region_hands_over_its_own_tickets_only(lead: Desk, ticket: Ticket, sign_in: SignIn) -> None:
    at = await entered(lead, ticket)
    here = await sign_in("zhaotong", "昭通班长", Role.SUPERVISOR, unit="12345@530600")
    away = await sign_in("dali", "大理班长", Role.SUPERVISOR, unit="12345@532900")
    assert LETTER in (await here.see("/police")).text and LETTER not in (await away.see("/police")).text
    assert (await away.do(f"{at}/approve")).status_code == 404
    assert (await away.do("/police", **form(ticket))).status_code == 404
    talk = form(ticket, scope="talk", number=str(ticket.thread_id))
    assert (await here.do("/police", **talk)).status_code == 422
    assert (await here.do(f"{at}/approve")).status_code == 204
