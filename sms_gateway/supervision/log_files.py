"""The children's log files: kept small by copying a full one away and cutting it short (they are opened to append)."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

FULL_AT = 20 * 1024**2
KEPT = 3
EVERY = 30.0
"""Bytes of a full log, older copies of it, seconds between looks."""


def rotate(log: Path, *, full_at: int = FULL_AT, kept: int = KEPT) -> bool:
    """Move a full log's lines to `<log>.1` (that one to `.2`, …); whether it was full."""
    if log.stat().st_size < full_at:
        return False
    for number in range(kept - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copy2(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


async def keep_small(folder: Path) -> None:
    """Look after every log of the folder, for ever."""
    while True:
        await asyncio.sleep(EVERY)
        for log in folder.glob("*.log"):
            await asyncio.to_thread(rotate, log)
