"""The clocks' sweep over 100,000 open tickets, and opening a ticket against a bare transaction of two rows."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from unittest import mock

from rich.console import Console
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, func, insert, select, text

from sms_gateway import clock, database, settings
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import engine, transaction
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message
from sms_gateway.migrations import upgrade
from sms_gateway.supervision.scratch import scratch_postgres
from sms_gateway.tickets import clocks, service
from sms_gateway.tickets.models import TicketEvent

from .casework_data import fill
from .results import Row, row

AREA = "casework"
OPEN = 100_000
DUE = 5_000
"""Of these, what is overdue in one sweep: far more than a second brings, about what an outage of a working day does."""
SLICE = 10
"""Transactions of one side before the other one's turn."""
ANSWERS = {"what": "孩子在学校被同学欺负，老师说是闹着玩，我想问问怎么办", "county_said": "镇雄", "again": "还在"}

pairs = MetaData()
head = Table(
    "bench_heads", pairs, Column("id", BigInteger, primary_key=True), Column("body", LargeBinary, nullable=False)
)
line = Table(
    "bench_lines", pairs, Column("id", BigInteger, primary_key=True), Column("head_id", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)  # fmt: skip

_texts = count()


@asynccontextmanager
async def own_database() -> AsyncIterator[str]:
    """A migrated scratch database that this process's pool uses."""
    with scratch_postgres() as server:
        url = server.create("clocks")
        upgrade(url)
        key = base64.b64encode(os.urandom(32)).decode()
        with mock.patch.dict(
            os.environ, {"HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_KEY": key, "HOTLINE_ENV_FILE": os.devnull}
        ):
            settings.get_settings.cache_clear()
            try:
                yield url
            finally:
                await database.dispose()
        settings.get_settings.cache_clear()


async def measure(console: Console, *, rounds: int = 5, tickets: int = OPEN, due: int = DUE, opened: int = 300) -> list[Row]:  # fmt: skip
    """Seconds of a sweep, and the ratio of tickets to bare transactions a second."""
    async with own_database():
        rows = await _opening(rounds=rounds, opened=opened)
    async with own_database() as url:
        began = time.monotonic()
        await fill(url, tickets, open_share=1.0)
        console.print(f"casework: {tickets:,} open tickets made in {time.monotonic() - began:.0f} s")
        before = clock.use(HeldClock())  # so that nothing else falls due between the rounds
        try:
            return await _sweeping(console, tickets, due=due, rounds=rounds) + rows
        finally:
            clock.use(before)


async def _sweeping(console: Console, tickets: int, *, due: int, rounds: int) -> list[Row]:
    at_first, all_due = await _swept()
    console.print(f"casework: the first sweep looked at {all_due:,} of {tickets:,} in {at_first:.1f} s")
    taken, idle = [], []
    for _ in range(rounds):
        await _make_overdue(due)
        before = await _events()
        seconds, looked = await _swept()
        if (looked, await _events() - before) != (due, due):
            raise RuntimeError("a sweep did not say everything once")
        taken.append(seconds)
        idle.append((await _swept())[0] * 1000)
    name = f"Overdue sweep over {tickets:,} open tickets"
    return [
        row(AREA, f"{name}, {due:,} of them due", taken, "s", target=2),
        row(AREA, f"{name}, none of them due", idle, "ms"),
        row(AREA, f"Sweep after an outage: tickets a second ({all_due:,} due at once)", [all_due / at_first], "1/s", better="higher"),
    ]  # fmt: skip


async def _swept() -> tuple[float, int]:
    began = time.monotonic()
    looked = await clocks.sweep()
    return time.monotonic() - began, looked


async def _make_overdue(due: int) -> None:
    """Scattered over the table, overdue since this minute, supervised by nobody yet."""
    values = {"now": clock.now(), "due": due}
    async with transaction() as session:
        await session.execute(
            text(
                "UPDATE tickets SET due_at = CAST(:now AS timestamptz) - interval '1 minute', supervised = 0, next_clock_at = :now"
                " WHERE id IN (SELECT id FROM tickets WHERE closed_at IS NULL AND paused_at IS NULL ORDER BY hashint8(id) LIMIT :due)"
            ),
            values,
        )
        await session.execute(text("UPDATE dispatches SET signed_at = :now WHERE signed_at IS NULL"), values)


async def _events() -> int:
    async with transaction() as session:
        return await session.scalar(select(func.count()).select_from(TicketEvent)) or 0


async def _opening(*, rounds: int, opened: int) -> list[Row]:
    """One after the other, as one worker does: both sides with our engine, pool and session."""
    async with engine().begin() as connection:
        await connection.run_sync(pairs.create_all)
    texts = [await _text_in() for _ in range((rounds + 1) * opened)]
    todo = iter(texts)
    await _per_second(lambda: _open(*next(todo)), opened)  # warm
    await _per_second(_bare, opened)
    ours, bare = [], []
    for _ in range(rounds):
        slices = []
        for _ in range(0, opened, SLICE):  # turn by turn, so that what else the machine does meets both alike
            rates = await _per_second(_bare, SLICE), await _per_second(lambda: _open(*next(todo)), SLICE)
            slices.append([1 / rate for rate in rates])
        bare.append(len(slices) / sum(one for one, _ in slices))
        ours.append(len(slices) / sum(other for _, other in slices))
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return [
        row(AREA, "Opening a ticket against a bare transaction of two rows: rate", ratios, "times", target=0.5, better="higher"),
        row(AREA, "Tickets opened a second, one after the other", ours, "1/s", better="higher"),
        row(AREA, "Bare transactions of two rows a second", bare, "1/s", better="higher"),
    ]  # fmt: skip


async def _per_second(act: Callable[[], Awaitable[None]], times: int) -> float:
    began = time.monotonic()
    for _ in range(times):
        await act()
    return times / (time.monotonic() - began)


async def _text_in() -> tuple[int, int, int]:
    """A text of somebody: talk, contact, message."""
    n = next(_texts)
    inbound = inbox.Inbound(
        Channel.SMS, f"+861380000{n % 5000:04d}", ANSWERS["what"], "simulator", f"bench-{n}", clock.now()
    )
    async with transaction() as session:
        recorded = await inbox.receive(session, inbound)
        assert recorded is not None
        contact = (await session.scalars(select(Message.contact_id).where(Message.id == recorded.message_id))).one()
    return recorded.thread_id, contact, recorded.message_id


async def _open(thread_id: int, contact_id: int, message_id: int) -> None:
    async with transaction() as session:
        await service.open_ticket(
            session, thread_id=thread_id, contact_id=contact_id, asked_in=message_id, kind="complaint", county="530627",
            answers=ANSWERS | {"what": f"{ANSWERS['what']} {message_id}"},  # nobody tells the same twice
        )  # fmt: skip


async def _bare() -> None:
    """Two rows, the second with the first one's id, as any application writes a thing and its first event."""
    async with transaction() as session:
        made = await session.execute(insert(head).values(body=b"x" * 300).returning(head.c.id))
        await session.execute(insert(line).values(head_id=made.scalar_one(), body=b"x" * 300))


if __name__ == "__main__":
    for found in asyncio.run(measure(Console())):
        print(found.name, found.value, found.unit, found.samples)
