"""Where more texts come than can be judged, those that name danger in plain words are judged first.

A judgement costs its embedding, some 30 ms of a core; the words alone a fifteenth of that. So once judgements pile up, the words of
those that wait are read, and the queue's order is changed. Danger told in no plain word keeps its place among the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sqlalchemy import select, text

from sms_gateway import logs, triage
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.triage.judgement import Lane

log = logs.get("conversations")

MANY = 12
"""Judgements that wait: fewer are done within a third of a second."""
AT_ONCE = 200
FIRST, LOOKED_AT = 10, -1
"""Priorities in the queue `danger`, whose other jobs have 0 and so are not held up by texts that were looked at."""

_WAITING = text("""
SELECT id, (args->>'message_id')::bigint FROM procrastinate_jobs
WHERE queue_name = 'danger' AND task_name = 'conversations.judge' AND status = 'todo' AND priority = 0
AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()) ORDER BY id LIMIT :at_once
""")
_ANY_LOOKED_AT = text("""
SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queue_name = 'danger' AND task_name = 'conversations.judge' AND status = 'todo'
AND priority = :looked_at)
""")
"""While any of those waits, fewer than `MANY` new ones are looked at too: unlooked at they would always pass the older ones."""
_ORDER = text("""
UPDATE procrastinate_jobs SET priority = CASE WHEN id = ANY(:urgent) THEN :first ELSE :looked_at END
WHERE id = ANY(:jobs) AND status = 'todo' AND priority = 0
""")


async def sweep() -> int:
    """Look through the judgements that wait, if they are many; how many were put first."""
    async with transaction() as session:
        waiting = {job: message for job, message in await session.execute(_WAITING, {"at_once": AT_ONCE})}  # noqa: C416 - rows
        if not waiting:
            return 0
        if len(waiting) < MANY and not await session.scalar(_ANY_LOOKED_AT, {"looked_at": LOOKED_AT}):
            return 0
        found = await session.scalars(select(Message).where(Message.id.in_(waiting.values())))
        bodies = {message.id: message.body for message in found}
    urgent = await asyncio.to_thread(_urgent, waiting, bodies)
    async with transaction() as session:
        values = {"jobs": list(waiting), "urgent": urgent, "first": FIRST, "looked_at": LOOKED_AT}
        await session.execute(_ORDER, values)
    log.warning("judgements_pile_up", looked_at=len(waiting), put_first=len(urgent))
    return len(urgent)


def _urgent(waiting: Mapping[int, int], bodies: Mapping[int, str]) -> list[int]:
    words = triage.by_words()
    return [job for job, message in waiting.items() if words.judge(bodies.get(message, "")).lane is Lane.RED]
