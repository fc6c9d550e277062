"""Receipts that come one by one: written down together, answered only once they are safe."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from sms_gateway.broadcasts import receipt_batches
from sms_gateway.broadcasts.receipt_batches import ReceiptCannotBeKept, TooManyReceipts
from sms_gateway.broadcasts.receipts import Applied, Told
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.errors import DatabaseIsAway

from . import making


@pytest.fixture
async def broadcast_id(database: str) -> int:
    made = await making.make_broadcast()
    await making.make_ledger(made, 600)
    return made


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many receipts each transaction had."""
    sizes: list[int] = []
    real = receipt_batches._apply

    async def counting(told: list[Told]) -> Applied:
        sizes.append(len(told))
        return await real(told)

    monkeypatch.setattr(receipt_batches, "_apply", counting)
    return sizes


def told(broadcast_id: int, number: int, state: str = "delivered", error: str | None = None) -> Told:
    return Told("simulator", f"SIM{number}", state, error, reference_of(broadcast_id, number))


async def test_those_who_come_together_are_committed_together(broadcast_id: int, batches: list[int]) -> None:
    collector = receipt_batches.collector()
    await asyncio.gather(*(collector.put(told(broadcast_id, n)) for n in range(1, 601)))
    assert batches[0] == 500  # whoever came while the writer was starting
    assert sum(batches) == 600
    assert len(batches) <= 3
    assert set((await making.states(broadcast_id)).values()) == {"delivered"}
    assert await making.tallies(broadcast_id) == await making.counted(broadcast_id)


async def test_who_waits_is_answered_after_the_commit(broadcast_id: int) -> None:
    collector = receipt_batches.collector()
    await collector.put(told(broadcast_id, 1))
    assert (await making.recipient(broadcast_id, 1)).state == "delivered"
    await collector.put()  # nothing to say is said


async def test_one_receipt_nobody_can_keep_does_not_spoil_the_others(broadcast_id: int) -> None:
    collector = receipt_batches.collector()
    wrong = told(broadcast_id, 2, "undelivered", "\0")
    bulk = (told(broadcast_id, 3), wrong, told(broadcast_id, 4))
    found = await asyncio.gather(
        collector.put(told(broadcast_id, 1)), collector.put(wrong), collector.put(*bulk), return_exceptions=True
    )
    assert [type(each) for each in found] == [type(None), ReceiptCannotBeKept, type(None)]
    states = await making.states(broadcast_id)
    assert [states[n] for n in range(1, 5)] == ["delivered", "created", "delivered", "delivered"]


async def test_while_the_database_is_away_everybody_is_asked_to_come_again(
    broadcast_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> Applied:
        raise OperationalError("", {}, Exception())

    collector = receipt_batches.collector()
    with monkeypatch.context() as gone:
        gone.setattr(receipt_batches, "_apply", away)
        puts = (collector.put(told(broadcast_id, n)) for n in (1, 2, 3))
        found = await asyncio.gather(*puts, return_exceptions=True)
        assert [type(each) for each in found] == [DatabaseIsAway] * 3
        assert DatabaseIsAway.status_code == TooManyReceipts.status_code == 503
    await collector.put(told(broadcast_id, 1))
    assert (await making.states(broadcast_id))[1] == "delivered"


async def test_more_than_it_holds_is_refused_at_once(broadcast_id: int) -> None:
    collector = receipt_batches.collector(most_waiting=10)
    puts = (collector.put(told(broadcast_id, n)) for n in range(1, 31))
    found = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(each) for each in found] == [type(None)] * 10 + [TooManyReceipts] * 20
    await collector.put(told(broadcast_id, 11))


async def test_who_hung_up_holds_nobody_up(broadcast_id: int) -> None:
    collector = receipt_batches.collector()
    gone = asyncio.create_task(collector.put(told(broadcast_id, 1)))
    stays = asyncio.create_task(collector.put(told(broadcast_id, 2)))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert (await making.states(broadcast_id))[1] == "delivered"


async def test_on_closing_what_waits_is_written_and_nothing_is_left_running(broadcast_id: int) -> None:
    before = asyncio.all_tasks()
    collector = receipt_batches.collector()
    puts = [asyncio.create_task(collector.put(told(broadcast_id, n))) for n in (1, 2)]
    await asyncio.sleep(0)
    await collector.aclose()
    await asyncio.gather(*puts)
    with pytest.raises(TooManyReceipts):
        await collector.put(told(broadcast_id, 3))
    assert asyncio.all_tasks() - before == set()


async def test_a_writer_that_hangs_is_given_up_on_closing(broadcast_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_: object) -> Applied:
        await asyncio.sleep(60)
        return Applied()

    monkeypatch.setattr(receipt_batches, "_apply", hangs)
    monkeypatch.setattr(receipt_batches, "CLOSE_SECONDS", 0.05)
    collector = receipt_batches.collector()
    first = asyncio.create_task(collector.put(told(broadcast_id, 1)))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(collector.put(told(broadcast_id, 2)))
    await asyncio.sleep(0)
    await collector.aclose()
    found = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(each) for each in found] == [DatabaseIsAway] * 2


async def test_no_task_is_left_when_nobody_waits(broadcast_id: int) -> None:
    before = asyncio.all_tasks()
    collector = receipt_batches.collector(gather_seconds=0.01)
    await collector.put(told(broadcast_id, 1))
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() - before == set()
