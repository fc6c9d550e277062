"""`python -m tests.broadcasts.importer ROLL FILE`: an import in a process of its own, so that it can be killed or weighed.

Prints the most memory (KB) of its children, once it is through.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path

from sms_gateway.broadcasts import importing
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.operators import models  # noqa: F401 - a roll's row names their table

most = 0


def weigh() -> None:
    """Look at every process of the import, ours too."""
    global most
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    with suppress(OSError):
        pids = ["self", *Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        for pid in pids:
            status = Path(f"/proc/{pid}/status").read_text()
            most = max(most, int(status.partition("VmHWM:")[2].split()[0]))


async def main(roll_id: int, path: str) -> None:
    async def keep_weighing() -> None:
        while True:
            weigh()
            await asyncio.sleep(0.1)

    beside = asyncio.create_task(keep_weighing())
    await importing.run(roll_id, OnDisk(path))
    beside.cancel()
    print(most)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
