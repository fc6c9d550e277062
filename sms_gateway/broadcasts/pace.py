"""What may go out right now: buckets of tokens in the database, drawn from by every worker of every machine."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from .pacing import refilled

LOCKED = text("""
INSERT INTO outreach_pace (name, tokens, at) VALUES (:name, 0, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING tokens, EXTRACT(EPOCH FROM clock_timestamp() - at)
""")
KEEP = text("UPDATE outreach_pace SET tokens = :tokens, at = clock_timestamp() WHERE name = :name")
RETURN = text("UPDATE outreach_pace SET tokens = tokens + :tokens WHERE name = :name")


async def draw(session: AsyncSession, name: str, *, rate: float, wanted: float, least: float = 1.0) -> float:
    """Up to `wanted` tokens of the bucket that gets `rate` a second; 0 when there are not even `least`.

    Holds the bucket's row until the transaction ends: keep it short.
    """
    tokens, elapsed = (await session.execute(LOCKED, {"name": name})).one()
    there = refilled(tokens=tokens, elapsed=float(elapsed), rate=rate)
    given = min(there, wanted) if there >= min(least, wanted) else 0.0
    await session.execute(KEEP, {"name": name, "tokens": there - given})
    return given


async def give_back(session: AsyncSession, name: str, tokens: float) -> None:
    """Tokens that were not used: their numbers were left out."""
    if tokens > 0:
        await session.execute(RETURN, {"name": name, "tokens": tokens})
