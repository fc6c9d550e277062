"""The process that `broadcasts_import` measures: ROUNDS SMALL.csv LARGE.csv FIGURES.json, on the database of its environment.

It is timed from the call to a roll that is ready, processes included; what they are forked from runs already, as in a worker
that imported before: SMALL is imported first.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import delete

from sms_gateway import clock
from sms_gateway.broadcasts import importing, preparing, rolls
from sms_gateway.broadcasts.models import Broadcast, BroadcastEvent
from sms_gateway.broadcasts.roll_models import Roll
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.database import database_url, dispose, transaction


@dataclass
class Figures:
    """Numbers a second (imported, copied bare), seconds (prepared), bytes a row (roll and ledger with their indexes; WAL)."""

    imported: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    prepared: list[float] = field(default_factory=list)
    roll_bytes: float = 0.0
    ledger_bytes: float = 0.0
    ledger_wal: float = 0.0
    import_wal: float = 0.0


async def main(rounds: int, small: Path, large: Path, told: Path) -> None:
    """Write the figures of the rounds to `told`."""
    url, figures = database_url(), Figures()
    try:
        author = await _author()
        await _once(small, Figures(), url, author)
        for _ in range(rounds):
            await _once(large, figures, url, author)
    finally:
        await dispose()
    told.write_text(json.dumps(asdict(figures)))


async def _author() -> int:
    from sms_gateway.operators import accounts
    from sms_gateway.operators.models import Role

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
        with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as out:
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


def run() -> None:
    """The command line."""
    asyncio.run(main(int(sys.argv[1]), *map(Path, sys.argv[2:5])))
