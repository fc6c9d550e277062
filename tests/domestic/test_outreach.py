"""A broadcast through a line: everybody once, whatever the connections do, and replies that find their broadcast."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import replies
from sms_gateway.broadcasts.models import BroadcastUnknown, CarrierReference
from sms_gateway.broadcasts.sending import Sender
from sms_gateway.carriers.cmpp.carrier import CmppCarrier
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.domestic.line import Line
from sms_gateway.simulator.cmpp.gateway import CmppGateway
from sms_gateway.simulator.faults import Faults
from tests.broadcasts import making
from tests.domestic.conftest import SRC_ID, texts_in, until

NOON = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
MANY = 600


@pytest.fixture
async def broadcast_id(edge: CmppCarrier, clock: HeldClock) -> int:
    clock.advance(NOON - clocks.now())
    made = await making.make_broadcast(started_at=clocks.now(), carrier_segments=5000.0)
    await making.make_ledger(made, MANY)
    await making.make_operator()
    return made


async def send_all(broadcast_id: int, line: Line) -> None:
    """One worker, until nothing is left to be handed over."""
    sender = Sender()
    working = asyncio.create_task(sender.run())

    async def handed_over() -> bool:
        return not {"created", "claimed"} & set((await making.states(broadcast_id)).values())

    try:
        await until(handed_over, within=60)
    finally:
        sender.stop.set()
        await working


async def test_everybody_gets_it_once_and_every_report_is_counted(
    broadcast_id: int, gateway: CmppGateway, line: Line
) -> None:
    gateway.faults = replace(
        gateway.faults, texts=Faults(share_undelivered=0.1, share_duplicated=0.1, receipt_delay_most=0.3)
    )
    await send_all(broadcast_id, line)
    await gateway.settle()
    truth = gateway.truth.report()
    assert (truth["taken"], truth["numbers_twice"]) == (MANY, 0)
    found = await making.tallies(broadcast_id)
    assert found == await making.counted(broadcast_id)
    assert found[making.REGION, "delivered"] == truth["arrived"] and sum(found.values()) == MANY
    assert {one.src_id for one in gateway.submits} == {f"{SRC_ID}{broadcast_id:04d}"}
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(CarrierReference)) == MANY


async def test_connections_that_break_in_mid_window_text_nobody_twice_and_reports_settle_the_rest(
    broadcast_id: int, gateway: CmppGateway, line: Line, clock: HeldClock
) -> None:
    gateway.faults = replace(gateway.faults, drop_after=90, texts=Faults(receipt_delay_most=0.2), answers_shuffled=True)
    await send_all(broadcast_id, line)
    assert "unknown" in (await making.states(broadcast_id)).values()
    gateway.faults = replace(gateway.faults, drop_after=0)
    await gateway.settle()
    await line.reports.sweep()
    truth, ended = gateway.truth.report(), list((await making.states(broadcast_id)).values())
    assert (truth["numbers_twice"], truth["arrived"]) == (
        0,
        ended.count("delivered"),
    )  # each lost one has a report that fits
    assert ended.count("delivered") + ended.count("unknown") == MANY  # written to a wire that broke, read by nobody
    assert ended.count("unknown") < MANY / 4
    assert await making.tallies(broadcast_id) == await making.counted(broadcast_id)
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(BroadcastUnknown)) == ended.count("unknown")


async def test_a_gateway_that_asks_to_slow_down_costs_time_and_no_text(
    broadcast_id: int, gateway: CmppGateway, line: Line
) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(rate=300))
    await send_all(broadcast_id, line)
    await gateway.settle()
    assert gateway.truth.report()["taken"] == MANY and line.standing().throttled > 0
    assert set((await making.states(broadcast_id)).values()) == {"delivered"}


async def test_a_talks_text_goes_before_a_broadcasts(
    broadcast_id: int, gateway: CmppGateway, line: Line, edge: CmppCarrier
) -> None:
    gateway.faults = replace(gateway.faults, answer_seconds=0.2)  # a window of 16 lets 80 through a second
    working = asyncio.create_task(send_all(broadcast_id, line))

    async def busy() -> bool:
        return line.standing().waiting > 20

    await until(busy)
    began = asyncio.get_running_loop().time()
    await edge.send(to="+8613900000001", body="我们在。", reference=1)
    took = asyncio.get_running_loop().time() - began
    assert took < 0.6
    await working


async def test_a_reply_finds_its_broadcast_by_the_number_it_was_sent_to(
    broadcast_id: int, gateway: CmppGateway, line: Line, clock: HeldClock
) -> None:
    later = await making.make_broadcast(started_at=clocks.now(), carrier_segments=5000.0)
    await making.make_ledger(later, 3)
    for one in (broadcast_id, later):
        await making.set_rows(one, {2: "sent"})
    async with transaction() as session:
        from sqlalchemy import update

        from sms_gateway.broadcasts.models import BroadcastRecipient

        await session.execute(
            update(BroadcastRecipient).where(BroadcastRecipient.number == 2).values(claimed_at=clocks.now())
        )
    number = making.phone(2).removeprefix("+86")
    for own in random.sample([broadcast_id, later], 2):
        await gateway.write(number, f"回复{own}", to=f"{SRC_ID}{own:04d}")
    for message in await texts_in():
        async with transaction() as session:
            contact = await session.get_one(Contact, message.contact_id)
            reached = await replies.find_recent(session, contact, at=message.at, extension=message.extension)
            without = await replies.find_recent(session, contact, at=message.at)
        assert reached is not None and message.body == f"回复{reached.broadcast_id}"
        assert without is not None  # by a carrier that tells no extension, too
