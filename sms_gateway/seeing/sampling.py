"""A sample each minute, kept for a day: the charts of the page 运行."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction

from . import machine, reading
from .machine import Machine
from .models import OperationSample
from .reading import Look

KEPT_FOR = timedelta(hours=24)


async def sweep() -> bool:
    """Write this minute's sample if nobody has, and forget what is older than a day; whether it was ours to write."""
    minute = clock.now().replace(second=0, microsecond=0)
    async with transaction() as session:
        if await session.scalar(select(OperationSample.minute).where(OperationSample.minute == minute)) is not None:
            return False
        figures = figures_of(await reading.look(session), await asyncio.to_thread(machine.look))
        row = insert(OperationSample).values(minute=minute, figures=figures).on_conflict_do_nothing()
        written = await session.scalar(row.returning(OperationSample.minute)) is not None
        await session.execute(delete(OperationSample).where(OperationSample.minute < minute - KEPT_FOR))
    return written


def figures_of(look: Look, here: Machine) -> dict[str, Any]:
    """What the charts need, as JSON: seconds, counts, bytes. Pure."""
    return {
        "age": {name: round(queue.age, 1) for name, queue in look.queues.items()},
        "waiting": sum(queue.waiting for queue in look.queues.values()),
        "took": {kind.value: [one.half, one.most] for kind, one in look.took.items()},
        "sends": _by_state(look.sends),
        "push_lag": max((one.lag for one in look.pushes.values()), default=0.0),
        "ringing": look.ringing, "on_duty": look.on_duty, "spooled": here.spooled, "disk_free": here.disk_free,
        "database": look.database_bytes, "broadcast_rate": look.broadcast_rate,
    }  # fmt: skip


def _by_state(sends: Mapping[tuple[str, str], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_carrier, state), count in sends.items():
        found[state] = found.get(state, 0) + count
    return found


async def list_samples(session: AsyncSession, *, since: datetime) -> Sequence[OperationSample]:
    """Every sample from then on, the oldest first."""
    wanted = select(OperationSample).where(OperationSample.minute >= since).order_by(OperationSample.minute)
    return (await session.scalars(wanted)).all()
