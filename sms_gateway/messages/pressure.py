"""How much waits in the queue of ordinary turns, and what this process leaves for later because of it: looked at once a second."""

from __future__ import annotations

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.settings import get_settings

from .overload import Limits, Pressure, Shed, shed

log = logs.get("messages")

LOOKED_FOR = 1.0
AT_MOST = 1000
"""Turns counted: more make no difference."""

_WAITING = text("""
SELECT count(*), coalesce(EXTRACT(EPOCH FROM clock_timestamp() - (
    SELECT events.at FROM procrastinate_events AS events WHERE events.job_id = min(waiting.id) AND events.type = 'deferred' LIMIT 1
)), 0) FROM (
    SELECT id FROM procrastinate_jobs WHERE queue_name = 'turns' AND status = 'todo'
    AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()) ORDER BY id LIMIT :at_most
) AS waiting
""")


class _Known:
    """What this process last saw."""

    level = Shed.NOTHING
    at = -LOOKED_FOR


async def measure(session: AsyncSession) -> Pressure:
    """Turns that could begin now and have not."""
    waiting, oldest = (await session.execute(_WAITING, {"at_most": AT_MOST})).one()
    return Pressure(waiting, max(0.0, float(oldest)))


async def level(session: AsyncSession) -> Shed:
    """What is left for later just now."""
    if time.monotonic() - _Known.at >= LOOKED_FOR:
        settings = get_settings()
        limits = Limits(settings.shed_outreach_seconds, settings.shed_policy_seconds)
        found = shed(await measure(session), _Known.level, limits)
        if found != _Known.level:
            log.warning("overload", sheds=found.name.lower())
        _Known.level, _Known.at = found, time.monotonic()
    return _Known.level


def forget() -> None:
    """Look anew at the next question (tests)."""
    _Known.level, _Known.at = Shed.NOTHING, -LOOKED_FOR
