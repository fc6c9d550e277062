"""How a figure past its review date is said: with its day, and with "最新规定为准". Pure."""

from __future__ import annotations

import datetime

from .entry import Entry
from .entry_rules import AMOUNT_WORDING


def short_answer(entry: Entry, today: datetime.date | None) -> str:
    """The short answer as it is said on `today` (Shanghai); None says it as it is written.

    Past its review date the day of the figures and the wording are added where the text does not say them itself; it
    may then be a few characters longer than `SHORT_LIMIT`, never without its source.
    """
    if today is None or not entry.is_past_review(today):
        return entry.short
    missing = []
    day = entry.figures_date
    if day is not None and str(day.year) not in entry.short:
        missing.append(f"数字截至{day.year}年{day.month}月")
    if AMOUNT_WORDING not in entry.short:
        missing.append(f"以{AMOUNT_WORDING}")
    return entry.short + (f"（{'，'.join(missing)}）" if missing else "")
