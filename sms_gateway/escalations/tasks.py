"""Jobs of escalations: the next step of the ladder, a safe reply that did not arrive."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sms_gateway import jobs, logs
from sms_gateway.calls import service as calls
from sms_gateway.carriers.carrier import SendError
from sms_gateway.carriers.registry import carrier, choose
from sms_gateway.database import notify, transaction
from sms_gateway.jobs import RetryIfTransient
from sms_gateway.messages.delivery import State as Delivery
from sms_gateway.messages.models import Message
from sms_gateway.tickets import follow_up
from sms_gateway.wording import SIGNATURE

from . import notices, open_cases, service

log = logs.get("escalations")


@jobs.app.task(name="escalations.step", queue="danger", retry=RetryIfTransient(attempts=8))
async def step(subject_id: int) -> None:
    """Ring again, ring everyone, tell the supervisor, suggest the bridge; an orange one nobody reads is called out."""
    async with transaction() as session:
        taken = await service.take_step(session, subject_id)
    if taken:
        log.info("escalation_step", escalation=subject_id)


@jobs.app.task(name="escalations.settle_open_case", queue="replies", retry=RetryIfTransient(attempts=20))
async def settle_open_case(ticket_id: int) -> None:
    """That matter of harm was closed: its people may get outreach again, if nothing else is open for them."""
    async with transaction() as session:
        await open_cases.settle_ticket(session, ticket_id)


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


@jobs.app.task(name="escalations.notify_phone", queue="danger", retry=RetryIfTransient(attempts=notices.MAX_ATTEMPTS))
async def notify_phone(notice_id: int) -> None:
    """Send the text, or let the call ring, of one notice to a supervisor's phone. Twice is as good as once."""
    async with transaction() as session:
        notice = await notices.get_queued(session, notice_id)
        if notice is None:
            return
        if notice.kind == "call":
            if notice.attempts == 0:
                await notices.call(session, notice)
            return
        outgoing = await notices.claim_text(session, notice)
    if outgoing is not None:
        await _send_notice(outgoing)


async def _send_notice(outgoing: notices.NoticeOut) -> None:
    """A text to our own staff: sent again whenever it may not have gone out, two do no harm."""
    try:
        await carrier(choose()).send(to=outgoing.to, body=SIGNATURE + outgoing.body, reference=0)
    except SendError as error:
        again = (error.retryable or error.state == "unknown") and outgoing.attempts < notices.MAX_ATTEMPTS
        log.warning("notice_failed", notice=outgoing.notice_id, error=type(error).__name__, code=error.code)
        async with transaction() as session:
            await notices.mark(session, outgoing.notice_id, "queued" if again else "failed", error.code)
        if again:
            raise notices.NoticeWaits from error
        return
    async with transaction() as session:
        await notices.mark(session, outgoing.notice_id, "sent", None)
    log.info("notice_sent", notice=outgoing.notice_id)


@jobs.app.task(name="escalations.notice_call_changed", queue="danger", retry=RetryIfTransient(attempts=8))
async def notice_call_changed(call_id: int, number: int) -> None:  # noqa: ARG001 - every purpose is told the same way
    """A supervisor's phone was picked up, or rang in vain."""
    async with transaction() as session:
        await notices.follow_call(session, await calls.get(session, call_id))


@jobs.app.task(name="escalations.no_receipt", queue="danger", retry=RetryIfTransient(attempts=8))
async def no_receipt(subject_id: int) -> None:
    """A text to somebody in red is older than a receipt may take: unless it is known to have arrived, it rings."""
    async with transaction() as session:
        found = select(Message).where(Message.id == subject_id).options(joinedload(Message.thread))
        message = (await session.scalars(found)).one()
        if message.state in (Delivery.DELIVERED, Delivery.CANCELLED):
            return
        escalation = await service.find_open(session, message.thread_id, for_update=True)
        if escalation is not None and escalation.lane == "red":
            await service.note_undelivered(session, escalation, message)
            await notify(session, "hotline_thread", str(message.thread_id))


@jobs.app.task(name="escalations.ask_desk", queue="danger", retry=RetryIfTransient(attempts=8))
async def ask_desk(subject_id: int) -> None:
    """Until somebody saw the child, the desk is asked every half hour."""
    async with transaction() as session:
        await service.ask_desk(session, subject_id)
