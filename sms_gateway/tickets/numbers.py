"""The number people get for their matter: eight digits that tell nothing and cannot be counted up."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

_NUMBER = re.compile(r"(?<!\d)([1-9]\d{7})(?!\d)")


def new_number(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """A number of eight digits, the first not 0. `randbelow(n)` gives 0..n-1; the table's uniqueness decides, so draw again on a clash."""
    return str(10_000_000 + randbelow(90_000_000))


def tail(number: str) -> str:
    """The last three digits: what a text may show (a phone may be read by others)."""
    return number[-3:]


def find_number(text: str) -> str | None:
    """The first ticket number written in `text`, or None."""
    match = _NUMBER.search(text)
    return match.group(1) if match else None
