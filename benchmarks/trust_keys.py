"""How fast everything is resealed, and a backup written and read through: `python -m benchmarks.trust_keys [rows]`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import psycopg

from sealing import Keyring, with_new_key
from sms_gateway.broadcasts import addresses
from sms_gateway.commands import backup, resealing
from sms_gateway.commands.backup_file import BackupKeys, verify
from sms_gateway.settings import get_settings

from .casework_clocks import own_database

ROWS = 200_000


async def measure(rows: int = ROWS) -> None:
    """Prints cells a second of a ledger of so many numbers, and MB a second of its backup."""
    async with own_database() as url:
        ring = Keyring.from_text(with_new_key(os.environ["HOTLINE_DATA_KEY"]))
        with psycopg.connect(url, autocommit=True) as connection:
            _fill(connection, rows)
            began = time.monotonic()
            done = resealing.reseal(connection, ring)
            seconds = time.monotonic() - began
            assert (done.cells, resealing.standing(connection, ring).older_than(2)) == (rows, 0)
            print(f"resealed {done.cells:,} cells in {seconds:.1f} s: {done.cells / seconds:,.0f} cells/s")
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"HOTLINE_DATA_DIR": folder}):
            get_settings.cache_clear()
            _back_up(Path(folder) / "bench.backup", BackupKeys(ring, None))


def _back_up(file: Path, keys: BackupKeys) -> None:
    began = time.monotonic()
    with file.open("wb") as out:
        backup.write(out, keys)
    written = time.monotonic() - began
    verify(file, keys)
    read, size = time.monotonic() - began - written, file.stat().st_size / 1e6
    print(
        f"backup of {size:.1f} MB: written in {written:.1f} s, read through in {read:.2f} s ({size / read:,.0f} MB/s)"
    )


def _fill(connection: psycopg.Connection[tuple[object, ...]], rows: int) -> None:
    connection.execute("CREATE TABLE broadcast_recipients_1 PARTITION OF broadcast_recipients FOR VALUES IN (1)")
    indexes, sealed = addresses.seal_all([f"+86138{number:08d}" for number in range(rows)])
    names = "broadcast_id, number, wave, region, state, address_index, address_sealed"
    with connection.cursor().copy(f"COPY broadcast_recipients ({names}) FROM STDIN") as copy:
        for number, (index, cell) in enumerate(zip(indexes, sealed, strict=True), start=1):
            copy.write_row((1, number, 0, "530627", "created", index, cell))


if __name__ == "__main__":
    asyncio.run(measure(*map(int, sys.argv[1:2])))
