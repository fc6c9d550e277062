"""More sending processes on one external PostgreSQL: 1, 2 and 4 of them, and what a million recipients cost that server.

Two cores carry no four busy workers, so the carrier is what is slow here, as a real one is: it answers after 100 ms, and a
process has eight texts on their way. What is measured is whether workers stand in each other's way.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import psycopg
from rich.console import Console

from sms_gateway.broadcasts import acts, importing, preparing, rolls
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.database import transaction

from .broadcasts_line import ALL_DAY, OutreachLine, an_editor, make_ledger, on_duty, outreach_line, until_over
from .debian_postgres import External, NotInstalled, debian_postgres
from .memory import postgres_pids
from .processes import cpu_of_server
from .results import Row, row
from .twilio_loops import mock, truth
from .twilio_texts import SETTINGS as TWILIO

AREA = "broadcasts"
WORKERS = (1, 2, 4)
DELAY_MS, AT_ONCE = 100.0, 8
SECONDS = 12.0
BODY = "儿童节快乐！孩子遇到难处、受了委屈，随时可以发短信或打12345。"
MILLION = 1_000_000
COUNTED = 100_000
"""Recipients of the run whose bytes are counted; what a million takes is ten times that, indexes' depth apart."""


@dataclass
class Cost:
    """Of `COUNTED` recipients on the external server. Bytes, seconds."""

    roll_bytes: int = 0
    ledger_bytes: int = 0
    wal_import: int = 0
    wal_prepare: int = 0
    wal_send: int = 0
    import_seconds: float = 0.0
    prepare_seconds: float = 0.0
    server_cpu: float = 0.0
    """CPU seconds of PostgreSQL for sending and receipts."""


@dataclass
class Scaled:
    """Texts a second by processes, and the cost."""

    version: str
    rates: list[tuple[int, float]] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)


async def measure(console: Console) -> tuple[list[Row], list[tuple[int, float]]]:
    """The rows, and the points of the curve; none where Debian's PostgreSQL is not installed."""
    try:
        with debian_postgres() as server:
            scaled = Scaled(server.version)
            await _rates(server, scaled, console)
        with debian_postgres() as server:
            scaled.cost = await _cost(server)
    except NotInstalled:
        console.print("broadcasts: no PostgreSQL of Debian's here (apt install postgresql): scale-out is not measured")
        return [], []
    return rows(scaled), scaled.rates


async def _rates(server: External, scaled: Scaled, console: Console) -> None:
    async with mock(delay_ms=DELAY_MS) as carrier:
        settings = {
            **TWILIO,
            "HOTLINE_CARRIER": "twilio",
            "HOTLINE_TWILIO_API_URL": carrier,
            "HOTLINE_OUTREACH_AT_ONCE": str(AT_ONCE),
        }
        async with outreach_line("outreach", settings=settings, database_url=server.url) as line:
            await on_duty()
            most = int(max(WORKERS) * AT_ONCE / DELAY_MS * 1000 * SECONDS * 2) + 2000
            for number, workers in enumerate(WORKERS):
                await _have(line, workers)
                one = await make_ledger(
                    await an_editor(), most, first=number * most, body=BODY, carrier_segments=1e6, reply_share=0.0, **ALL_DAY
                )  # fmt: skip
                await asyncio.sleep(3)  # everybody has seen it
                before, began = (await truth(carrier))["texts"], time.perf_counter()
                await asyncio.sleep(SECONDS)
                rate = ((await truth(carrier))["texts"] - before) / (time.perf_counter() - began)
                scaled.rates.append((workers, rate))
                console.print(f"broadcasts: {workers} workers on PostgreSQL {scaled.version}: {rate:.0f} texts/s")
                async with transaction() as session:
                    await acts.cancel(session, one, operator_id=None)
                await asyncio.sleep(2)
            assert (await truth(carrier))["twice"] == 0


async def _have(line: OutreachLine, workers: int) -> None:
    there = sum(name.startswith("outreach") for name in line.hotline.supervisor.kept)
    if workers > there:
        await line.add_workers(workers - there, first=there + 1)
        await asyncio.sleep(5)


