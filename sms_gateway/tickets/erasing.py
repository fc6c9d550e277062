"""Erasing somebody's words from a ticket's events (a person's right): the words go, the chain stays whole."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import NotFound

from . import lifecycle, pushing
from .actors import Actor
from .lifecycle import Evidence, EvidenceIsMissing, Who
from .models import Ticket, TicketEvent
from .record import record_event

MAY_ERASE = frozenset({Who.LEAD, Who.SYSTEM})


class NothingToErase(NotFound):
    sentence = "没有要抹去的话：这些记录里没有话，或者已经抹去了。"


async def erase_why(
    session: AsyncSession, ticket: Ticket, seqs: Collection[int], *, actor: Actor, reason: str
) -> TicketEvent:
    """Erase the words of these events of the locked ticket; who, when and what stay. The `erased` event names them.

    Raises `NotYoursToMove` (403), `EvidenceIsMissing` (422), `NothingToErase` (404; then nothing changes).
    """
    if actor.who not in MAY_ERASE:
        raise lifecycle.NotYoursToMove
    if not reason.strip():
        raise EvidenceIsMissing({Evidence.WHY})
    wanted = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.seq.in_(set(seqs)))
    found = (await session.scalars(wanted.order_by(TicketEvent.seq).with_for_update())).all()
    spoken = [event for event in found if event.why_sealed is not None]
    if not spoken or len(found) != len(set(seqs)):
        raise NothingToErase
    for event in spoken:
        event.why, event.erased_at = None, clock.now()
    await pushing.forget(session, ticket, spoken)
    detail = {"seqs": [event.seq for event in spoken]}
    return await record_event(session, ticket, "erased", who=str(actor), why=reason, detail=detail)
