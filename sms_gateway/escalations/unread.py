"""An orange one that nobody reads in time: the open pages call it out; the duty phone gets one text, and no call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

from . import crew, notices
from .models import Escalation, EscalationEvent

JOB = "escalations.step"


async def watch(session: AsyncSession, escalation: Escalation) -> int:
    """What is due for this unread orange one, and the timer of what is due next; how many things were done.

    After `orange_read_minutes` it is called out. The duty phone is told at once where no page of the desk is open, else
    after `orange_phone_minutes`.
    """
    settings, waited = get_settings(), clock.now() - escalation.received_at
    read, phone = timedelta(minutes=settings.orange_read_minutes), timedelta(minutes=settings.orange_phone_minutes)
    if waited < read:
        await set_timer(session, job=JOB, subject_id=escalation.id, due_at=escalation.received_at + read)
        return 0
    done = 0
    if escalation.step < 1:
        escalation.step, done = 1, 1
        detail = {"minutes": settings.orange_read_minutes}
        session.add(
            EscalationEvent(escalation_id=escalation.id, what="unread", who="system", at=clock.now(), detail=detail)
        )
    if waited >= phone or not any(seat.there for seat in await crew.load_seats(session)):
        return done + await notices.text_unread(session, escalation)
    await set_timer(session, job=JOB, subject_id=escalation.id, due_at=escalation.received_at + phone)
    return done
