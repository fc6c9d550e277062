"""The end of a broadcast: its ledger is counted once, beside the governor, which never stands still for it."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import notify, transaction
from sms_gateway.jobs import PASSING

from . import acts, lifecycle, tallies
from .lifecycle import Held, Status
from .models import Broadcast

log = logs.get("broadcasts")

LOCK = 0x636F_756E_0000_0000
"""And the broadcast's id: one process counts one ledger."""


async def complete_ended() -> None:
    """Count the ledger of each broadcast whose last number is settled (`Held.COUNTING`): only that nothing is outstanding there
    makes it `completed`. It takes as long as the ledger is long."""
    async with transaction() as session:
        wanted = select(Broadcast.id).where(Broadcast.status == Status.RUNNING, Broadcast.held_by == Held.COUNTING)
        ids = list(await session.scalars(wanted.order_by(Broadcast.id)))
    for broadcast_id in ids:
        try:
            async with transaction() as session:
                await _complete(session, broadcast_id)
        except PASSING:
            raise
        except Exception:  # the others are counted all the same
            log.exception("outreach_not_counted", broadcast=broadcast_id)


async def _complete(session: AsyncSession, broadcast_id: int) -> None:
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK + broadcast_id}):
        return
    outstanding = await recount(session, broadcast_id)
    # Locked after the counting, so that whoever pauses or cancels meanwhile does not wait.
    one = await acts.get(session, broadcast_id, for_update=True)
    if one.status != Status.RUNNING or one.held_by != Held.COUNTING:
        return
    if outstanding:  # the counts are right now, and the governor sees to whom they speak of
        one.held_by = None
        return
    one.status = lifecycle.move(one.status, Status.COMPLETED, outstanding=outstanding)
    one.held_by, one.ended_at = None, clock.now()
    await acts.note(session, one, "completed", who=acts.MACHINE)
    await notify(session, "hotline_broadcast", str(one.id))


async def recount(session: AsyncSession, broadcast_id: int) -> int:
    """Numbers the ledger itself says are outstanding. Where the counts differ from it the ledger is right, and it is said."""
    outstanding, wrong = await tallies.correct(session, broadcast_id)
    if wrong:
        log.error("outreach_counts_were_wrong", broadcast=broadcast_id, counts=wrong)
    return outstanding
