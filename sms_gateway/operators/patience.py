"""How long whoever guessed wrong must wait. Pure.

A wait belongs to one budget: a browser that signed in before has its own for that account (OWASP "device cookies"), any other
browser shares one for its address and that account, and an address has one for all accounts. So a stranger who types somebody's
name wrong a thousand times slows down nobody but their own address. Codes of six digits have one budget of the account besides.
Figures are engineering defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""So long after the last wrong try a budget is full again."""


@dataclass(frozen=True)
class Budget:
    """One counter: `key` names it in the table, `free` tries cost no wait."""

    key: bytes
    free: int


FREE_FOR_ACCOUNT = 5
"""By one browser or address for one account."""
FREE_FOR_ADDRESS = 60
"""By one address for all accounts: a desk of thirty behind one router that all mistype twice."""
FREE_FOR_CODES = 10
"""App's codes for one account from all unknown browsers together, after the right password. Then one each 15 minutes at last: four an
hour, of which three in a million are right."""


def wait_after(failed: int, free: int) -> timedelta:
    """How long no further try is taken after `failed` wrong ones in a row: none, 30 s, doubled each time, at most 15 min."""
    if failed < free:
        return timedelta(0)
    doublings: int = 2 ** min(failed - free, 10)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


def in_words(wait: timedelta) -> str:
    """`wait` as people read it, rounded up: 30 秒, 2 分钟."""
    seconds = max(1, -int(-wait.total_seconds() // 1))
    return f"{seconds} 秒" if seconds < 60 else f"{-(-seconds // 60)} 分钟"
