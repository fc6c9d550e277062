"""A talk of danger that somebody answers becomes a ticket, and a call made by hand settles the duty to report it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator
from sms_gateway.tickets import actors, duty, duty_rules
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Lane

DEPARTMENTS = {"110": "police", "civil": "civil", "education": "edu"}
"""Whom the desk calls (`records.UNITS`) and the department that is then told."""


async def register_danger(session: AsyncSession, thread: Thread, escalation: Escalation) -> None:
    """Somebody took a talk in which harm is suspected now: without a ticket nothing would follow it up, and nobody be told."""
    if (
        thread.channel == Channel.DRILL
        or escalation.lane != Lane.RED
        or escalation.message_id is None
        or not duty_rules.is_suspected_harm(escalation.harm)
    ):
        return
    open_ones = select(Ticket.id).where(Ticket.thread_id == thread.id, Ticket.closed_at.is_(None))
    if await session.scalar(open_ones.limit(1)) is not None:
        return
    message = await inbox.get_message(session, escalation.message_id)
    await tickets.open_ticket(
        session, thread_id=thread.id, contact_id=thread.contact_id, asked_in=message.id, kind="disclosure",
        county=thread.contact.region, answers={"what": message.body}, lane=Lane.RED,
    )  # fmt: skip


async def settle_duty(
    session: AsyncSession, thread: Thread, *, operator: Operator, unit: str, reference: str
) -> None:  # fmt: skip
    """`unit` was called by hand: what it had to be told of this talk's open tickets is reported. `reference`: who took it."""
    department = DEPARTMENTS.get(unit)
    if department is None:
        return
    wanted = select(Ticket).where(Ticket.thread_id == thread.id, Ticket.closed_at.is_(None)).order_by(Ticket.id)
    for ticket in await session.scalars(wanted.with_for_update(key_share=True)):
        for row in await duty.list_unsettled(session, ticket.id):
            if row.body.partition("@")[0] == department:
                receipt = {"person": reference[: duty.LONGEST_RECEIPT], "how": "phone"}
                actor = actors.operator(operator.id)
                await duty.report(session, ticket, duty_id=row.id, actor=actor, at=clock.now(), receipt=receipt)
