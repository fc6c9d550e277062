"""A text whose answer was lost: never sent again, settled by the one report that fits it, else it stays unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from sms_gateway import clock as clocks
from sms_gateway.broadcasts.models import BroadcastRecipient
from sms_gateway.carriers.carrier import Found
from sms_gateway.carriers.cmpp import ids
from sms_gateway.carriers.cmpp.carrier import CmppCarrier
from sms_gateway.carriers.cmpp.pdus import Deliver, Report
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.domestic import line as lines
from sms_gateway.domestic.line import Line
from sms_gateway.messages import tasks, unclaimed
from sms_gateway.messages.models import Message, UnclaimedReport
from sms_gateway.simulator.cmpp.gateway import CmppGateway
from sms_gateway.simulator.faults import Faults
from tests.broadcasts import making
from tests.domestic.conftest import PHONE, SRC_ID, message, queue, until

NUMBER = PHONE.removeprefix("+86")


async def lose(message_id: int) -> None:
    """The text was handed over just now, and nobody answered."""
    async with transaction() as session:
        lost = update(Message).where(Message.id == message_id)
        await session.execute(lost.values(state="unknown", sending_at=clocks.now(), carrier="cmpp", attempts=1))


def report(own: int, *, word: str = "DELIVRD", src_id: str = SRC_ID, number: str = NUMBER, minutes: int = 0) -> Deliver:
    """A report as the gateway brings it; `minutes` after now the gateway took the text."""
    minute = ids.report_time(clocks.now() + timedelta(minutes=minutes))
    told = Report(own.to_bytes(8, "big"), word, minute, minute, number)
    return Deliver(b"\1" * 8, src_id, number, b"", registered_delivery=1, report=told)


async def kept() -> int:
    async with transaction() as session:
        return await session.scalar(select(func.count()).select_from(UnclaimedReport)) or 0


async def test_a_text_whose_answer_was_lost_is_settled_by_the_report_that_fits_it(
    edge: CmppCarrier, gateway: CmppGateway, line: Line
) -> None:
    gateway.faults = replace(gateway.faults, drop_after=1)
    queued = await queue("你好")
    await tasks.send(queued)
    assert (await message(queued)).state == "unknown"
    gateway.faults = replace(gateway.faults, drop_after=0)

    async def arrived() -> bool:
        return (await message(queued)).state == "delivered"

    await until(arrived)  # the report comes by the next connection
    await tasks.settle(queued)
    await tasks.send(queued)
    assert len(gateway.submits) == 1 and await kept() == 0


async def test_a_slow_answer_does_not_hold_up_whoever_hands_texts_over_and_counts_when_it_comes(
    edge: CmppCarrier, gateway: CmppGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "URGENT_ANSWER", 0.2)
    slow = Faults(receipt_delay_seconds=2.0)
    gateway.faults = replace(gateway.faults, answer_seconds=0.8, texts=slow)
    queued = await queue("你好")
    await tasks.send(queued)
    assert (await message(queued)).state == "unknown"

    async def sent() -> bool:
        return (await message(queued)).state == "sent"

    await until(sent)
    await gateway.settle()
    assert (await message(queued)).state == "delivered" and len(gateway.submits) == 1


async def test_of_two_texts_that_fit_neither_is_settled(line: Line, clock: HeldClock) -> None:
    first, second = await queue("你好"), await queue("在吗")
    for one in (first, second):
        await lose(one)
    await line.reports.put(report(1))
    await line.reports.put(report(2, word="UNDELIV"))
    assert [(await message(one)).state for one in (first, second)] == ["unknown", "unknown"]
    assert await kept() == 2
    assert await tasks.settle(first) is None and (await message(first)).state == "unknown"


@pytest.mark.parametrize(
    "other",
    [{"number": "13800000002"}, {"src_id": SRC_ID + "0007"}, {"minutes": 5}, {"minutes": -5}],
)
async def test_a_report_that_does_not_fit_settles_nothing(line: Line, clock: HeldClock, other: dict[str, str]) -> None:
    queued = await queue("你好")
    await lose(queued)
    await line.reports.put(report(1, **other))  # type: ignore[arg-type]
    assert (await message(queued)).state == "unknown"
    await line.reports.put(report(2, number="86" + NUMBER, word="UNDELIV"))
    assert (await message(queued)).state == "undelivered"


async def test_a_report_waits_while_an_answer_may_still_come(line: Line, clock: HeldClock) -> None:
    queued = await queue("你好")
    async with transaction() as session:
        await session.execute(update(Message).values(state="sending", sending_at=clocks.now(), carrier="cmpp"))
    await line.reports.put(report(1))
    assert (await message(queued)).state == "sending"
    await lose(queued)
    await line.reports.sweep()
    assert (await message(queued)).state == "delivered" and await kept() == 0


async def test_a_part_of_a_long_text_only_proves_that_it_left(line: Line, clock: HeldClock) -> None:
    queued = await queue("先离开那里。" * 20)
    await lose(queued)
    await line.reports.put(report(1))
    assert (await message(queued)).state == "sent"


async def test_a_number_of_a_broadcast_is_settled_by_the_number_it_left_from(line: Line, clock: HeldClock) -> None:
    made = [await making.make_broadcast(started_at=clocks.now()) for _ in range(2)]
    for one in made:
        await making.make_ledger(one, 3, state="unknown")
    async with transaction() as session:
        lost = update(BroadcastRecipient).values(carrier="cmpp", claimed_at=clocks.now())
        await session.execute(lost)
    number = making.phone(2).removeprefix("+86")
    await line.reports.put(report(1, number=number))  # our bare number says nothing: two may be meant
    assert [(await making.states(one))[2] for one in made] == ["unknown", "unknown"]
    await line.reports.put(report(2, number=number, src_id=f"{SRC_ID}{made[1]:04d}"))
    assert [(await making.states(one))[2] for one in made] == ["unknown", "delivered"]
    await line.reports.sweep()  # what is left fits the other now
    assert [(await making.states(one))[2] for one in made] == ["delivered", "delivered"]
    for one in made:
        assert await making.tallies(one) == await making.counted(one)


async def test_reports_nobody_claims_are_forgotten_after_days(line: Line, clock: HeldClock) -> None:
    await line.reports.put(report(1))
    clock.advance(unclaimed.KEPT - timedelta(hours=1))
    await line.reports.sweep()
    assert await kept() == 1
    clock.advance(timedelta(hours=2))
    await line.reports.sweep()
    assert await kept() == 0


async def test_a_report_that_cannot_be_read_stops_nothing(line: Line, clock: HeldClock) -> None:
    await line.reports.put(Deliver(b"\1" * 8, SRC_ID, NUMBER, b"?", registered_delivery=1))
    odd = Report(b"\2" * 8, "", "99", "", "")
    await line.reports.put(Deliver(b"\1" * 8, "", "", b"", registered_delivery=1, report=odd))
    assert await kept() == 1


async def test_after_a_restart_reports_still_find_their_texts(
    edge: CmppCarrier, gateway: CmppGateway, line: Line
) -> None:
    gateway.faults = replace(gateway.faults, texts=replace(gateway.faults.texts, receipt_delay_seconds=1.0))
    queued = [await queue("你好"), await queue("先离开那里。" * 20)]
    for one in queued:
        await tasks.send(one)
    line.memory._known.clear()
    line.memory._answered.clear()
    await gateway.settle()
    assert [(await message(one)).state for one in queued] == ["delivered", "delivered"]
    assert (await edge.find(to=PHONE, body="", reference=queued[0], since=clocks.now()))[0] is Found.CANNOT_SAY
