"""A long text comes in several SMS: which part waits for the next, for how long, and how they are read together. Pure.

Only the assistant's answer waits; danger was judged on every part the moment it came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sms_gateway.messages.segments import units
from texts.normalise import clean

FULL_PART = 65
"""UCS-2 units: a text this long may be a part of a longer one (parts hold 67, single texts 70)."""
LONGEST = 3
"""Joining windows after the first part at most, however many parts still come."""
LOOKED_FOR_EACH = timedelta(seconds=1)
"""Timers are looked for each second: one set a second early is not late."""
SHORT = 6
"""Characters: so short a text is an answer ("我们", "这个"), whatever it ends in."""
_OPEN_END = re.compile(r"[,，、:：;；（(“‘「-]$")
_LEADS_ON = re.compile(
    "(?:因为|所以|但是|可是|然后|而且|还有|就是|如果|要是|或者|不过|以及|并且|比如|后来|结果|以后|的时候|那个|这个|一个|我们|他们|把|被|跟|和|需要|想要|关于|于是|接着)$"
)


def is_unfinished(text: str) -> bool:
    """Whether more may follow: as long as a full part, or it ends in mid-sentence."""
    said = clean(text)
    if units(said) >= FULL_PART or (len(said) > 1 and _OPEN_END.search(said)):
        return True
    return len(said) > SHORT and _LEADS_ON.search(said) is not None


def wait_until(first_at: datetime, last_at: datetime, window: timedelta) -> datetime:
    """Until when the answer to parts from `first_at` to `last_at` waits for another."""
    return min(last_at + window, first_at + LONGEST * window)


def timer_at(until: datetime, now: datetime) -> datetime:
    """When the timer for `until` is due."""
    return max(now, until - LOOKED_FOR_EACH)


def joined(parts: Sequence[str]) -> str:
    """The parts as one text; a part that was cut at its length goes on without a blank."""
    text = ""
    for part in parts:
        glue = "" if not text or units(text) >= FULL_PART or _OPEN_END.search(text) else " "
        text += glue + clean(part)
    return text
