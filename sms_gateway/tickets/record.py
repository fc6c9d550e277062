"""Events of a ticket: the only place that writes one. The ticket's row must be locked, or new in this transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index
from sms_gateway.database import notify

from . import chain
from .models import Ticket, TicketEvent

WHY_PURPOSE = "ticket_events.why"


def why_digest(why: str | None) -> bytes | None:
    """The keyed digest of somebody's words."""
    return blind_index(why, WHY_PURPOSE) if why else None


async def record_event(
    session: AsyncSession, ticket: Ticket, what: str, *, who: str, from_status: str | None = None,
    to_status: str | None = None, why: str | None = None, detail: Mapping[str, Any] | None = None, at: datetime | None = None,
) -> TicketEvent:  # fmt: skip
    """Append one event to the ticket's chain, tell listening pages, and hand it to the push. `detail`: ids and codes only.

    Two writers at once: the second one's (ticket, seq) is taken, and its transaction fails.
    """
    seq, uid, at = ticket.events + 1, uuid4(), at or clock.now()
    digest, kept = why_digest(why), dict(detail or {})
    content = chain.content_hash(
        uid=uid, seq=seq, what=what, who=who, at=at, from_status=from_status, to_status=to_status, why_digest=digest,
        detail=kept,
    )  # fmt: skip
    head = chain.link(ticket.head or chain.start(ticket.uid), content)
    event = TicketEvent(
        uid=uid, ticket_id=ticket.id, seq=seq, what=what, who=who, at=at, from_status=from_status, to_status=to_status,
        why=why or None, why_digest=digest, detail=kept, content_hash=content, chain_hash=head,
    )  # fmt: skip
    session.add(event)
    ticket.events, ticket.head = seq, head
    await session.flush()
    await notify(session, "hotline_ticket", str(ticket.id))
    return event
