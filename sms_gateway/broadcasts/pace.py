"""What may go out right now: buckets of tokens in the database, drawn from by every worker of every machine."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from .pacing import BURST_SECONDS

DRAW = text("""
INSERT INTO outreach_pace AS pace (name, tokens, given, at) VALUES (:name, 0, 0, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET (tokens, given, at) = (
    SELECT there - given, given, clock_timestamp() FROM (
        SELECT there, CASE WHEN there >= least(:least, :wanted) THEN least(there, :wanted) ELSE 0 END AS given FROM (
            SELECT least(
                greatest(pace.tokens, 0) + greatest(EXTRACT(EPOCH FROM clock_timestamp() - pace.at), 0) * :rate,
                greatest(:rate * :burst, least(:least, :wanted), 1)
            ) AS there
        ) AS refilled
    ) AS reckoned
)
RETURNING given
""")
"""A bucket in its own row, in one journey. A clock that jumped back brings nothing, one that jumped ahead a second's worth."""
RETURN = text("UPDATE outreach_pace SET tokens = tokens + :tokens WHERE name = :name")


async def draw(session: AsyncSession, name: str, *, rate: float, wanted: float, least: float = 1.0) -> float:
    """Up to `wanted` tokens of the bucket that gets `rate` a second; 0 when there are not even `least`.

    The bucket holds what a second brings, and `least` where that is more: a text of two segments goes out at one segment a second, too.

    Holds the bucket's row until the transaction ends: keep it short.
    """
    binds = {"name": name, "rate": rate, "wanted": wanted, "least": least, "burst": BURST_SECONDS}
    given = (await session.execute(DRAW, binds)).scalar_one()
    return float(given)


async def give_back(session: AsyncSession, name: str, tokens: float) -> None:
    """Tokens that were not used: their numbers were left out."""
    if tokens > 0:
        await session.execute(RETURN, {"name": name, "tokens": tokens})
