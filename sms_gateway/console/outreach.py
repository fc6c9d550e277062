"""群发: every broadcast with where it stands, who wrote and approved it, and what comes next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from sms_gateway.broadcasts import overview, tallies
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.database import transaction

from . import pages
from .outreach_room import PAGE, name_people, next_step, way_to
from .seat import Seat, SeeingOutreach, WatchingOutreach

router = APIRouter(prefix=PAGE)

TABS = {"open": "进行中的", "drafts": "草稿", "done": "结束的", "all": "全部"}
SHOWN: dict[str, tuple[Status, ...]] = {
    "open": (Status.RUNNING, Status.PAUSED, Status.APPROVED, Status.DRAFT), "drafts": (Status.DRAFT,),
    "done": (Status.COMPLETED, Status.CANCELLED), "all": tuple(Status),
}  # fmt: skip
Show = Annotated[str, Query(max_length=12)]
FIRST = (Status.PAUSED, Status.RUNNING, Status.APPROVED, Status.DRAFT)
"""What may need somebody stands on top."""


@router.get("")
async def show_list(seat: SeeingOutreach, show: Show = "open") -> Response:
    """The list."""
    return await _list("outreach.html", seat, show)


@router.get("/part")
async def show_list_again(seat: WatchingOutreach, show: Show = "open") -> Response:
    """The list alone, when one of them moved."""
    return await _list("_outreach_list.html", seat, show)


async def _list(name: str, seat: Seat, show: str) -> Response:
    show = show if show in TABS else "open"
    async with transaction() as session:
        rows = [one for one in await overview.list_broadcasts(session) if one.status in SHOWN[show]]
        rows.sort(key=lambda one: FIRST.index(Status(one.status)) if one.status in FIRST else len(FIRST))
        states = {one.id: tallies.by_state(await tallies.by_region(session, one.id)) for one in rows if one.started_at}
        people = await name_people(session, {person for one in rows for person in (one.created_by, one.approved_by)})
    progress = {number: (tallies.left(counts), sum(counts.values())) for number, counts in states.items()}
    return pages.render(
        name, seat=seat, rows=rows, show=show, tabs=TABS, people=people, progress=progress, next_step=next_step, way_to=way_to,
    )  # fmt: skip
