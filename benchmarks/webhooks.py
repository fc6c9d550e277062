"""Webhook to 200 (signature, insert, two jobs, commit) against a bare FastAPI endpoint doing one insert; 32 connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import psycopg
from rich.console import Console

from sms_gateway.migrations import upgrade
from sms_gateway.supervision.places import PYTHON, free_ports
from sms_gateway.supervision.ready import answers
from sms_gateway.supervision.scratch import scratch_hotline, scratch_postgres
from sms_gateway.supervision.supervisor import Child

from . import load
from .results import Row, row
from .twilio_texts import SETTINGS, number, signed_text

AREA = "webhooks"
CONNECTIONS = 32
PEOPLE = 500
TEXT = "请问孤儿每个月能领多少钱，要怎么申请呢"

_people = count()
_strangers = count(PEOPLE)


@dataclass(frozen=True)
class Sides:
    """The ports of both sides, running on one scratch PostgreSQL."""

    ours: int
    bare: int
    database: str

    def from_known(self, texts: int) -> Iterator[bytes]:
        """Texts of people who have written before."""
        return (signed_text(self.ours, sender=number(next(_people) % PEOPLE), body=TEXT) for _ in range(texts))

    def from_strangers(self, texts: int) -> Iterator[bytes]:
        """First texts of people."""
        return (signed_text(self.ours, sender=number(next(_strangers)), body=TEXT) for _ in range(texts))

    def to_bare(self, texts: int) -> Iterator[bytes]:
        """The same bytes for the bare endpoint."""
        for request in self.from_known(texts):
            yield request.replace(b"POST /twilio/sms", b"POST /text", 1)

    def clear(self) -> None:
        """No worker runs here: what was deferred is thrown away, so that no round pays for the one before it."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("TRUNCATE procrastinate_jobs, procrastinate_events, bench_texts CASCADE")


@asynccontextmanager
async def both_sides() -> AsyncIterator[Sides]:
    """The real gateway process, and the bare one beside it."""
    with scratch_postgres() as server:
        url = server.create("bench")
        upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench_texts (id bigserial PRIMARY KEY, body bytea NOT NULL)")
        async with scratch_hotline(server.folder / "data", "gateway", database_url=url, settings=SETTINGS) as hotline:
            (port,) = free_ports(1)
            command = (str(PYTHON), "-m", "benchmarks.bare", str(port))
            environment = hotline.supervisor.kept["gateway"].child.env
            await hotline.supervisor.start(Child("bare", command, environment, ready=answers(port, "/none")))
            yield Sides(int(hotline.environment["HOTLINE_PORT"]), port, url)


async def measure(console: Console, *, rounds: int = 5, texts: int = 400) -> list[Row]:
    """Ratios of p50 and throughput, and our own figures."""
    async with both_sides() as sides:
        warm = max(PEOPLE, texts // 4)  # and everybody is known afterwards
        await load.run(sides.ours, sides.from_known(warm), connections=CONNECTIONS)
        await load.run(sides.bare, sides.to_bare(warm), connections=CONNECTIONS)
        ours: list[load.Load] = []
        bare: list[load.Load] = []
        first: list[load.Load] = []
        for _ in range(rounds):
            bare.append(await _round(sides, sides.bare, sides.to_bare(texts)))
            ours.append(await _round(sides, sides.ours, sides.from_known(texts)))
            first.append(await _round(sides, sides.ours, sides.from_strangers(texts // 3)))
    generator = max(each.own_cpu for each in (*ours, *bare, *first))
    console.print(f"webhooks: load generator used up to {generator:.0%} of one core")
    pairs = list(zip(ours, bare, strict=True))
    new = list(zip(first, bare, strict=True))
    name = f"Webhook to 200 against a bare endpoint with one insert, {CONNECTIONS} connections"
    return [
        row(AREA, f"{name}: p50", [a.p50_ms / b.p50_ms for a, b in pairs], "times", target=2),
        row(AREA, f"{name}: throughput", [b.per_second / a.per_second for a, b in pairs], "times", target=2),
        row(AREA, f"{name}: p50 of a person's first text", [a.p50_ms / b.p50_ms for a, b in new], "times"),
        row(AREA, "Webhook: texts a second", [a.per_second for a in ours], "1/s", better="higher"),
        row(AREA, "Bare endpoint: requests a second", [b.per_second for b in bare], "1/s", better="higher"),
        row(AREA, "Load generator, share of one core", [generator], "cores"),
    ]


async def _round(sides: Sides, port: int, requests: Iterator[bytes]) -> load.Load:
    ready = list(requests)
    sides.clear()
    return await load.run(port, ready, connections=CONNECTIONS)
