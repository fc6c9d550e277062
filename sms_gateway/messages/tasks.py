"""Jobs of the outbox: send a text, settle one whose fate is unknown."""

from __future__ import annotations

from datetime import timedelta

from sms_gateway import jobs, logs, tracing
from sms_gateway.carriers import registry
from sms_gateway.carriers.carrier import CarrierIsBusy, CarrierRefusesUs, Found, SendError
from sms_gateway.carriers.registry import carrier
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient, defer
from sms_gateway.settings import get_settings

from . import outbox
from .delivery import State

log = logs.get("messages")

MAX_ATTEMPTS = 8
DEAD_AFTER = timedelta(seconds=4)
"""A job that finds its text already in `sending` was taken from a worker that stopped beating 5 s ago."""


def make_carriers() -> None:
    """Make the carriers at a worker's start, inside its loop: the first safe reply must not wait for that."""
    for name in get_settings().carriers:
        carrier(name)


@jobs.app.task(name="messages.send", queue="replies", retry=RetryIfTransient(attempts=MAX_ATTEMPTS))
async def send(message_id: int) -> None:
    """Send one text, then the replies that follow it. Twice is as good as once."""
    current: int | None = message_id
    while current is not None:
        await _send_one(current)
        async with transaction() as session:
            current = await outbox.find_next_reply(session, current)


async def _send_one(message_id: int) -> None:
    async with transaction() as session:
        outgoing = await outbox.claim(session, message_id)
        stuck = None if outgoing else await outbox.find_stuck(session, message_id, older_than=DEAD_AFTER)
    found = outgoing or stuck
    with tracing.within(found and found.trace):  # one the sweep found again belongs to its text
        if stuck is not None:
            await _settle(stuck)
        elif outgoing is not None:
            await _hand_over(outgoing)


async def _hand_over(outgoing: outbox.Outgoing) -> None:
    if outgoing.carrier == outbox.WEB:  # the page reads the row
        async with transaction() as session:
            await outbox.mark_sent(session, outgoing.message_id, None)
        log.info("text_sent", message=outgoing.message_id, carrier=outgoing.carrier)
        return
    try:
        carrier_id = await carrier(outgoing.carrier).send(
            to=outgoing.to, body=outgoing.body, reference=outgoing.message_id
        )
    except SendError as error:
        registry.note(outgoing.carrier, error)
        await _note_failure(outgoing, error)
        return
    registry.note(outgoing.carrier, None)
    async with transaction() as session:
        await outbox.mark_sent(session, outgoing.message_id, carrier_id)
    log.info("text_sent", message=outgoing.message_id, carrier=outgoing.carrier)


async def _note_failure(outgoing: outbox.Outgoing, error: SendError) -> None:
    log.warning("send_failed", message=outgoing.message_id, error=type(error).__name__, code=error.code)
    other = registry.other_than(outgoing.carrier)
    stayed = error.retryable or (other is not None and isinstance(error, CarrierRefusesUs))  # it surely did not leave
    again = stayed and outgoing.attempts < MAX_ATTEMPTS
    async with transaction() as session:
        state = State.QUEUED if again else State(error.state)
        await outbox.mark(session, outgoing.message_id, state, error.code, next_by=other)
        if outgoing.attempts == 1 or not again:  # in red a person must know at the first failure, not at the last
            await defer(session, "escalations.text_did_not_arrive", message_id=outgoing.message_id)
    if again:
        raise error if error.retryable else CarrierIsBusy(error.code)


@jobs.app.task(name="messages.settle", queue="replies")
async def settle(message_id: int) -> None:
    """Look up a text whose fate is unknown; send it again only if it is proven absent."""
    async with transaction() as session:
        stuck = await outbox.find_stuck(session, message_id, older_than=DEAD_AFTER)
    if stuck is not None:
        with tracing.within(stuck.trace):
            await _settle(stuck)


async def _settle(stuck: outbox.Outgoing) -> None:
    if stuck.carrier == outbox.WEB:
        found, carrier_id = Found.SENT, None
    else:
        try:
            found, carrier_id = await carrier(stuck.carrier).find(
                to=stuck.to, body=stuck.body, reference=stuck.message_id, since=stuck.since
            )
        except SendError:
            return  # the sweep asks again
    log.info("unknown_text_looked_up", message=stuck.message_id, found=str(found))
    async with transaction() as session:
        if found is Found.SENT:
            await outbox.mark_sent(session, stuck.message_id, carrier_id)
        elif found is Found.ABSENT and await outbox.requeue_absent(session, stuck.message_id):
            await defer(session, "messages.send", message_id=stuck.message_id)


async def sweep() -> None:
    """Each second: settle what hangs, start what was forgotten."""
    hanging_for = timedelta(seconds=get_settings().unknown_after_seconds)
    async with transaction() as session:
        for message_id in await outbox.list_hanging(session, older_than=hanging_for):
            await defer(session, "messages.settle", message_id=message_id)
        for message_id in await outbox.list_forgotten(session, older_than=timedelta(minutes=10)):
            await defer(session, "messages.send", message_id=message_id)
