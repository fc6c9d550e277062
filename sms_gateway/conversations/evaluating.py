"""A person's mark for a concluded matter, or their 没解决: noted, and told to a supervisor when the matter comes back."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.escalations import service as escalations
from sms_gateway.messages.models import Message
from sms_gateway.operators import presence
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket

from . import talk

CAUSE = "not_solved"


async def take_mark(
    session: AsyncSession, *, message: Message, stars: int | None, unsolved: bool, ticket_id: int | None = None
) -> str:
    """Note the mark (5 best, 1 worst) or the 没解决 in `message`; the wording key of what to say to it.

    `ticket_id`: the matter the survey was about; None: the newest that waits for a mark.
    """
    ticket = await tickets.evaluate(
        session, contact_id=message.contact_id, stars=stars, message_id=message.id, unsolved=unsolved, ticket_id=ticket_id
    )  # fmt: skip
    if ticket is None:
        return "eval.none"
    if ticket.status != Status.REWORKED:
        return "eval.thanks"
    await _tell_supervisor(session, message, ticket)
    return "eval.unresolved" if unsolved else "eval.sorry"


async def _tell_supervisor(session: AsyncSession, message: Message, ticket: Ticket) -> None:
    """In the queue, without ringing, and in the audit: somebody has to see why the matter was not solved."""
    await escalations.open_or_raise(session, message=message, cause=CAUSE, lane="blue", harm=message.harm)
    detail = {"cause": CAUSE, "message": message.id, "ticket": ticket.id}
    await talk.note(session, message.thread_id, "shown_to_person", who="system", detail=detail)
    await presence.note(session, operator_id=None, what="asked_for_rework", subject=f"ticket:{ticket.id}")
