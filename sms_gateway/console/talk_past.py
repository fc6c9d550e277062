"""Where the talk of today begins: what was said before stays shut until somebody says why they open it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sms_gateway.messages.models import Message, ThreadEvent

ANOTHER_TALK_AFTER = timedelta(hours=6)
"""Quiet for so long, what comes is another talk (PRACTICE section 1)."""


def begins_at(
    messages: Sequence[Message], events: Sequence[ThreadEvent], *, call_since: datetime | None
) -> datetime | None:
    """When the talk that goes on now began; None: all of it is one talk.

    After the last closing that something followed, or after six quiet hours; never later than the text that brought the
    open call (`call_since`).
    """
    if not messages:
        return None
    newest = messages[-1].at
    closed = [event.at for event in events if event.what == "owner_closed" and event.at < newest]
    begin: datetime | None = None
    for before, after in pairwise(messages):
        quiet = after.at - before.at >= ANOTHER_TALK_AFTER
        ended = after.direction == "in" and any(before.at <= at < after.at for at in closed)
        if quiet or ended:
            begin = after.at
    if begin is not None and call_since is not None:
        begin = min(begin, call_since)
    return begin
