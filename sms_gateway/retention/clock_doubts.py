"""Whether today may be believed to be today before anything is purged by it: what goes is gone. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

MAY_DIFFER = timedelta(seconds=60)
"""Between this machine's clock and the database's; an engineering default."""
MAY_REST = timedelta(days=3)
"""Between two days with a purge: after more it is rather the clock that jumped, or somebody should know why; an engineering default."""


class Doubt(StrEnum):
    CLOCKS = "clocks_differ"
    """No person's word helps: one of the two machines is wrong."""
    LONG_AGO = "last_run_long_ago"
    IN_FUTURE = "last_run_in_future"


def doubt(
    *, here: datetime, database: datetime, today: date, last: date | None, later: bool, confirmed: bool = False
) -> Doubt | None:
    """Why nothing is purged now; None: go on. `last`: the newest day with a run that is not after today; `later`: whether there is
    a run of a day to come; `confirmed`: a person says that today is today. The first run ever asks nobody."""
    if abs(here - database) > MAY_DIFFER:
        return Doubt.CLOCKS
    if confirmed or last == today:
        return None
    if last is None:
        return Doubt.IN_FUTURE if later else None
    return Doubt.LONG_AGO if today - last > MAY_REST else None
