"""The make-believe CMPP gateway: strict where real ones are, faulty where it is told to be, and it remembers over its own end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from sms_gateway import clock
from sms_gateway.carriers.cmpp import ids
from sms_gateway.carriers.cmpp.answers import Accepted, Unknown
from sms_gateway.carriers.cmpp.pdus import Deliver
from sms_gateway.carriers.cmpp.session import Account, Session
from sms_gateway.carriers.cmpp.text import join, read_piece, split
from sms_gateway.settings import ROOT
from sms_gateway.simulator.cmpp.faults import WireFaults, fault_of, reference_of, validity_of
from sms_gateway.simulator.cmpp.gateway import Client, CmppGateway
from sms_gateway.simulator.faults import Faults
from sms_gateway.simulator.truth import Truth
from sms_gateway.supervision.places import free_ports
from tests.carriers.cmpp.lines import ACCESS, QUICK, SECRET, SOURCE, line, number, text_to, until


def stats(reports: list[Deliver]) -> list[str]:
    return [each.report.stat for each in reports if each.report is not None]


@pytest.mark.parametrize(
    ("texts", "stat"),
    [
        (Faults(), "DELIVRD"),
        (Faults(share_undelivered=1), "UNDELIV"),
        (Faults(share_blocked=1), "MK:0014"),
    ],
)
async def test_reports_say_how_a_text_ended(texts: Faults, stat: str) -> None:
    async with line(faults=WireFaults(texts=texts, blocked_stat="MK:0014")) as at:
        await at.session.submit(text_to(1))
        await at.gateway.settle()
        assert stats(at.reports) == [stat]


async def test_a_text_that_is_late_for_its_validity_expires() -> None:
    until_when = ids.absolute_time(clock.now() + timedelta(seconds=1))
    async with line(faults=WireFaults(texts=Faults(delay_seconds=60))) as at:
        await at.session.submit(text_to(1, valid_until=until_when))
        await at.gateway.settle()
        assert stats(at.reports) == ["EXPIRED"]


async def test_whoever_wants_no_report_gets_none() -> None:
    async with line() as at:
        await at.session.submit(text_to(1, registered_delivery=0))
        await at.gateway.settle()
        assert not at.reports and at.gateway.truth.report()["arrived"] == 1


async def test_a_report_may_come_before_its_answer() -> None:
    async with line(faults=WireFaults(answer_seconds=0.3)) as at:
        sending = asyncio.create_task(at.session.submit(text_to(1)))
        await until(lambda: bool(at.reports))
        assert not sending.done()
        answer = await sending
        assert isinstance(answer, Accepted) and at.reports[0].report is not None
        assert at.reports[0].report.msg_id == answer.msg_id


async def test_the_same_text_twice_to_a_phone_is_seen_whatever_its_parts_are_called() -> None:
    async with line() as at:
        for reference in (1, 2):
            for part in split("好" * 100, reference=reference):
                sent = replace(text_to(1), content=part.content, tp_udhi=1, pk_total=part.total, pk_number=part.number)
                await at.session.submit(sent)
        assert at.gateway.truth.report()["references_twice"] == 2
        await at.session.submit(text_to(2))
        assert at.gateway.truth.report()["references_twice"] == 2


async def test_a_long_text_from_a_phone_comes_in_the_order_that_is_wished_and_can_lack_a_part() -> None:
    body = "我在昭通，我爸打我。" * 12
    async with line() as at:
        assert await at.gateway.write(number(1), body, to=ACCESS + "01", order=[2, 1]) == [0, 0]
        pieces = [read_piece(each.content, msg_fmt=each.msg_fmt, tp_udhi=each.tp_udhi) for each in at.delivered]
        assert [piece.number for piece in pieces] == [2, 1]
        assert join(pieces) == body
        assert {each.dest_id for each in at.delivered} == {ACCESS + "01"}
        assert await at.gateway.write(number(1), body, to=ACCESS, order=[1]) == [0]


async def test_reports_wait_for_somebody_to_take_them() -> None:
    async with line() as at:
        at.gateway.faults = WireFaults(texts=Faults(receipt_delay_seconds=0.3))
        await at.session.submit(text_to(1))
        await at.gateway.go_down()
        await asyncio.sleep(0.5)
        assert not at.reports
        await at.gateway.start(at.port)
        await until(lambda: bool(at.reports))


async def test_nobody_gets_in_who_does_not_say_who_they_are() -> None:
    async with line() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(bytes.fromhex("0000000c0000000800000001"))  # ACTIVE_TEST before CONNECT
        assert await reader.read(100) == b""
        writer.close()


def test_a_strict_gateway_finds_what_is_wrong_with_a_text() -> None:
    def found(**other: object) -> int:
        return fault_of(replace(text_to(1), **other), source_addr=SOURCE, access_number="1069")  # type: ignore[arg-type]

    assert found() == 0
    assert found(msg_src="111111") == 11
    assert found(src_id="955") == found(src_id="1069" + "0" * 17) == 10
    assert found(content=bytes(141)) == found(content=bytes(160), msg_fmt=0) == 6
    assert found(content=bytes(159), msg_fmt=0) == 0
    assert found(pk_number=2) == found(pk_number=0) == 1
    assert found(destinations=("1", "2")) == found(destinations=("+8613800000001",)) == 13


def test_a_validity_is_china_s_time_and_others_are_not_read() -> None:
    now = clock.now()
    written = ids.absolute_time(now + timedelta(minutes=5))
    assert validity_of(text_to(1, valid_until=written), now) == pytest.approx(300, abs=1.5)
    assert validity_of(text_to(1, valid_until="000000010000000R"), now) is None
    assert validity_of(text_to(1), now) is None


def test_a_text_is_the_same_text_only_to_the_same_phone() -> None:
    assert reference_of(text_to(1), "1") == reference_of(text_to(1), "1") != reference_of(text_to(1), "2")


async def test_what_it_took_is_known_and_told_after_its_own_end(tmp_path: Path) -> None:
    file, delivered = tmp_path / "truth.sqlite3", []
    quiet = WireFaults(texts=Faults(receipt_delay_seconds=3600))
    async with line(faults=quiet) as at:
        at.gateway.truth.close()
        at.gateway.truth = at.gateway._bringer._truth = Truth(file)
        answer = await at.session.submit(text_to(1))
    late = Truth(file)
    late._db.execute("UPDATE texts SET due = 0")
    again = CmppGateway(Client(SOURCE, SECRET), truth=late)

    async def store(deliver: Deliver) -> None:
        delivered.append(deliver)

    session = Session(Account("127.0.0.1", await again.start(), SOURCE, SECRET), QUICK, on_deliver=store)
    await session.start()
    await again.settle()
    (told,) = delivered
    assert isinstance(answer, Accepted) and told.report is not None
    assert (told.report.msg_id, told.dest_id, told.service_id) == (answer.msg_id, ACCESS, "PUBSVC")
    await session.close(within=0.1)
    await again.close()


@asynccontextmanager
async def running(port: int, control: int, data_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    environment = {
        "HOTLINE_ENV_FILE": "/dev/null", "HOTLINE_CARRIER": "cmpp", "HOTLINE_CMPP_HOST": "127.0.0.1",
        "HOTLINE_CMPP_PORT": str(port), "HOTLINE_CMPP_SOURCE_ADDR": SOURCE, "HOTLINE_CMPP_SHARED_SECRET": SECRET,
        "HOTLINE_CMPP_SERVICE_ID": "PUBSVC", "HOTLINE_CMPP_SRC_ID": ACCESS, "HOTLINE_DATA_DIR": str(data_dir),
        "HOTLINE_SESSION_KEY": "session-key-of-the-tests", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = (
        sys.executable, "-m", "sms_gateway.cli", "cmpp-gateway", "--port", str(port), "--control", str(control)
    )  # fmt: skip
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=quiet, stderr=quiet, env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{control}", trust_env=False) as http:
            for _ in range(300):
                assert process.returncode is None
                try:
                    await http.get("/cmpp/faults")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            yield http
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_a_gateway_of_its_own_process_is_told_its_faults_and_killed_in_mid_window(tmp_path: Path) -> None:
    port, control = free_ports(2)
    delivered: list[Deliver] = []

    async def store(deliver: Deliver) -> None:
        delivered.append(deliver)

    session = Session(Account("127.0.0.1", port, SOURCE, SECRET), QUICK, on_deliver=store)
    async with running(port, control, tmp_path) as http:
        await session.start()
        assert await session.wait_until_up(within=10)
        wanted = {"texts": {"receipt_delay_seconds": 1.0}, "answer_seconds": 0.2}
        assert (await http.put("/cmpp/faults", json=wanted)).json()["answer_seconds"] == 0.2
        assert (await http.put("/cmpp/faults", json={"login_status": "x"})).status_code == 422
        assert (await http.post("/cmpp/texts", json=[{"number": number(1), "to": ACCESS, "body": "你好"}])).json() == [
            [0]
        ]
        sending = asyncio.create_task(session.submit_many([text_to(tail) for tail in range(60)]))
        await until(lambda: session.counts.submitted >= 28)
    async with running(port, control, tmp_path) as http:
        answers = await sending
        assert {type(answer) for answer in answers} == {Accepted, Unknown}
        assert answers.count(Unknown("link_broken")) <= 16
        for _ in range(100):
            known = (await http.get("/cmpp/truth")).json()
            if known["not_told"] == 0:
                break
            await asyncio.sleep(0.1)
        assert known["references_twice"] == 0 and known["numbers_twice"] == 0
        told = {each.report.dest_terminal_id for each in delivered if each.report is not None}
        assert len(told) == known["taken"] >= sum(isinstance(answer, Accepted) for answer in answers)
    await session.close(within=0.1)
