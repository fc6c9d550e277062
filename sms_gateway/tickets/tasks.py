"""Jobs of tickets: each loads, checks, acts and saves in one transaction; twice is as good as once."""

from __future__ import annotations

from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient, app

from . import follow_up


@app.task(name="tickets.follow_up", queue="replies", retry=RetryIfTransient(attempts=8))
async def look_at_follow_up(subject_id: int) -> None:
    """A matter was concluded: ask how it went, or keep why nobody is asked."""
    async with transaction() as session:
        await follow_up.look(session, subject_id)
