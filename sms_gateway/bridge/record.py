"""The steps of one bridge call as they are written down: noted, accepted, failed. Whoever calls holds its row's lock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.jobs import defer

from .models import BridgeCall, BridgeEvent

CHANGED = "conversations.bridge_changed"
"""The job that tells the talk: its room stands above this one."""


async def lock(session: AsyncSession, call_id: int) -> BridgeCall:
    """The bridge call, locked until the transaction ends."""
    wanted = select(BridgeCall).where(BridgeCall.id == call_id).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()


async def note(
    session: AsyncSession, call: BridgeCall, what: str, *, who: str = "system", detail: dict[str, Any] | None = None,
    words: str | None = None,
) -> None:  # fmt: skip
    """Write a step down (`detail`: codes and ids only) and tell the open pages."""
    session.add(BridgeEvent(call_id=call.id, what=what, who=who, at=clock.now(), detail=detail or {}, words=words))
    await notify(session, "hotline_escalation", str(call.escalation_id))
    await notify(session, "hotline_thread", str(call.thread_id))


async def accept(session: AsyncSession, call: BridgeCall, *, receipt: str, who: str) -> bool:
    """The desk has it, perhaps after it refused first; False when it was settled before."""
    if call.state != "requested" and not (call.state == "failed" and call.settled_at is None):
        return False
    call.state, call.receipt, call.accepted_at = "accepted", receipt, clock.now()
    await note(session, call, "accepted", who=who)
    await defer(session, CHANGED, call_id=call.id)
    return True


async def fail(session: AsyncSession, call: BridgeCall, *, error: str) -> bool:
    """It did not come through: it stays red until a supervisor settles it, and is called out at once. False when it was settled before.

    A desk may also give up what it had accepted.
    """
    if call.state not in ("requested", "accepted"):
        return False
    call.state, call.last_error, call.alarmed_at = "failed", error[:40], call.alarmed_at or clock.now()
    await note(session, call, "failed", detail={"error": error[:40]})
    await defer(session, CHANGED, call_id=call.id)
    return True
