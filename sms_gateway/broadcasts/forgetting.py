"""Numbers of outreach go some time after it ended: ledger and roll are dropped as partitions, figures and tallies stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from . import delays, overview, responses, rolls, tallies
from .lifecycle import ENDED
from .models import Broadcast
from .preparing import drop_ledger
from .roll_models import Roll
from .rolls import RollState

WAIT_MS = 200
"""For the lock of all ledgers: a purge is in no hurry, and texts that leave stand in line behind it meanwhile."""


async def list_ledgers(session: AsyncSession, *, before: datetime) -> Sequence[int]:
    """Broadcasts that ended before then and whose ledger is still there; never begun ones count from their making."""
    over = func.coalesce(Broadcast.ended_at, Broadcast.created_at) < before
    wanted = select(Broadcast.id).where(Broadcast.status.in_(ENDED), Broadcast.figures_kept.is_(None), over)
    return (await session.scalars(wanted.order_by(Broadcast.id))).all()


async def forget_ledger(session: AsyncSession, broadcast_id: int) -> None:
    """Keep the report's figures, then drop the numbers. Raises `LedgerIsBeingRead`."""
    one = await session.get_one(Broadcast, broadcast_id, with_for_update=True)
    progress = await overview.look(session, broadcast_id)
    came = await responses.measure(session, broadcast_id, texted=tallies.left(progress.states))
    took = await delays.measure(session, broadcast_id, total=one.total)
    kept = {"responses": responses.to_keep(came), "delays": asdict(took)}
    await drop_ledger(session, broadcast_id, wait_ms=WAIT_MS)
    one.figures_kept = kept


async def list_rolls(session: AsyncSession, *, before: datetime) -> Sequence[int]:
    """Rolls read before then that no broadcast still needs."""
    audience = Broadcast.audience
    needed = select(Broadcast.id).where(
        Broadcast.status.not_in(ENDED),
        or_(audience["rolls"].contains(func.jsonb_build_array(Roll.id)), audience["without"].contains(func.jsonb_build_array(Roll.id))),
    )  # fmt: skip
    over = func.coalesce(Roll.finished_at, Roll.created_at) < before
    wanted = select(Roll.id).where(Roll.state.in_((RollState.READY, RollState.FAILED)), over, ~needed.exists())
    return (await session.scalars(wanted.order_by(Roll.id))).all()


async def forget_roll(session: AsyncSession, roll_id: int) -> None:
    """Drop its numbers. Raises what `rolls.remove` raises."""
    await rolls.remove(session, roll_id=roll_id, wait_ms=WAIT_MS)
