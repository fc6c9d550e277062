"""The console's own handbook, kept as new as the newest approval, and what its pages share."""

from __future__ import annotations

import datetime

from fastapi import FastAPI, Request

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.handbook import asked, drafts
from sms_gateway.handbook.lifecycle import OPEN, State
from sms_gateway.handbook.live import Handbook, LiveHandbook
from sms_gateway.settings import get_settings


def furnish(app: FastAPI) -> None:
    """Give `app` a handbook; it is loaded when the first page asks for it."""
    app.state.handbook = LiveHandbook(cache=get_settings().data_dir / "handbook.npz")


async def newest(request: Request) -> Handbook:
    """The handbook with everything approved by now; costs one small query where nothing has changed."""
    live: LiveHandbook = request.app.state.handbook
    await live.refresh()
    return live.book


def file_ids(request: Request) -> frozenset[str]:
    """Ids of the entries that stand in the repo's files."""
    live: LiveHandbook = request.app.state.handbook
    return frozenset(entry.id for entry in live.files)


def today() -> datetime.date:
    """The day in Yunnan."""
    return clock.shanghai(clock.now()).date()


async def tab_counts() -> dict[str, int]:
    """What waits behind each tab."""
    async with transaction() as session:
        gaps = len(await asked.list_gaps(session))
        counted = await drafts.count_drafts(session)
    return {
        "gaps": gaps,
        "drafts": sum(counted.get(state, 0) for state in OPEN),
        "proposed": counted.get(State.PROPOSED, 0),
    }
