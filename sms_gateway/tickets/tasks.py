"""Jobs of tickets: each loads, checks, acts and saves in one transaction; twice is as good as once."""

from __future__ import annotations

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient, app
from sms_gateway.platforms.general import DeskDidNotAnswer, DeskRefused, GeneralDesk, Matter
from sms_gateway.settings import get_settings

from . import duty_late, follow_up, inquiries, reporter, telling_transfers, transfers
from .transfer_rules import State

log = logs.get("tickets")


@app.task(name="tickets.follow_up", queue="replies", retry=RetryIfTransient(attempts=8))
async def look_at_follow_up(subject_id: int) -> None:
    """A matter was concluded: ask how it went, or keep why nobody is asked."""
    async with transaction() as session:
        await follow_up.look(session, subject_id)


@app.task(name="tickets.inquiry", queue="replies", retry=RetryIfTransient(attempts=8))
async def look_at_inquiry(subject_id: int) -> None:
    """A question to a person: it is day, a reminder is due, or the desk has waited long enough."""
    async with transaction() as session:
        await inquiries.look(session, subject_id)


@app.task(name="tickets.duty_late", queue="replies", retry=RetryIfTransient(attempts=8))
async def look_at_late_duty(subject_id: int) -> None:
    """A report that is the hotline's own duty is due: late, it is put before the shift lead."""
    async with transaction() as session:
        await duty_late.put_before_lead(session, subject_id)


@app.task(name="tickets.police_feedback", queue="replies", retry=RetryIfTransient(attempts=8))
async def urge_police(subject_id: int) -> None:
    """Three days after the case was filed: the police owe word."""
    async with transaction() as session:
        await duty_late.urge_police(session, subject_id)


@app.task(name="tickets.tell_reporter", queue="replies", retry=RetryIfTransient(attempts=8))
async def tell_reporter(subject_id: int) -> None:
    """A matter of suspected harm was concluded: who reported it hears so, where that is safe."""
    async with transaction() as session:
        await reporter.tell(session, subject_id)


@app.task(name="tickets.pass_on", queue="replies", retry=RetryIfTransient(attempts=8))
async def pass_on(subject_id: int) -> None:
    """Hand a matter to the general desk. A try that a crash cut off is made again: our number makes it one matter there."""
    async with transaction() as session:
        letter = await transfers.next_letter(session, subject_id)
    if letter is None:
        return
    try:
        their_number = await _hand_over(letter)
    except DeskRefused as refusal:
        async with transaction() as session:
            await transfers.settle(session, subject_id, State.REFUSED, reason=refusal.reason)
        return
    except DeskDidNotAnswer as error:
        log.warning("transfer_failed", transfer=subject_id, tries=letter.tries, status=error.status)
        async with transaction() as session:
            await transfers.note_failure(session, subject_id)
        return
    async with transaction() as session:
        if their_number is None:
            await transfers.note_pending(session, subject_id)
        else:
            await transfers.settle(session, subject_id, State.ACCEPTED, number=their_number)


async def _hand_over(letter: transfers.Letter) -> str | None:
    """Their number, or None when it will follow. No transaction is open meanwhile."""
    desk = GeneralDesk.from_settings(get_settings())
    if desk is None:  # the endpoint was taken away in between
        raise DeskDidNotAnswer("no_endpoint")
    matter = Matter(
        number=letter.number, words=letter.words, received_at=letter.received_at, place=letter.place, phone=letter.phone
    )
    try:
        return await desk.hand_over(matter)
    finally:
        await desk.aclose()


@app.task(name="tickets.tell_transfer", queue="replies", retry=RetryIfTransient(attempts=8))
async def tell_transfer(subject_id: int) -> None:
    """It is day: the person hears what became of the matter that was passed on."""
    async with transaction() as session:
        await telling_transfers.tell_later(session, subject_id)
