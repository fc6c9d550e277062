"""Texts from phones and reports: stored before they are answered, however they lie in their frames."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from sms_gateway.carriers.cmpp.answers import Accepted
from sms_gateway.carriers.cmpp.pdus import Deliver
from sms_gateway.simulator.cmpp.faults import Shape, WireFaults
from sms_gateway.simulator.faults import Faults
from tests.carriers.cmpp.lines import ACCESS, line, number, text_to


async def test_frames_that_come_byte_by_byte_are_understood() -> None:
    async with line(faults=WireFaults(byte_by_byte=True)) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(20)])
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert await at.gateway.write(number(1), "好" * 100, to=ACCESS) == [0, 0]
        await at.gateway.settle()
        assert len(at.reports) == 20


@pytest.mark.parametrize("shape", ["narrow", "wrong_length", "cut_link"])
async def test_reports_in_a_vendor_s_shape_say_the_same(shape: Shape) -> None:
    async with line(faults=WireFaults(report_shape=shape, number_prefix="86")) as at:
        answer = await at.session.submit(text_to(1))
        await at.gateway.settle()
        (told,) = at.reports
        assert told.report is not None and isinstance(answer, Accepted)
        assert (told.report.msg_id, told.report.dest_terminal_id) == (answer.msg_id, "86" + number(1))


async def test_a_text_from_a_phone_is_answered_only_when_it_is_stored() -> None:
    stored = asyncio.Event()
    async with line() as at:

        async def store(_: Deliver) -> None:
            await stored.wait()

        at.session._sender.store = store
        writing = asyncio.create_task(at.gateway.write(number(1), "救我", to=ACCESS))
        await asyncio.sleep(0.2)
        assert not writing.done()
        stored.set()
        assert await writing == [0]


async def test_a_text_that_could_not_be_stored_is_not_answered_and_comes_again() -> None:
    tries = Counter[bytes]()

    def store(deliver: Deliver) -> None:
        tries[deliver.msg_id] += 1
        if tries[deliver.msg_id] < 3:
            raise OSError("the disk")

    async with line(on_deliver=store, resend_seconds=0.1) as at:
        assert await at.gateway.write(number(1), "救我", to=ACCESS) == [0]
        assert list(tries.values()) == [3]
        assert at.session.counts.deliver_failed == 2 and "cmpp_deliver_not_stored" in at.said


async def test_a_report_that_comes_twice_is_handed_on_twice_and_answered_twice() -> None:
    async with line(faults=WireFaults(texts=Faults(share_duplicated=1))) as at:
        await at.session.submit(text_to(1))
        await at.gateway.settle()
        assert len(at.reports) == 2 and at.gateway.counts["report_result_0"] == 2
