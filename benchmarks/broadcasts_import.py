"""An audience of 1,000,000: its import from CSV (check, blind index, encryption, COPY, duplicates, key), a bare COPY of the same
rows for the ratio, and the ledger cut from it. The work is done in a process of its own, `importer.py`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sms_gateway.migrations import upgrade
from sms_gateway.supervision.places import PYTHON
from sms_gateway.supervision.scratch import ScratchPostgres, scratch_postgres

from .results import Row, row

AREA = "broadcasts"
TARGET = 100_000
COUNTIES = ("镇雄县", "彝良县", "昭阳区", "宣威市", "会泽县", "530102", "")
RUN = "from benchmarks.importer import run; run()"
"""Not `-m`: each process of an import would load the measure's own code first, as it is the program."""
SPREAD = 7_368_787
"""A prime: numbers come in no order, as in a real list, and none twice."""


@dataclass(frozen=True)
class Figures:
    """As `importer.Figures`."""

    imported: list[float]
    copied: list[float]
    prepared: list[float]
    roll_bytes: float
    ledger_bytes: float
    ledger_wal: float
    import_wal: float


async def measure(console: Console, *, rounds: int = 3, numbers: int = 1_000_000) -> list[Row]:
    """The rows of this part."""
    found = await _rounds(rounds, numbers)
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
        await asyncio.to_thread(upgrade, url)
        small, large = server.folder / "small.csv", server.folder / "large.csv"
        _write(small, 1000)
        _write(large, numbers)
        told = server.folder / "figures.json"
        process = await asyncio.create_subprocess_exec(
            str(PYTHON), "-c", RUN, str(rounds), str(small), str(large), str(told), env=_settings(server, url)
        )  # fmt: skip
        if await process.wait() != 0:
            raise RuntimeError("the import was not measured")
        return Figures(**json.loads(told.read_text()))


def _settings(server: ScratchPostgres, url: str) -> dict[str, str]:
    return {
        **os.environ, "HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_DIR": str(server.folder), "HOTLINE_ENV_FILE": os.devnull,
        "HOTLINE_DATA_KEY": base64.b64encode(os.urandom(32)).decode(),
    }  # fmt: skip


def _write(path: Path, numbers: int) -> None:
    """An audience as an office sends it: GBK, with region and group; numbers of no person."""
    with path.open("w", encoding="gbk", newline="") as file:
        file.write("姓名,手机号,地区,分组,同意\r\n")
        for number in range(numbers):
            phone = 13_800_000_000 + number * SPREAD % 10_000_000
            file.write(f"某某,{phone},{COUNTIES[number % len(COUNTIES)]},家长,是\r\n")
