"""Texts from phones through a mainland carrier: the path of every text in, long ones put together, nothing lost without a database."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import webhooks
from sms_gateway.carriers.cmpp.carrier import CmppCarrier
from sms_gateway.carriers.cmpp.pdus import Deliver
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.domestic.line import Line
from sms_gateway.domestic.uplinks import JOIN_WITHIN
from sms_gateway.messages import inbox, spool, uplink_parts
from sms_gateway.messages.inbox import Inbound
from sms_gateway.messages.models import UplinkPart
from sms_gateway.simulator.cmpp.gateway import CmppGateway
from tests.domestic.conftest import PHONE, SRC_ID, texts_in, until

NUMBER = PHONE.removeprefix("+86")
LONG = "爸爸喝醉了在打妈妈，我和妹妹躲在厕所里😭门快被踢开了，" * 8


async def bodies() -> list[str]:
    return [one.body for one in await texts_in()]


async def replayed() -> bool:
    """What is just being judged is left to the next round, as in a gateway."""
    await spool.replay()
    return spool.counts().spooled == 0


@pytest.mark.parametrize("prefix", ["", "86", "+86"])
async def test_a_text_comes_in_by_the_path_of_every_text(line: Line, gateway: CmppGateway, prefix: str) -> None:
    assert await gateway.write(prefix + NUMBER, "我被打了", to=SRC_ID, gbk=True) == [0]
    (stored,) = await texts_in()
    async with transaction() as session:
        found = await inbox.get_message(session, stored.id)
        jobs = await session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'conversations.%'")
        )
    assert (found.body, found.contact.address, found.carrier, found.extension) == ("我被打了", PHONE, "cmpp", None)
    assert jobs == 2  # to be judged, and to have its turn


async def test_the_same_text_brought_twice_is_one(line: Line) -> None:
    deliver = Deliver(b"\xf0" * 8, SRC_ID, NUMBER, "在吗".encode("gbk"))
    for _ in range(2):
        await line.uplinks.put(deliver)
    await line.uplinks.put(
        Deliver(b"\xf0" * 8, SRC_ID, NUMBER, "在么".encode("gbk"))
    )  # its id came again for another text
    assert await bodies() == ["在吗", "在么"]


async def test_parts_in_any_order_make_one_text_whether_or_not_the_gateway_waits(
    line: Line, gateway: CmppGateway
) -> None:
    order = [3, 1, 4, 2]
    assert (
        await gateway.write(NUMBER, LONG, to=SRC_ID, order=order, reference=1) == [0] * 4
    )  # each after the last one's answer
    random.shuffle(order)
    await asyncio.gather(
        *(gateway.write(NUMBER, LONG + "！", to=SRC_ID, order=[place], reference=2) for place in order * 2)
    )  # all at once, each twice
    assert await bodies() == [LONG, LONG + "！"]
    async with transaction() as session:
        assert not any(await session.scalars(select(UplinkPart.part_sealed)))


async def test_what_never_comes_whole_is_handed_on_within_seconds(line: Line, gateway: CmppGateway) -> None:
    began = time.monotonic()
    await gateway.write(NUMBER, LONG, to=SRC_ID, order=[1, 2, 4], reference=1)

    async def there() -> bool:
        return bool(await bodies())

    await until(there)
    assert JOIN_WITHIN.total_seconds() - 0.5 < time.monotonic() - began < JOIN_WITHIN.total_seconds() + 2
    (body,) = await bodies()
    assert body.startswith("爸爸喝醉了在打妈妈") and len(body) < len(LONG)
    await gateway.write(NUMBER, LONG, to=SRC_ID, order=[3], reference=1)  # after all: handed on by itself

    async def two() -> bool:
        return len(await bodies()) == 2

    await until(two)
    assert (await bodies())[1] in LONG


async def test_a_part_that_comes_again_after_its_text_was_stored_adds_nothing(
    line: Line, gateway: CmppGateway, clock: HeldClock
) -> None:
    await gateway.write(NUMBER, LONG, to=SRC_ID, order=[1, 2, 3, 4], reference=1)
    await gateway.write(NUMBER, LONG, to=SRC_ID, order=[2], reference=1)
    clock.advance(JOIN_WITHIN + timedelta(seconds=1))
    await line.uplinks.sweep()
    assert await bodies() == [LONG]
    clock.advance(uplink_parts.KNOWN_FOR)
    await line.uplinks.sweep()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(UplinkPart)) == 0


async def test_an_old_reference_under_new_words_is_a_new_text(
    line: Line, gateway: CmppGateway, clock: HeldClock
) -> None:
    for words in (LONG, LONG[::-1]):
        await gateway.write(NUMBER, words, to=SRC_ID, reference=1)
    assert await bodies() == [LONG, LONG[::-1]]


async def test_while_the_database_is_away_every_part_goes_to_disk_and_none_is_lost(
    line: Line, gateway: CmppGateway, edge: CmppCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as gone:
        gone.setattr(webhooks, "store", away)
        gone.setattr(uplink_parts, "put", away)
        assert await gateway.write(NUMBER, "有人拿刀砍我妈 快来", to=SRC_ID) == [0]
        assert await gateway.write(NUMBER, LONG, to=SRC_ID) == [0] * 4
        assert await bodies() == []

        async def answered() -> bool:
            return spool.counts().spooled == 5 and bool(gateway.submits)

        await until(answered)  # danger has its safe reply, by the same line, without a database
    assert (gateway.submits[0].destinations, spool.counts().spooled_red >= 1) == ((NUMBER,), True)
    await until(replayed)
    assert (await bodies())[0] == "有人拿刀砍我妈 快来" and "".join((await bodies())[1:]) == LONG


async def test_what_cannot_be_kept_at_all_is_brought_again(
    line: Line, gateway: CmppGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_inbound: Inbound, _session: AsyncSession) -> None:
        raise OperationalError("", {}, Exception())

    async def full(_inbound: Inbound, **_: object) -> None:
        raise spool.SpoolIsFull

    with monkeypatch.context() as gone:
        gone.setattr(webhooks, "store", away)
        gone.setattr(spool, "take_in", full)
        writing = asyncio.create_task(gateway.write(NUMBER, "在吗", to=SRC_ID))
        await asyncio.sleep(0.3)
        assert not writing.done() and line.standing().delivered == 0
    await gateway.cut()  # it asks again on the next connection
    assert await asyncio.wait_for(writing, 10) == [0]
    assert await bodies() == ["在吗"]


async def test_a_reply_keeps_the_number_it_was_sent_to_also_on_disk(
    line: Line, gateway: CmppGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("", {}, Exception())

    await gateway.write(NUMBER, "好的", to=SRC_ID + "0042")
    with monkeypatch.context() as gone:
        gone.setattr(webhooks, "store", away)
        await gateway.write(NUMBER, "收到", to=SRC_ID + "0043")
    await until(replayed)
    assert [(one.body, one.extension) for one in await texts_in()] == [("好的", "0042"), ("收到", "0043")]
