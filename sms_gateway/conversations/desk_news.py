"""A desk that has a matter of ours hears what we learn of it later: where it is, that the child was seen, that it was nothing."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge import placing, telling
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.triage.judgement import Lane

from . import bridging, scene, talk

ENDS = {
    State.CHILD_SEEN: telling.CHILD_SEEN, State.RESOLVED: telling.CHILD_SEEN, State.FALSE_ALARM: telling.FALSE_ALARM,
}  # fmt: skip
"""What a desk hears of a red call in that state: it is resolved only once the child was seen."""


async def tell_place(session: AsyncSession, thread_id: int) -> None:
    """Where the open call of that talk is, to the desks that were told less: a text that only names the county again is no news."""
    escalation = await escalations.find_open(session, thread_id)
    if escalation is None:
        return
    calls = await telling.list_told(session, escalation.id)
    if not calls:
        return
    thread = await talk.get_talk(session, thread_id)
    texts = await scene.read(session, escalation)
    where = await scene.where(session, thread, escalation, texts)
    if where.region is None:
        return
    for call in calls:
        region, spot = await telling.known_place(session, call)
        better = where.region != region or (where.below_county and not spot)
        if better or placing.names_spot(where.words):
            told = await bridging.preview(session, thread, escalation, call.service, texts=texts)
            detail = {"region": where.region, "spot": where.below_county}
            await telling.queue(session, call, telling.PLACE, words=told.place, detail=detail)


async def tell_end_late(session: AsyncSession, call_id: int) -> None:
    """Something became of that hand-over: a desk that takes the matter only now hears how it ended meanwhile."""
    of = select(BridgeCall.escalation_id).where(BridgeCall.id == call_id)
    await tell_end(session, (await session.scalars(of)).one())


async def tell_end(session: AsyncSession, escalation_id: int) -> None:
    """The child was seen, or it was a false alarm."""
    escalation = (await session.scalars(select(Escalation).where(Escalation.id == escalation_id))).one()
    state = ENDS.get(State(escalation.state))
    if state is not None and escalation.lane == Lane.RED:
        for call in await telling.list_told(session, escalation_id):
            await telling.queue(session, call, state)
