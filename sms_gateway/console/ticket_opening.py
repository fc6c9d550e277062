"""Why somebody at the desk opens a ticket (未保法 63): danger on their duty, their own work, or a reason in words, for two hours.

The reason is looked for in the audit itself: what was not written down opened nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.conversations.ownership import Owner
from sms_gateway.errors import HotlineError
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import AuditRow
from sms_gateway.tickets import sealed_rules
from sms_gateway.tickets.models import Ticket, TicketEvent

from . import reasons
from .seat import Seat

OPENED = "open_shut_ticket"
OPEN_FOR = timedelta(hours=2)


class TicketIsShut(HotlineError):
    status_code = 403
    sentence = "这件单已经结束，或者是敏感的事，不是你在办。要看，先写一句理由。"


async def reason_of(session: AsyncSession, seat: Seat, ticket: Ticket, events: Sequence[TicketEvent]) -> str | None:
    """The reason for the audit; None where it was said in words within two hours. Raises `TicketIsShut`."""
    is_open, since = ticket.closed_at is None, clock.now() - OPEN_FOR
    talk = await session.get_one(Thread, ticket.thread_id)
    in_hand = talk.owner == Owner.OPERATOR and talk.operator_id == seat.operator.id
    own = [event.at for event in events if event.who == f"operator:{seat.operator.id}"]
    reason = reasons.for_a_ticket(
        ticket.lane, on_duty=seat.operator.on_duty, is_open=is_open, is_harm=sealed_rules.is_harm(ticket),
        at_it=in_hand or (bool(own) and (is_open or own[-1] >= since)),
    )  # fmt: skip
    if reason is not None:
        return reason
    said = select(AuditRow.id).where(
        AuditRow.subject == f"ticket:{ticket.id}", AuditRow.operator_id == seat.operator.id, AuditRow.what == OPENED,
        AuditRow.at >= since,
    )  # fmt: skip
    if await session.scalar(said.limit(1)) is None:
        raise TicketIsShut
    return None
