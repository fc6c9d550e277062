"""What a person hears of a transfer: that it is done only once it is, by day unless they have just written, and once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Thread
from sms_gateway.timers import set_timer

from . import follow_up_rules as rules
from . import transfer_rules
from .decent_hours import by_day, is_decent
from .follow_up import facts_of
from .follow_up_rules import Purpose
from .models import Ticket, Transfer
from .transfer_rules import GENERAL, State

JOB = "tickets.tell_transfer"
_SLOTS = {"other.matter": 90, "transfer.province": 90, "transfer.failed": 91}
"""Number of the text among the replies to the person's own: each goes out once, however often the job runs."""


async def tell(session: AsyncSession, row: Transfer, ticket: Ticket) -> None:
    """Say what became of it now, or in the morning."""
    key = words_for(row.state, row.partner, kind=ticket.kind)
    if key is None or ticket.asked_in is None:
        return
    now = clock.now()
    if is_decent(now) or now - ticket.received_at <= transfer_rules.SOON:
        await _say(session, row, ticket, key)
    else:
        await set_timer(session, job=JOB, subject_id=row.id, due_at=by_day(now))


async def tell_later(session: AsyncSession, transfer_id: int) -> None:
    """It is day: say how it stands now."""
    row = await session.scalar(select(Transfer).where(Transfer.id == transfer_id).options(joinedload(Transfer.ticket)))
    if row is not None:
        await tell(session, row, row.ticket)


def words_for(state: str, partner: str, *, kind: str) -> str | None:
    """The wording key; None: nothing is said. That it failed hears only who was told that it is being tried."""
    if state in (State.ACCEPTED, State.CLOSED):
        return "other.matter" if partner == GENERAL else "transfer.province"
    if state in (State.BY_HAND, State.REFUSED) and partner == GENERAL and kind == "transfer":
        return "transfer.failed"
    return None


async def _say(session: AsyncSession, row: Transfer, ticket: Ticket, key: str) -> None:
    purpose = Purpose.ANSWER if row.partner == GENERAL else Purpose.QUESTION
    if rules.why_not(await facts_of(session, ticket), purpose) is not None:
        return
    of = select(Thread).where(Thread.id == ticket.thread_id).options(joinedload(Thread.contact))
    thread = (await session.scalars(of)).one()
    values = {"province": row.partner} if key == "transfer.province" else {}
    await outbox.queue_fixed(session, thread=thread, key=key, reply_to=ticket.asked_in, slot=_SLOTS[key], **values)
