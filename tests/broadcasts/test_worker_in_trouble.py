"""A worker that errs: what it has in hand is neither kept from the others nor lost, and nobody gets a second text."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import acts, handing, leases, ledger, taking, unknowns
from sms_gateway.broadcasts.hands import Hands
from sms_gateway.broadcasts.models import BroadcastChunk, BroadcastRecipient
from sms_gateway.broadcasts.sending import Sender
from sms_gateway.carriers import registry
from sms_gateway.carriers.carrier import SendError
from sms_gateway.carriers.twilio import refusal
from sms_gateway.database import transaction
from tests.broadcasts import making
from tests.broadcasts.test_governing import row
from tests.broadcasts.test_sending import Remembering, remembering, send_all, somebody_on_duty, status_of

__all__ = ["remembering"]


async def test_numbers_a_worker_took_without_hearing_of_it_are_not_kept_from_the_others(
    remembering: Remembering,
) -> None:
    one = await making.make_broadcast()
    await making.make_ledger(one, 5)
    sender = Sender()
    async with transaction() as session:  # committed, but the answer to the commit never came
        found = await acts.get(session, one)
        await taking.take(session, found, worker=sender.name, carrier="simulator", at_most=5)
    async with transaction() as session:
        await session.execute(update(BroadcastChunk).values(beat_at=ledger.NOW - timedelta(seconds=31)))
    await sender._beat()
    async with transaction() as session:
        assert await ledger.recover(session, dead_after=timedelta(seconds=30), look_up_after=timedelta()) == 1
    assert set((await making.states(one)).values()) == {"unknown"}


async def test_what_goes_wrong_with_one_text_is_no_matter_of_the_others(remembering: Remembering) -> None:
    await somebody_on_duty()

    def broken_for_one(to: str) -> SendError | None:
        if to == making.phone(3):
            raise TypeError("a library's own fault")
        return None

    remembering.answers = broken_for_one
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 6)
    handing._opened.clear()
    async with transaction() as session:  # a row that does not open with any key
        await session.execute(
            update(BroadcastRecipient).where(BroadcastRecipient.number == 5).values(address_sealed=b"\0\1" + b"x" * 40)
        )
    sender = Sender()
    task = asyncio.create_task(sender.run())
    wanted = {1: "sent", 2: "sent", 3: "unknown", 4: "sent", 5: "failed", 6: "sent"}
    try:
        async with asyncio.timeout(15):
            while await making.states(one) != wanted:
                await making.govern()
                await asyncio.sleep(0.05)
    finally:
        sender.stop.set()
        await task
    assert (await making.recipient(one, 5)).error == "unreadable"


async def test_a_worker_with_a_key_of_its_own_fails_nobodys_number(remembering: Remembering) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 4)
    handing._opened.clear()
    async with transaction() as session:  # as a machine sees them that was set up with a key of its own
        await session.execute(update(BroadcastRecipient).values(address_sealed=b"\0\1" + b"x" * 40))
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.0)
    assert set((await making.states(one)).values()) == {"created"}
    assert await status_of(one) == "running"


async def test_a_machine_without_the_carriers_keys_takes_nothing(
    remembering: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 4)
    monkeypatch.setattr(registry, "choose", lambda: "twilio")
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.0)
    assert set((await making.states(one)).values()) == {"created"}


async def test_a_carrier_that_refuses_our_account_costs_nobody_their_turn(remembering: Remembering) -> None:
    await somebody_on_duty()
    remembering.answers = lambda _: refusal(401, 20003)
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 60)
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.5)
    assert set((await making.states(one)).values()) == {"created"}
    assert (await row(one)).held_by == "busy"


async def test_a_number_that_does_not_open_holds_up_no_other_look_up(remembering: Remembering) -> None:
    one = await making.make_broadcast()
    await making.make_ledger(one, 3)
    async with transaction() as session:
        found = await acts.get(session, one)
        await taking.take(session, found, worker="dead", carrier="simulator", at_most=3)
        await session.execute(update(BroadcastChunk).values(beat_at=ledger.NOW - timedelta(seconds=31)))
        await ledger.recover(session, dead_after=timedelta(seconds=30), look_up_after=timedelta())
        broken = update(BroadcastRecipient).where(BroadcastRecipient.number == 2)
        await session.execute(broken.values(address_sealed=b"\0\1" + b"x" * 40))
    handing._opened.add(one)
    await unknowns.look_up_due("me")
    assert await making.states(one) == {1: "created", 2: "failed", 3: "created"}


async def test_hands_that_are_just_done_are_there_for_the_next_who_comes() -> None:
    async def do(piece: int) -> int:
        await asyncio.sleep(0)
        return piece

    hands = Hands(1)
    async with asyncio.timeout(2):
        assert await hands.each([1], do) == [1]
        assert await hands.each([2, 3], do) == [2, 3]


async def test_a_worker_that_cannot_hear_of_a_pause_hands_nothing_over(remembering: Remembering) -> None:
    one = await making.make_broadcast()
    await making.make_ledger(one, 5)
    sender = Sender()
    await sender._look()
    async with transaction() as session:
        found = await acts.get(session, one)
        taken = await taking.take(session, found, worker=sender.name, carrier="simulator", at_most=5)
    assert taken is not None
    sender._held[taken.chunk_id] = leases.seconds()
    assert sender._may_go_on(taken)
    sender._looked_at -= 1.6  # the database was away from it for so long
    assert not sender._may_go_on(taken)


async def test_a_lease_runs_out_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = 0.0
    boot = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: boot(which) + (which == time.CLOCK_BOOTTIME) * slept)
    before = leases.seconds()
    slept = 600.0
    assert leases.seconds() - before >= 600


async def test_a_machine_with_a_wrong_clock_sends_nothing(
    remembering: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 5)
    wall = clocks.wall_seconds
    monkeypatch.setattr(clocks, "wall_seconds", lambda: wall() - 3 * 3600)
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.5)
    assert remembering.took == []
    monkeypatch.setattr(clocks, "wall_seconds", lambda: wall() + 5)
    await send_all(one)
    assert len(remembering.took) == 5
