"""Readers who count by position see every event once, however transactions overlap."""

from __future__ import annotations

import asyncio
import random

from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.events import service, tasks
from sms_gateway.events.fanning import fan_out
from sms_gateway.events.models import Delivery, HotlineEvent
from tests.events.conftest import EDU, data, facts


async def _publish(session, number: str) -> None:
    await service.publish(
        session, type="cn.yunnan.12345.ticket.accepted", subject=number, facts=facts(), data=data(number), at=clock.now()
    )  # fmt: skip


async def _subjects(after: int) -> tuple[list[str], int]:
    async with transaction() as session:
        page = await service.pull(session, unit=EDU, after=after)
    return [event["subject"] for event in page.events], page.after


async def test_an_event_whose_transaction_ends_late_is_not_skipped(database: str) -> None:
    async with transaction() as slow:
        await _publish(slow, "00000001")
        await slow.flush()
        async with transaction() as quick:
            await _publish(quick, "00000002")
        await tasks.fan_out_all()
        seen, after = await _subjects(0)
        assert seen == ["00000002"]
    await tasks.fan_out_all()
    seen, after = await _subjects(after)
    assert seen == ["00000001"]
    assert await _subjects(after) == ([], after)


async def test_everything_is_seen_once_while_many_write_and_several_fan_out(database: str) -> None:
    numbers = [f"{n:08d}" for n in range(120)]
    writing = True

    async def write(mine: list[str]) -> None:
        for number in mine:
            async with transaction() as session:
                await _publish(session, number)
                await session.flush()
                await asyncio.sleep(random.random() / 200)

    async def place() -> None:
        while writing:
            async with transaction() as session:
                await fan_out(session)
                await asyncio.sleep(random.random() / 200)

    async def read() -> tuple[list[str], int]:
        seen, after = [], 0
        while writing:
            found, after = await _subjects(after)
            seen += found
            await asyncio.sleep(0.002)
        return seen, after

    others = [asyncio.create_task(place()) for _ in range(2)]
    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(numbers[start::4]) for start in range(4)))
    writing = False
    await asyncio.gather(*others)
    seen, after = await reader
    await tasks.fan_out_all()
    seen += (await _subjects(after))[0]
    assert sorted(seen) == numbers
    async with transaction() as session:
        positions = list(await session.scalars(select(HotlineEvent.position).order_by(HotlineEvent.position)))
    assert positions == list(range(1, 121)), "without a gap"


async def test_a_page_may_be_short_and_still_moves_on(database: str, monkeypatch) -> None:
    monkeypatch.setattr(service, "LOOK_THROUGH", 3)
    async with transaction() as session:
        for n in range(7):
            number = f"{n:08d}"
            mine = n == 6
            await service.publish(
                session, type="t", subject=number, at=clock.now(), data=data(number),
                facts=facts() if mine else facts(units=frozenset(), place="530628", category="D03"),
            )  # fmt: skip
    await tasks.fan_out_all()
    async with transaction() as session:
        first = await service.pull(session, unit=EDU, after=0)
        assert (first.events, first.after, first.more) == ([], 3, True)
        assert [event["subject"] for event in await service.list_after(session, unit=EDU, after=0)] == ["00000006"]


async def test_each_subscriber_gets_an_event_once_in_the_database_too(database: str, subscribe) -> None:
    await subscribe("https://push.example.cn/hook")
    async with transaction() as session:
        await _publish(session, "00000001")
    await asyncio.gather(*(tasks.fan_out_all() for _ in range(4)))
    async with transaction() as session:
        assert len(list(await session.scalars(select(Delivery.id)))) == 1
