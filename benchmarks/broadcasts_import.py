"""An audience of 1,000,000: its import from CSV (check, blind index, encryption, COPY, duplicates, key), a bare COPY of the same
rows for the ratio, and the ledger cut from it.

The import is timed from the call to a roll that is ready, processes included; the small process they are forked from is
running, as it is in a worker that imported before.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.console import Console
from sqlalchemy import delete

from sms_gateway import clock
from sms_gateway.broadcasts import importing, preparing, rolls
from sms_gateway.broadcasts.models import Broadcast, BroadcastEvent
from sms_gateway.broadcasts.roll_models import Roll
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.database import dispose, transaction
from sms_gateway.migrations import upgrade
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from sms_gateway.supervision.scratch import scratch_postgres

from .results import Row, row

AREA = "broadcasts"
TARGET = 100_000
COUNTIES = ("镇雄县", "彝良县", "昭阳区", "宣威市", "会泽县", "530102", "")
SPREAD = 7_368_787
"""A prime: numbers come in no order, as in a real list, and none twice."""


@dataclass
class Figures:
    """Numbers a second (imported, copied bare), seconds (prepared), bytes a row (the roll, the ledger; with their indexes)."""

    imported: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    prepared: list[float] = field(default_factory=list)
    roll_bytes: float = 0.0
    ledger_bytes: float = 0.0
    ledger_wal: float = 0.0
    import_wal: float = 0.0


async def measure(console: Console, *, rounds: int = 3, numbers: int = 1_000_000) -> list[Row]:
    """The rows of this part."""
    found = await asyncio.to_thread(lambda: asyncio.run(_rounds(rounds, numbers)))
    console.print(
        f"broadcasts: {numbers:,} numbers imported and prepared {rounds} times; {found.roll_bytes:.0f} bytes a number on the roll, "
        f"{found.ledger_bytes:.0f} in the ledger; WAL {found.import_wal:.0f} and {found.ledger_wal:.0f} bytes"
    )
    pairs = list(zip(found.imported, found.copied, strict=True))
    name = f"Import of {numbers:,} numbers"
    return [
        row(AREA, f"{name}: numbers a second, check, encryption, index and COPY", found.imported, "1/s", target=TARGET, better="higher"),
        row(AREA, f"{name} against a bare COPY of its rows", [a / b for a, b in pairs], "times", better="higher"),
        row(AREA, "Bare COPY of the same rows: rows a second", found.copied, "1/s", better="higher"),
        row(AREA, f"Ledger of {numbers:,} recipients cut from a roll", found.prepared, "s"),
        row(AREA, "Bytes of a number on a roll, index included", [found.roll_bytes], "B"),
        row(AREA, "Bytes of a recipient in a fresh ledger, indexes included", [found.ledger_bytes], "B"),
    ]  # fmt: skip


async def _rounds(rounds: int, numbers: int) -> Figures:
    with scratch_postgres() as server:
        url = server.create("bench")
        upgrade(url)
        with _settings(url, server.folder):
            try:
                small, large = server.folder / "small.csv", server.folder / "large.csv"
                _write(small, 1000)
                _write(large, numbers)
                figures = Figures()
                author = await _author()
                await _once(small, Figures(), url, author)
                for _ in range(rounds):
                    await _once(large, figures, url, author)
                return figures
            finally:
                await dispose()


@contextmanager
def _settings(url: str, folder: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {
        "HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_DIR": str(folder), "HOTLINE_ENV_FILE": os.devnull,
        "HOTLINE_DATA_KEY": base64.b64encode(os.urandom(32)).decode(),
    }  # fmt: skip
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        get_settings.cache_clear()


def _write(path: Path, numbers: int) -> None:
    """An audience as an office sends it: GBK, with region and group; numbers of no person."""
    with path.open("w", encoding="gbk", newline="") as file:
        file.write("姓名,手机号,地区,分组,同意\r\n")
        for number in range(numbers):
            phone = 13_800_000_000 + number * SPREAD % 10_000_000
            file.write(f"某某,{phone},{COUNTIES[number % len(COUNTIES)]},家长,是\r\n")


async def _author() -> int:
    async with transaction() as session:
        return (await accounts.add(session, login="bench", name="bench", role=Role.EDITOR, password=None)).id


async def _once(path: Path, figures: Figures, url: str, author: int) -> None:
    async with transaction() as session:
        roll = await rolls.create(session, title="bench", created_by=None, file_size=path.stat().st_size)
    at = _wal(url)
    began = time.perf_counter()
    await importing.run(roll.id, OnDisk(str(path)))
    took = time.perf_counter() - began
    async with transaction() as session:
        ready = await rolls.get(session, roll.id)
    if ready.state != rolls.RollState.READY or ready.refused:
        raise RuntimeError("the roll is not what its file is")
    figures.imported.append(ready.taken / took)
    figures.import_wal = (_wal(url) - at) / ready.taken
    figures.roll_bytes = _size(url, rolls.table_of(roll.id)) / ready.taken
    figures.copied.append(await asyncio.to_thread(_copy_bare, url, rolls.table_of(roll.id), ready.taken))
    await _prepare(ready, figures, url, author)
    async with transaction() as session:
        await rolls.remove(session, roll_id=roll.id)


async def _prepare(roll: Roll, figures: Figures, url: str, author: int) -> None:
    async with transaction() as session:
        draft = Broadcast(
            title="bench", body="bench", created_by=author, created_at=clock.now(), authors=[author],
            audience=Segment((roll.id,)).to_data(),
        )  # fmt: skip
        session.add(draft)
    at = _wal(url)
    began = time.perf_counter()
    if not await preparing.run(draft.id):
        raise RuntimeError("not prepared")
    figures.prepared.append(time.perf_counter() - began)
    figures.ledger_wal = (_wal(url) - at) / roll.taken
    figures.ledger_bytes = _size(url, preparing.table_of(draft.id)) / roll.taken
    async with transaction() as session:
        await preparing.drop_ledger(session, draft.id)
        await session.execute(delete(BroadcastEvent))
        await session.execute(delete(Broadcast))


def _copy_bare(url: str, table: str, numbers: int) -> float:
    """Rows a second of COPY alone, the rows made beforehand, into a table without index."""
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as out:  # noqa: S608 - made of a number
            rows = [bytes(piece) for piece in out]
        packed = b"".join(rows)
        connection.execute(f"CREATE TABLE bare (LIKE {table})")
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as into:
            for start in range(0, len(packed), 1 << 20):
                into.write(packed[start : start + (1 << 20)])
        connection.commit()
        took = time.perf_counter() - began
        connection.execute("DROP TABLE bare")
    return numbers / took


def _size(url: str, table: str) -> float:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    assert found is not None
    return float(found[0])


def _wal(url: str) -> float:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert found is not None
    return float(found[0])
