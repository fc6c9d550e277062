"""回访和补充 on a ticket's page: what the person was asked after the end, and what the desk asks them on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.tickets import follow_up, inquiries, inquiry_rules, lifecycle
from sms_gateway.tickets.follow_up_rules import Purpose, why_not
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import FollowUp, Inquiry, Ticket

from .ids import Id
from .seat import MovingTickets
from .ticket_room import Version, actor_of, done, lock_ticket

log = logs.get("console")
router = APIRouter(prefix="/tickets/{ticket_id}")


@dataclass(frozen=True)
class FollowPart:
    """What `_ticket_follow.html` shows. `against`: why this person must not be texted (a key of `words.NOT_ASKED`)."""

    follow_ups: Sequence[FollowUp]
    inquiries: Sequence[Inquiry]
    against: str | None
    may_ask: bool
    """The ticket may wait for the person, and no question of ours is open."""

    longest: int = inquiry_rules.LONGEST


async def load(session: AsyncSession, ticket: Ticket) -> FollowPart:
    """The part of a ticket's page."""
    asked = await inquiries.list_for(session, ticket.id)
    clarifying = ticket.status == Status.CLARIFYING
    waits = clarifying and any(row.settled_at is None for row in asked)
    reason = why_not(await follow_up.facts_of(session, ticket), Purpose.QUESTION)
    can = clarifying or lifecycle.can_move(ticket.status, Status.CLARIFYING)
    return FollowPart(
        follow_ups=await follow_up.list_for(session, ticket.id), inquiries=asked,
        against=reason.value if reason is not None else None, may_ask=can and not waits,
    )  # fmt: skip


@router.post("/ask-person")
async def ask_person(
    request: Request,
    ticket_id: Id,
    seat: MovingTickets,
    version: Version,
    words: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Release a question to the person, in the desk's words: by day at once, at night in the morning. 409 where it must not be."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        row = await inquiries.ask(session, ticket, actor=actor_of(seat), words=words)
    log.info("person_asked", ticket=ticket_id, inquiry=row.id, operator=seat.operator.id)
    return done(request, f"/tickets/{ticket_id}")
