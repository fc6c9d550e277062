"""Which workers live: each writes a row every second, `/readyz` reads it."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import Base, transaction

ALIVE_WITHIN = timedelta(seconds=6)


class WorkerBeat(Base):
    """The last sign of life of one worker process of a queue."""

    __tablename__ = "worker_beats"

    queue: Mapped[str] = mapped_column(String(16), primary_key=True)
    worker: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]


async def beat(queue: str) -> None:
    """This process works on `queue` and lives."""
    me = f"{socket.gethostname()[:60]}:{os.getpid()}"
    row = insert(WorkerBeat).values(queue=queue, worker=me, at=clock.now())
    async with transaction() as session:
        await session.execute(
            row.on_conflict_do_update(index_elements=["queue", "worker"], set_={"at": row.excluded.at})
        )
        await session.execute(delete(WorkerBeat).where(WorkerBeat.at < clock.now() - timedelta(minutes=5)))


async def list_alive(session: AsyncSession) -> set[str]:
    """The queues that have a living worker."""
    fresh = (
        select(WorkerBeat.queue)
        .group_by(WorkerBeat.queue)
        .having(func.max(WorkerBeat.at) >= clock.now() - ALIVE_WITHIN)
    )
    return set(await session.scalars(fresh))
