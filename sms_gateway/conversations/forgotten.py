"""Texts whose jobs ended without dealing with them: nothing a person writes is dropped, somebody reads it.

A job ends for good when its error is none that passes, or when its tries fell into an outage. Then nobody would answer.
"""

from __future__ import annotations

from datetime import timedelta

from sms_gateway import logs, tracing
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox

from . import judging, talk, turn
from .ownership import Owner

log = logs.get("conversations")

FORGOTTEN_AFTER = timedelta(seconds=20)
"""A turn takes 7 s at most, and a text whose job still waits or runs is not forgotten."""


async def sweep() -> int:
    """Find forgotten texts and defer their rescue; returns how many. Any number of processes may sweep."""
    async with transaction() as session:
        found = await inbox.list_forgotten(session, older_than=FORGOTTEN_AFTER)
        traces = await inbox.list_traces(session, found)
        for message_id in found:
            with tracing.within(traces.get(message_id)):
                await defer(session, "conversations.rescue", message_id=message_id)
    return len(found)


async def rescue(message_id: int) -> None:
    """Judge the text if that can be done, and give it to a person; one that was dealt with is left alone."""
    try:
        await judging.judge(message_id)
    except Exception:  # whatever it is: a person reads the text all the same
        log.exception("judgement_failed", message=message_id)
    async with transaction() as session:
        message = await inbox.get_message(session, message_id)
        thread = await talk.get_talk(session, message.thread_id, for_update=True)
        theirs = thread.owner == Owner.OPERATOR
        if not await inbox.mark_answered(session, message_id, "operator" if theirs else "rescue"):
            return
        if message.judged_at is None:  # nobody knows what it says: read within a quarter of an hour, day and night
            await escalations.open_or_raise(session, message=message, cause="unsure", lane="orange")
            talk.raise_lane(thread, "orange")
        if not theirs and thread.contact.silent_at is None:
            await turn.give_to_person(session, message, thread)
    log.warning("text_rescued", message=message_id)
