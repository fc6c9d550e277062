"""10,000 events to one local subscriber (opened, shaped, signed, in order, each marked) against a plain async POST loop.

Both sides live in one process on uvloop, as the worker does, and send the same bodies to the same server process. Ours is
timed from new events in the outbox to the last mark: fan-out is part of it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import uvloop
from aiohttp import ClientSession
from rich.console import Console

from sms_gateway import clock
from sms_gateway.database import dispose, transaction
from sms_gateway.departments.visibility import Facts, Sight
from sms_gateway.events import service, subscriptions, tasks
from sms_gateway.events.shaping import FULL, Happening, as_json
from sms_gateway.migrations import upgrade
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import PYTHON, free_ports
from sms_gateway.supervision.ready import answers
from sms_gateway.supervision.scratch import scratch_postgres

from .results import Row, row

AREA = "casework"
UNIT = "edu@530627"
FACTS = Facts("D20", "530627", "county", "blue", None, frozenset({UNIT}), frozenset())
WORDS = "近期，孩子在学校被同学多次推打，家里人问过老师，没有下文。孩子这几天不愿意上学，晚上睡不好。" * 3
AT_A_TIME = 500
TARGET = 0.6


@dataclass(frozen=True)
class Figures:
    """What the rounds gave, in events a second."""

    ours: list[float]
    plain: list[float]


async def measure(console: Console, *, rounds: int = 5, events: int = 10_000) -> list[Row]:
    """The ratio, and both rates."""
    figures = await asyncio.to_thread(lambda: uvloop.run(_rounds(rounds, events)))
    console.print(f"casework: pushed {events} events {rounds} times")
    pairs = zip(figures.ours, figures.plain, strict=True)
    name = f"Push of {events:,} events to a local subscriber"
    return [
        row(AREA, f"{name} against a plain async POST loop", [a / b for a, b in pairs], "times", target=TARGET, better="higher"),
        row(AREA, f"{name}: events a second", figures.ours, "1/s", better="higher"),
        row(AREA, "Plain async POST loop: posts a second", figures.plain, "1/s", better="higher"),
    ]  # fmt: skip


async def _rounds(rounds: int, events: int) -> Figures:
    with scratch_postgres() as server:
        url = server.create("bench")
        upgrade(url)
        async with _subscriber() as hook, _our_side(url, server.folder, hook) as courier:
            await _push(courier, events // 10)
            await _post(hook, events // 10)
            ours, plain = [], []
            for _ in range(rounds):
                plain.append(await _post(hook, events))
                ours.append(await _push(courier, events))
            _check(url, events * rounds + events // 10)
            return Figures(ours, plain)


@asynccontextmanager
async def _subscriber() -> AsyncIterator[str]:
    (port,) = free_ports(1)
    server = await asyncio.create_subprocess_exec(str(PYTHON), "-m", "benchmarks.subscriber", str(port))
    try:
        while not await answers(port, "/none")():
            await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        server.terminate()
        await server.wait()


@contextmanager
def _settings(url: str, folder: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {
        "HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_DIR": str(folder), "HOTLINE_PUSH_PRIVATE_TARGETS": "127.0.0.1",
        "HOTLINE_DATA_KEY": base64.b64encode(os.urandom(32)).decode(), "HOTLINE_ENV_FILE": os.devnull,
    }  # fmt: skip
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        get_settings.cache_clear()


@asynccontextmanager
async def _our_side(url: str, folder: Path, hook: str) -> AsyncIterator[tasks.Courier]:
    with _settings(url, folder):
        async with transaction() as session:
            await subscriptions.add(session, unit=UNIT, name="bench", url=hook)
        courier = tasks.Courier()
        try:
            yield courier
        finally:
            await courier.close()
            await dispose()


def _data(number: int) -> dict[str, object]:
    """Every field the handling unit gets, with words as long as a report's."""
    return {
        "ticket": dict.fromkeys(FULL["ticket"], "x") | {"number": f"{number:08d}", "units": [UNIT]},
        "event": {"what": "dispatched", "why": "请两个工作日内联系家长，核实后回复。"},
        "words": {"copy": {"what": WORDS, "where": "镇雄县", "when": "近期"}},
        "children": [{"age": 9, "sex": "f", "county": "530627"}],
    }


async def _push(courier: tasks.Courier, events: int) -> float:
    """Events a second, from the outbox to the last mark."""
    for first in range(0, events, AT_A_TIME):
        async with transaction() as session:
            for number in range(first, min(first + AT_A_TIME, events)):
                await service.publish(
                    session, type="cn.yunnan.12345.ticket.dispatched", subject=f"{number:08d}", facts=FACTS,
                    data=_data(number), at=clock.now(),
                )  # fmt: skip
    began = time.perf_counter()
    await courier.sweep()
    await courier.finish()
    while await courier.start_due():  # a run that ended just before the last events were placed
        await courier.finish()
    return events / (time.perf_counter() - began)


async def _post(hook: str, events: int) -> float:
    """Posts a second of the simplest loop there is, with bodies made beforehand."""
    from uuid import uuid4

    bodies = [
        as_json(Happening(uuid4(), n, "cn.yunnan.12345.ticket.dispatched", f"{n:08d}", clock.now(), {}, _data(n)), Sight.FULL)
        for n in range(events)
    ]  # fmt: skip
    async with ClientSession() as session:
        began = time.perf_counter()
        for body in bodies:
            async with session.post(hook, data=body) as response:
                assert response.status == 204
        return events / (time.perf_counter() - began)


def _check(url: str, wanted: int) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM event_deliveries WHERE state = 'delivered'").fetchone()
    if found != (wanted,):
        raise RuntimeError("not everything was delivered")
