"""One lock for whoever erases and whoever holds: what a hold finds at its commit is there, and nothing goes after it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

LOCK = 12345_09


async def take(session: AsyncSession) -> None:
    """Wait for the batch that runs (seconds at most), and keep others out until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(LOCK)))


async def try_to_take(session: AsyncSession) -> bool:
    """Whether it is ours until this transaction ends; False at once when another has it."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))))
