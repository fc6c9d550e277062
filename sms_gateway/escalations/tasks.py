"""Jobs of escalations: the next step of the ladder, a safe reply that did not arrive."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sms_gateway import jobs, logs
from sms_gateway.database import notify, transaction
from sms_gateway.jobs import RetryIfTransient
from sms_gateway.messages.models import Message
from sms_gateway.tickets import follow_up

from . import service

log = logs.get("escalations")


@jobs.app.task(name="escalations.step", queue="danger", retry=RetryIfTransient(attempts=8))
async def step(subject_id: int) -> None:
    """Ring again, ring everyone, tell the supervisor, suggest the bridge."""
    async with transaction() as session:
        taken = await service.take_step(session, subject_id)
    if taken:
        log.info("escalation_step", escalation=subject_id)


@jobs.app.task(name="escalations.text_did_not_arrive", queue="danger", retry=RetryIfTransient(attempts=8))
async def text_did_not_arrive(message_id: int) -> None:
    """A text to someone with an open red or orange escalation was blocked or not delivered: a person must know at once.

    A survey that is lost is written down, and not asked again.
    """
    async with transaction() as session:
        found = select(Message).where(Message.id == message_id).options(joinedload(Message.thread))
        message = (await session.scalars(found)).one()
        await follow_up.note_lost(session, message)
        escalation = await service.find_open(session, message.thread_id, for_update=True)
        if escalation is not None and escalation.lane in ("red", "orange"):
            await service.note_undelivered(session, escalation, message)
        await notify(session, "hotline_thread", str(message.thread_id))
