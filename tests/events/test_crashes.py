"""A worker that is killed with -9 at any step loses nothing, and repeats at most the event it was just sending."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from sms_gateway import clock as clocks
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events import ledger, tasks
from sms_gateway.events.fanning import fan_out
from sms_gateway.events.models import Delivery, HotlineEvent, State
from sms_gateway.settings import ROOT
from tests.events.conftest import Happens
from tests.events.subscriber import Subscriber

NUMBERS = [f"2611{n:04d}" for n in range(1, 13)]
WORKER = """
import asyncio
from sms_gateway.events import tasks
async def work():
    await tasks.sweep()
    await asyncio.sleep(20)
asyncio.run(work())
"""


@pytest.mark.parametrize("at_post", [1, 2, 5, 12])
async def test_killed_while_it_sends_it_repeats_that_one_at_most(
    subscriber: Subscriber, subscribe, happens: Happens, push, at_post: int
) -> None:
    await subscribe(subscriber.url)
    await happens(*NUMBERS)
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, cwd=ROOT, env=dict(os.environ))

    async def kill() -> None:
        if len(subscriber.got) == at_post:
            worker.kill()
            await worker.wait()

    subscriber.beside = kill
    await asyncio.wait_for(worker.wait(), 30)
    subscriber.beside = None
    assert subscriber.subjects == NUMBERS[:at_post]
    await push()
    assert len(subscriber.got) == at_post, "the dead one's hold is not over yet"
    later = HeldClock(clocks.now() + timedelta(seconds=31))
    before = clocks.use(later)
    try:
        await push()
    finally:
        clocks.use(before)
    assert subscriber.subjects == [*NUMBERS[:at_post], *NUMBERS[at_post - 1 :]]
    ids = [got.id for got in subscriber.got]
    assert ids[at_post - 1] == ids[at_post] and len(set(ids)) == len(NUMBERS)


async def test_killed_in_the_middle_of_fanning_out_nothing_is_half_done(subscribe, happens: Happens) -> None:
    await subscribe("https://push.example.cn/hook")
    await happens(*NUMBERS[:3])
    with pytest.raises(RuntimeError):
        await _fan_out_and_die()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert await session.scalar(select(func.count()).where(HotlineEvent.position.is_not(None))) == 0
    assert await tasks.fan_out_all() == 3


async def _fan_out_and_die() -> None:
    async with transaction() as session:
        assert await fan_out(session) == 3
        raise RuntimeError


async def test_a_run_that_stood_still_too_long_sends_nothing_beside_the_one_that_took_over(
    subscriber: Subscriber, subscribe, happens: Happens, push, clock: HeldClock
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    await happens(*NUMBERS[:4])

    async def taken_over() -> None:
        if len(subscriber.got) == 2:
            subscriber.beside = None
            clock.advance(timedelta(seconds=31))
            async with transaction() as session:
                assert await ledger.claim(session, subscription) is not None

    subscriber.beside = taken_over
    await push()
    assert subscriber.subjects == NUMBERS[:2], "the one on its way arrived; then it saw that it was too late"


async def test_two_workers_at_once_send_each_event_once(subscriber: Subscriber, subscribe, happens: Happens) -> None:
    subscription, _ = await subscribe(subscriber.url)
    await happens(*NUMBERS)
    await tasks.fan_out_all()
    couriers = [tasks.Courier(), tasks.Courier()]
    await asyncio.gather(*(courier.deliver(subscription) for courier in couriers))
    for courier in couriers:
        await courier.close()
    assert subscriber.subjects == NUMBERS


async def test_a_worker_that_is_told_to_stop_lets_the_event_it_is_at_arrive(
    subscriber: Subscriber, subscribe, happens: Happens
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    await happens(*NUMBERS)
    await tasks.fan_out_all()
    courier = tasks.Courier()
    closing: list[asyncio.Task[None]] = []

    async def stop() -> None:
        if len(subscriber.got) == 3:
            closing.append(asyncio.create_task(courier.close()))
            await asyncio.sleep(0.05)

    subscriber.beside = stop
    await courier.start_due()
    while not closing:
        await asyncio.sleep(0.01)
    await closing[0]
    assert subscriber.subjects == NUMBERS[:3]
    async with transaction() as session:
        delivered = select(func.count()).where(
            Delivery.subscription_id == subscription, Delivery.state == State.DELIVERED
        )
        assert await session.scalar(delivered) == 3
        assert await ledger.list_due(session) == [subscription], "free for the next at once"
