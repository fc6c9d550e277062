"""Jobs of tickets: each loads, checks, acts and saves in one transaction; twice is as good as once."""

from __future__ import annotations

from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient, app

from . import duty_late, follow_up, inquiries, reporter


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
