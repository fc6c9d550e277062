"""What `hotline replay` reads from the database after each turn, and the one thing it may prepare."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, text, update

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.escalations.service import find_open
from sms_gateway.messages.inbox import Inbound, find_or_make_thread, record
from sms_gateway.messages.models import Thread
from sms_gateway.tickets import concluding, follow_up
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.actors import operator
from sms_gateway.tickets.models import Ticket, Transfer
from sms_gateway.tickets.transfer_rules import GENERAL
from sms_gateway.timers import Timer

NOBODY = operator(0)
"""Who concludes: nobody works here."""


_AT_GENERAL_DESK = exists().where(Transfer.ticket_id == Ticket.id, Transfer.partner == GENERAL)
"""A matter that is the general desk's is no ticket of the hotline's own (`tickets.transfer_rules.owner`)."""


async def count_jobs() -> int:
    """Jobs that wait or run."""
    async with transaction() as session:
        waiting = text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        return await session.scalar(waiting) or 0


async def next_timer(until: datetime) -> datetime | None:
    """When the next timer falls due, if that is not after `until`."""
    async with transaction() as session:
        wanted = select(func.min(Timer.due_at)).where(Timer.done_at.is_(None), Timer.due_at <= until)
        return await session.scalar(wanted)


async def end_waiting_now() -> int:
    """Let every text that waits for a further part have its turn; returns how many."""
    async with transaction() as session:
        waiting = update(Timer).where(Timer.job == "conversations.end_waiting", Timer.done_at.is_(None))
        due = await session.scalars(waiting.values(due_at=clock.now()).returning(Timer.id))
        return len(due.all())


async def conclude_ticket(number: str) -> datetime:
    """A ticket of this number is concluded just now; when its follow-up text is due."""
    now = clock.now()
    async with transaction() as session:
        thread_id, contact_id = await find_or_make_thread(session, Channel.SMS, number, now)
        asked = Inbound(Channel.SMS, number, "我要投诉学校乱收费", "simulator", f"before-{number}", now)
        recorded = await record(session, asked)  # an old text: nobody judges or answers it now
        assert recorded is not None
        ticket = await tickets.open_ticket(
            session, thread_id=thread_id, contact_id=contact_id, asked_in=recorded.message_id, kind="complaint"
        )
        await concluding.conclude(session, ticket, actor=NOBODY, why="已答复")
        [planned] = await follow_up.list_for(session, ticket.id)
        return planned.due_at


async def read_state(number: str) -> dict[str, Any]:
    """Owner, ticket, escalated, opted out and evaluated, as DESIGN section 7 defines them."""
    index = blind_index(number, f"contacts.address.{Channel.SMS}")
    async with transaction() as session:
        contact = (await session.scalars(select(Contact).where(Contact.address_index == index))).one()
        thread = (await session.scalars(select(Thread).where(Thread.contact_id == contact.id))).one()
        escalation = await find_open(session, thread.id)
        own = select(Ticket).where(Ticket.thread_id == thread.id, ~_AT_GENERAL_DESK).order_by(Ticket.id.desc()).limit(1)
        ticket = await session.scalar(own)
        alerted = escalation is not None or thread.owner in ("waiting", "operator")
        return {
            "owner": thread.owner,
            "ticket": ticket.number if ticket is not None else None,
            "escalated": alerted,
            "opted_out": contact.outreach_opted_out_at is not None,
            "evaluated": ticket.evaluated if ticket is not None else None,
        }
