"""Putting the one survey text after a matter was concluded: between two talks, never into one."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.messages import outbox
from sms_gateway.messages.models import PendingQuestion, Thread
from sms_gateway.tickets import follow_up
from sms_gateway.tickets.models import FollowUp, Ticket

from . import pending, talk
from .ownership import Owner
from .questions import Kind


async def ask(session: AsyncSession, follow_up_id: int) -> None:
    """Send the survey of that follow-up and let it be the open question; put it off while the person is talked with.

    The talk is locked first, then the ticket, as in a turn.
    """
    of = select(Ticket.thread_id).join(FollowUp, FollowUp.ticket_id == Ticket.id).where(FollowUp.id == follow_up_id)
    thread_id = await session.scalar(of)
    if thread_id is None:
        return
    thread = await talk.get_talk(session, thread_id, for_update=True)
    claimed = await follow_up.claim(session, follow_up_id)
    if claimed is None:
        return
    row, ticket = claimed
    if _is_busy(thread, await pending.find(session, thread.contact_id)):
        await follow_up.put_off(session, row)
        return
    message_id = await outbox.queue_fixed(session, thread=thread, key=follow_up.TEXT_KEY)
    assert message_id is not None  # it answers no text, so it cannot be there already
    detail = {"ticket": ticket.id, "follow_up": row.id}
    await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=follow_up.TEXT_KEY, detail=detail)
    await follow_up.mark_sent(session, row, ticket, message_id=message_id)


def _is_busy(thread: Thread, asked: PendingQuestion | None) -> bool:
    """A person has the talk or is called, danger is open, silence was wished since, or another question waits for its answer."""
    if thread.owner in (Owner.WAITING, Owner.OPERATOR) or thread.lane != "blue" or thread.contact.silent_at is not None:
        return True
    return asked is not None and asked.kind != Kind.FEEDBACK and asked.valid_until > clock.now()