async def _cost(server: External) -> Cost:
    found = Cost()
    async with outreach_line("gateway", "outreach", database_url=server.url) as line:
        await line.set_faults(bulk=True, delay_seconds=0.1)
        await on_duty()
        writer, second = await an_editor(), await an_editor()
        file = line.postgres.folder / "roll.csv"
        file.write_text(
            "手机号,地区\n" + "".join(f"{13_800_000_000 + n},530627\n" for n in range(COUNTED)), encoding="utf-8"
        )
        async with transaction() as session:
            roll_id = (await rolls.create(session, title="量", created_by=writer)).id
        with psycopg.connect(server.url, autocommit=True) as asked:
            mark, began = _wal(asked), time.perf_counter()
            await importing.run(roll_id, OnDisk(str(file)))
            found.import_seconds, found.wal_import = time.perf_counter() - began, _wal(asked) - mark
            draft = acts.Draft(
                title="量",
                body=BODY,
                audience={"rolls": [roll_id]},
                pilot=COUNTED,
                carrier_segments=4000,
                reply_share=0.0,
            )
            async with transaction() as session:
                one = await acts.create(session, operator_id=writer, draft=draft)
                one.hours_start, one.hours_end = ALL_DAY["hours_start"], ALL_DAY["hours_end"]
            mark, began = _wal(asked), time.perf_counter()
            await preparing.run(one.id)
            found.prepare_seconds, found.wal_prepare = time.perf_counter() - began, _wal(asked) - mark
            mark, cpu = _wal(asked), cpu_of_server(postgres_pids(server.port))
            async with transaction() as session:
                ready = await acts.get(session, one.id)
                ready = await acts.approve(
                    session, one.id, version=ready.version, operator_id=second, recipients=ready.total
                )
                await acts.start(session, one.id, version=ready.version, operator_id=second)
            await _through(line, one.id)
            found.wal_send, found.server_cpu = _wal(asked) - mark, cpu_of_server(postgres_pids(server.port)) - cpu
            found.roll_bytes = _size(asked, f"outreach_roll_numbers_{roll_id}")
            found.ledger_bytes = _size(asked, f"broadcast_recipients_{one.id}")
    return found


async def _through(line: OutreachLine, broadcast_id: int) -> None:
    await until_over(broadcast_id, within=600)
    async with asyncio.timeout(120):
        while (said := await line.truth())["not_told"] or said["under_way"]:
            await asyncio.sleep(0.2)


def _wal(asked: psycopg.Connection[tuple[object, ...]]) -> int:
    found = asked.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").fetchone()
    return int(str(found[0])) if found else 0


def _size(asked: psycopg.Connection[tuple[object, ...]], table: str) -> int:
    found = asked.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return int(str(found[0])) if found else 0


def rows(scaled: Scaled) -> list[Row]:
    """What is said of it; per million recipients."""
    cost, times = scaled.cost, MILLION / COUNTED
    on = f"on Debian's PostgreSQL {scaled.version}"
    by = dict(scaled.rates)
    gigabyte = 1e9
    return [
        *(row(AREA, f"{workers} sending processes {on}: texts a second, a carrier of {DELAY_MS:.0f} ms", [rate], "1/s", better="higher") for workers, rate in scaled.rates),
        *(row(AREA, f"{workers} sending processes against one", [by[workers] / by[1]], "times", better="higher") for workers in WORKERS[1:]),
        row(AREA, f"A million recipients {on}: import", [cost.import_seconds * times], "s"),
        row(AREA, f"A million recipients {on}: ledger prepared", [cost.prepare_seconds * times], "s"),
        row(AREA, f"A million recipients {on}: CPU of the server for sending and receipts", [cost.server_cpu * times], "s"),
        row(AREA, f"A million recipients {on}: roll with its index", [cost.roll_bytes * times / gigabyte], "GB"),
        row(AREA, f"A million recipients {on}: ledger with its indexes, all receipts in", [cost.ledger_bytes * times / gigabyte], "GB"),
        row(AREA, f"A million recipients {on}: WAL of import and ledger", [(cost.wal_import + cost.wal_prepare) * times / gigabyte], "GB"),
        row(AREA, f"A million recipients {on}: WAL of sending and receipts", [cost.wal_send * times / gigabyte], "GB"),
    ]  # fmt: skip
