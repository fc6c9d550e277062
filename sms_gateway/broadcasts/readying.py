"""A draft's list is asked for: marked at once, so that nobody asks twice, and made by a job (`preparing`)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.errors import BadInput
from sms_gateway.jobs import defer

from . import acts, lifecycle, segments
from .lifecycle import Status
from .models import Broadcast
from .segments import Segment


class NobodyIsChosen(BadInput):
    sentence = "还没有选名册。先在“发给谁”里勾一份名册，保存，再准备名单。"


async def ask(session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int) -> Broadcast:
    """Let the ledger of this draft be made. Raises `NobodyIsChosen`, what `acts.get` and `segments.check` raise, and
    `lifecycle.BroadcastCannotMove` where it is no draft."""
    one = await acts.get(session, broadcast_id, version=version, for_update=True)
    if one.status != Status.DRAFT:
        raise lifecycle.BroadcastCannotMove
    if one.prepared in ("preparing", "ready"):
        return one
    segment = Segment.from_data(one.audience)
    if not segment.rolls:
        raise NobodyIsChosen
    await segments.check(session, segment)
    one.prepared = "preparing"
    await acts.note(session, one, "preparing", who=f"operator:{operator_id}")
    await defer(session, "broadcasts.prepare", broadcast_id=broadcast_id)
    return one
