"""The one-statement way of a text in leaves exactly what the long way leaves."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import select, text

from sms_gateway import clock as clocks
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.listening import MISSED, subscribe
from sms_gateway.messages import inbox
from sms_gateway.messages.inbox import Inbound, Recorded
from sms_gateway.messages.models import Message

OWN = {"id", "uid", "body_sealed", "carrier_id", "at", "trace"}


def inbound(carrier_id: str, body: str = "你好") -> Inbound:
    return Inbound(Channel.SMS, "+8613800000001", body, "simulator", carrier_id, clocks.now())


async def receive(carrier_id: str, body: str = "你好") -> Recorded | None:
    async with transaction() as session:
        return await inbox.receive(session, inbound(carrier_id, body))


async def jobs_of(recorded: Recorded) -> list[tuple[Any, ...]]:
    wanted = "SELECT queue_name, task_name, priority, lock, queueing_lock, status, scheduled_at, args FROM procrastinate_jobs"
    async with transaction() as session:
        found = await session.execute(text(f"{wanted} WHERE args->>'message_id' = '{recorded.message_id}' ORDER BY id"))
        return [(*row[:-1], sorted(row[-1])) for row in found]


async def row_of(recorded: Recorded) -> dict[str, Any]:
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == recorded.message_id))).one()
    return {column.key: getattr(message, column.key) for column in Message.__table__.columns if column.key not in OWN}


async def test_a_persons_second_text_leaves_the_same_rows_and_jobs_as_the_first(database: str) -> None:
    first, second = await receive("1"), await receive("2", "第二条")
    assert first is not None
    assert second is not None
    assert (second.contact_id, second.thread_id) == (first.contact_id, first.thread_id)
    assert await row_of(second) == await row_of(first)
    assert await jobs_of(second) == await jobs_of(first)
    assert len(await jobs_of(second)) == 2
    async with transaction() as session:
        assert (await inbox.get_message(session, second.message_id)).body == "第二条"


async def test_a_repeated_text_leaves_nothing_more(database: str) -> None:
    await receive("1")
    assert await receive("1") is None
    assert await receive("2") is not None
    assert await receive("2") is None
    async with transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 4


async def test_a_rolled_back_text_leaves_neither_row_nor_job(database: str) -> None:
    await receive("1")
    async with transaction() as session:
        await inbox.receive(session, inbound("2"))
        await session.rollback()
    async with transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM messages")) == 1
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 2


async def test_open_pages_are_told_of_it(database: str) -> None:
    first = await receive("1")
    assert first is not None
    async with subscribe("hotline_thread") as heard:
        assert await heard.wait(within=5) == {MISSED}
        await receive("2")
        assert await heard.wait(within=5) == {str(first.thread_id)}


async def test_ten_first_texts_of_one_person_at_once_make_one_person(database: str) -> None:
    found = await asyncio.gather(*(receive(str(index)) for index in range(10)))
    assert len({each.message_id for each in found if each is not None}) == 10
    async with transaction() as session:
        for table, count in (("contacts", 1), ("threads", 1), ("messages", 10), ("procrastinate_jobs", 20)):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == count
