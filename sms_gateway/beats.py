"""Which processes live: each writes a row every second or two, `/readyz` and the page 运行 read it."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Integer, String, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import Base, transaction

ALIVE_WITHIN = timedelta(seconds=6)
KEPT_FOR = timedelta(minutes=5)


class WorkerBeat(Base):
    """The last sign of life of one process: a worker of a queue, a gateway, a console."""

    __tablename__ = "worker_beats"

    queue: Mapped[str] = mapped_column(String(16), primary_key=True)
    """A queue's name, `outreach`, `gateway` or `console`."""
    worker: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
    since: Mapped[datetime | None]
    """Its first beat."""
    memory_mb: Mapped[int | None] = mapped_column(Integer)
    """What it holds in memory, in MiB."""


async def beat(queue: str) -> None:
    """This process works on `queue` and lives."""
    me = f"{socket.gethostname()[:60]}:{os.getpid()}"
    now = clock.now()
    row = insert(WorkerBeat).values(queue=queue, worker=me, at=now, since=_began(queue), memory_mb=memory_mb())
    changed = {"at": row.excluded.at, "since": row.excluded.since, "memory_mb": row.excluded.memory_mb}
    async with transaction() as session:
        await session.execute(row.on_conflict_do_update(index_elements=["queue", "worker"], set_=changed))
        await session.execute(delete(WorkerBeat).where(WorkerBeat.at < now - KEPT_FOR))


@lru_cache(maxsize=16)
def _began(_queue: str) -> datetime:
    """The moment of this process's first beat: a number of a process comes again, its beginning does not."""
    return clock.now()


def memory_mb() -> int:
    """MiB of this process in memory now; where the system does not tell, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return pages * resource.getpagesize() // 1024**2


async def list_alive(session: AsyncSession) -> set[str]:
    """The queues that have a living worker."""
    fresh = (
        select(WorkerBeat.queue)
        .group_by(WorkerBeat.queue)
        .having(func.max(WorkerBeat.at) >= clock.now() - ALIVE_WITHIN)
    )
    return set(await session.scalars(fresh))


async def list_beats(session: AsyncSession) -> Sequence[WorkerBeat]:
    """Every process that gave a sign within `KEPT_FOR`, by queue."""
    return (await session.scalars(select(WorkerBeat).order_by(WorkerBeat.queue, WorkerBeat.worker))).all()
