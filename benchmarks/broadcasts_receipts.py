"""Receipts of outreach: batches of 500 against a bare batched UPDATE of the same rows, and one by one through HTTP against an
endpoint that only answers.

Both sides of the first measure go by the same engine and pool, each over a ledger of its own made alike; both of the second are
processes on the same server program, asked by the same generator over as many connections.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import psycopg
import uvloop
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.broadcasts import addresses, receipts
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.broadcasts.preparing import FILLFACTOR
from sms_gateway.broadcasts.receipts import Told
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.carriers import simulator
from sms_gateway.database import dispose, transaction
from sms_gateway.migrations import upgrade
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import PYTHON, free_ports
from sms_gateway.supervision.ready import answers
from sms_gateway.supervision.scratch import scratch_hotline, scratch_postgres
from sms_gateway.supervision.supervisor import Child

from . import load
from .results import Row, row

AREA = "broadcasts"
BATCH = 500
CONNECTIONS = 128
PATH = "/carriers/simulator/status"
SHUFFLED_OVER = 2_000
"""Receipts come about in the order of sending, a few seconds apart."""


@dataclass(frozen=True)
class Figures:
    """What the rounds gave: receipts a second."""

    ours: list[float]
    bare: list[float]


async def measure(console: Console, *, rounds: int = 5, receipts_each: int = 20_000, singles: int = 6_000) -> list[Row]:
    """Ratios and rates."""
    batched = await asyncio.to_thread(lambda: uvloop.run(_batches(rounds, receipts_each)))
    console.print(f"broadcasts: applied {receipts_each} receipts in batches of {BATCH}, {rounds} times")
    alone, cpu = await _through_http(rounds, singles)
    console.print(f"broadcasts: load generator used up to {cpu:.0%} of one core")
    name = f"Receipts in batches of {BATCH}"
    single = f"Receipts one by one through HTTP, {CONNECTIONS} connections"
    return [
        row(AREA, f"{name} against a bare batched UPDATE", _ratios(batched), "times", target=0.5, better="higher"),
        row(AREA, f"{name}: receipts a second", batched.ours, "1/s", better="higher"),
        row(AREA, f"{single}, against an endpoint that only answers", _ratios(alone), "times", target=0.6, better="higher"),
        row(AREA, f"{single}: receipts a second", alone.ours, "1/s", better="higher"),
    ]  # fmt: skip


def _ratios(figures: Figures) -> list[float]:
    return [ours / bare for ours, bare in zip(figures.ours, figures.bare, strict=True)]


# ---- batches ----

BARE = text("""
UPDATE broadcast_recipients r SET state = told.state, carrier_id = told.carrier_id, settled_at = CAST(:at AS timestamptz)
FROM unnest(CAST(:numbers AS int[]), CAST(:states AS text[]), CAST(:ids AS text[])) AS told (number, state, carrier_id)
WHERE r.broadcast_id = :broadcast AND r.number = told.number
""")


async def _batches(rounds: int, count: int) -> Figures:
    with scratch_postgres() as server, _settings(server.create("bench")):
        try:
            await _apply_all(count)  # both sides warm
            await _bare_all(count)
            ours, bare = [], []
            for _ in range(rounds):
                bare.append(await _bare_all(count))
                ours.append(await _apply_all(count))
            return Figures(ours, bare)
        finally:
            await dispose()


@contextmanager
def _settings(url: str) -> Iterator[str]:
    """This process on that database, with keys of its own; as before afterwards."""
    upgrade(url)
    key = base64.b64encode(b"b" * 32).decode()
    ours = {"HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_KEY": key, "HOTLINE_SESSION_KEY": key, "HOTLINE_ENV_FILE": os.devnull}  # fmt: skip
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    get_settings.cache_clear()
    try:
        yield url
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        get_settings.cache_clear()


async def make_ledger(count: int) -> int:
    """A running broadcast whose `count` texts have been sent; its id."""
    async with transaction() as session:
        author = await accounts.find(session, "bench") or await accounts.add(
            session, login="bench", name="bench", role=Role.EDITOR, password=None
        )
        made = Broadcast(
            title="bench", body="bench", status="running", created_by=author.id, created_at=clock.now(), prepared="ready"
        )  # fmt: skip
        session.add(made)
        await session.flush()
        part = (
            f"CREATE TABLE broadcast_recipients_{made.id} PARTITION OF broadcast_recipients FOR VALUES IN ({made.id})"
            f" WITH (fillfactor = {FILLFACTOR})"
        )
        await session.execute(text(part))
        await _copy(session, made.id, count)
        await session.execute(text(f"ANALYZE broadcast_recipients_{made.id}"))
    return made.id


async def _copy(session: AsyncSession, broadcast_id: int, count: int) -> None:
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    assert raw is not None
    now = clock.now()
    columns = "broadcast_id, number, wave, region, state, address_index, address_sealed, carrier, carrier_id, claimed_at, sent_at"
    async with raw.cursor() as cursor, cursor.copy(f"COPY broadcast_recipients ({columns}) FROM STDIN") as copy:
        for number in range(1, count + 1):
            index = addresses.index_of(f"+86{13_800_000_000 + number}")
            sealed = index * 2  # nobody opens it here
            await copy.write_row(
                (broadcast_id, number, 0, "530627", "sent", index, sealed, "simulator", f"SIM{number}", now, now)
            )


def in_coming_order(count: int) -> list[int]:
    """1 to `count` as receipts come: about in order."""
    chance = random.Random(count)
    return sorted(range(1, count + 1), key=lambda number: number + chance.random() * SHUFFLED_OVER)


async def _apply_all(count: int) -> float:
    broadcast_id = await make_ledger(count)
    told = [
        Told("simulator", f"SIM{n}", "delivered", None, reference_of(broadcast_id, n)) for n in in_coming_order(count)
    ]

    async def apply(part: Sequence[Told]) -> None:
        async with transaction() as session:
            done = await receipts.apply(session, part)
        assert done.moved == len(part)

    return await _timed(told, apply)


async def _bare_all(count: int) -> float:
    broadcast_id = await make_ledger(count)

    async def update(part: Sequence[int]) -> None:
        binds = {
            "broadcast": broadcast_id, "numbers": [*part], "states": ["delivered"] * len(part), "at": clock.now(),
            "ids": [f"SIM{number}" for number in part],
        }  # fmt: skip
        async with transaction() as session:
            await session.execute(BARE, binds)

    return await _timed(in_coming_order(count), update)


async def _timed(whole: Sequence, do: Callable) -> float:  # type: ignore[type-arg]
    began = time.perf_counter()
    for start in range(0, len(whole), BATCH):
        await do(whole[start : start + BATCH])
    return len(whole) / (time.perf_counter() - began)


# ---- one by one ----


@dataclass(frozen=True)
class Sides:
    """The ports of both sides, and the database of ours."""

    ours: int
    bare: int
    database: str
    key: bytes


@asynccontextmanager
async def _both_sides() -> AsyncIterator[Sides]:
    with scratch_postgres() as server, _settings(server.create("bench")) as url:
        shared = {name: os.environ[name] for name in ("HOTLINE_DATA_KEY", "HOTLINE_SESSION_KEY")}
        async with scratch_hotline(server.folder / "data", "gateway", database_url=url, settings=shared) as hotline:
            (port,) = free_ports(1)
            command = (str(PYTHON), "-m", "benchmarks.bare", str(port))
            environment = hotline.supervisor.kept["gateway"].child.env
            await hotline.supervisor.start(Child("bare", command, environment, ready=answers(port, "/none")))
            yield Sides(int(hotline.environment["HOTLINE_PORT"]), port, url, simulator.secret(get_settings()))


async def _through_http(rounds: int, count: int) -> tuple[Figures, float]:
    async with _both_sides() as sides:
        ours, bare, cpu = [], [], 0.0
        for number in range(rounds + 1):  # the first is for warming up
            broadcast_id = await make_ledger(count)
            requests = list(_signed(sides.key, broadcast_id, count))
            plain = [request.replace(PATH.encode(), b"/receipt", 1) for request in requests]
            other = await load.run(sides.bare, plain, connections=CONNECTIONS)
            mine = await load.run(sides.ours, requests, connections=CONNECTIONS)
            _check(sides.database, broadcast_id, count)
            if number:
                ours.append(mine.per_second)
                bare.append(other.per_second)
                cpu = max(cpu, mine.own_cpu, other.own_cpu)
        await dispose()
        return Figures(ours, bare), cpu


def _signed(key: bytes, broadcast_id: int, count: int) -> Iterator[bytes]:
    at = datetime.fromtimestamp(clock.wall_seconds(), UTC)
    for number in in_coming_order(count):
        form = {"id": f"SIM{number}", "state": "delivered", "reference": str(reference_of(broadcast_id, number))}
        body = urlencode(form).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            simulator.SIGNATURE_HEADER: simulator.sign(key, path=PATH, body=body, at=at),
        }
        yield load.post(PATH, body, headers)


def _check(url: str, broadcast_id: int, count: int) -> None:
    """Every receipt that was answered is in the ledger."""
    asked = "SELECT count(*) FROM broadcast_recipients WHERE broadcast_id = %s AND state = 'delivered'"
    with psycopg.connect(url) as connection:
        assert connection.execute(asked, [broadcast_id]).fetchone() == (count,)
