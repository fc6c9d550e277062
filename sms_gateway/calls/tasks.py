"""Jobs of calls: dial, hang up, give up on an exchange that has gone silent."""

from __future__ import annotations

from sms_gateway import jobs, logs
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient
from sms_gateway.platforms.telephone import Order, TelephoneError
from sms_gateway.platforms.telephones import telephone

from . import service
from .words import Purpose

log = logs.get("calls")


@jobs.app.task(name="calls.dial", queue="danger", retry=RetryIfTransient(attempts=service.MAX_ATTEMPTS))
async def dial(call_id: int) -> None:
    """Place one call. What surely did not go out is tried again; of what may have, only calls to staff are."""
    async with transaction() as session:
        dialling = await service.claim(session, call_id)
    if dialling is None:
        return
    order = Order(dialling.to, dialling.reference, dialling.purpose, dialling.conference, service.RING_SECONDS)
    try:
        exchange_id = await telephone().call(order)
    except TelephoneError as error:
        await _note_failure(dialling, error)
        return
    async with transaction() as session:
        wanted = await service.mark_placed(session, call_id, exchange_id)
    log.info("call_placed", call=call_id, purpose=str(dialling.purpose))
    if not wanted:
        await telephone().hang_up(exchange_id)


async def _note_failure(dialling: service.Dialling, error: TelephoneError) -> None:
    log.warning("call_failed", call=dialling.call_id, error=type(error).__name__, code=error.code)
    may_ring_twice = error.retryable and (not error.may_ring or dialling.purpose is not Purpose.PERSON)
    again = may_ring_twice and dialling.attempts < service.MAX_ATTEMPTS
    async with transaction() as session:
        await service.mark_failed(session, dialling.call_id, error.code, again=again)
    if again:
        raise error


@jobs.app.task(name="calls.hang_up", queue="danger", retry=RetryIfTransient(attempts=service.MAX_ATTEMPTS))
async def hang_up(call_id: int) -> None:
    """End a call that goes on; the exchange tells us when it is over."""
    async with transaction() as session:
        exchange_id = (await service.get(session, call_id)).exchange_id
    if exchange_id is not None:
        await telephone().hang_up(exchange_id)


@jobs.app.task(name="calls.give_up", queue="danger", retry=RetryIfTransient(attempts=8))
async def give_up(subject_id: int) -> None:
    """The exchange should have told by now what became of this call."""
    async with transaction() as session:
        await service.give_up(session, subject_id)
