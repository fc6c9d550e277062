"""A broadcast that runs: where every number stands, what comes back, how fast it goes and why, and the buttons that stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.broadcasts import acts, governing, overview, tallies
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.broadcasts.overview import Progress
from sms_gateway.broadcasts.recipients import State
from sms_gateway.database import transaction
from sms_gateway.operators import presence

from . import pages
from .ids import LARGEST, Id
from .outreach_room import PAGE, Version, done, list_events, note, way_to
from .seat import ReleasingOutreach, SeeingOutreach, WatchingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/{{broadcast_id}}")
Seen = Annotated[int, Form(ge=0, le=LARGEST)]

ORDER = (
    State.DELIVERED,
    State.SENT,
    State.CLAIMED,
    State.UNKNOWN,
    State.FAILED,
    State.SUPPRESSED,
    State.CANCELLED,
    State.CREATED,
)
"""From what is over to what is still to come: so they stand in the bar."""
WIDTH = 1000


@dataclass(frozen=True)
class Piece:
    """A part of a bar `WIDTH` wide."""

    state: str
    count: int
    at: float
    width: float


@dataclass(frozen=True)
class Place:
    """A county's line: numbers by state, and its bar."""

    code: str
    total: int
    counts: dict[str, int]
    pieces: list[Piece]


def pieces(counts: dict[str, int]) -> list[Piece]:
    """A stacked bar. Pure."""
    total, at, made = sum(counts.values()), 0.0, []
    for state in ORDER:
        if (count := counts.get(state, 0)) > 0:
            width = WIDTH * count / total
            made.append(Piece(state, count, at, width))
            at += width
    return made


def places(progress: Progress) -> list[Place]:
    """Every region, the largest first. Pure."""
    found = []
    for code, states in progress.regions.items():
        counts = tallies.by_state({code: states})
        found.append(Place(code, sum(counts.values()), counts, pieces(counts)))
    return sorted(found, key=lambda place: (-place.total, place.code))


async def run_part(session: AsyncSession, broadcast_id: int) -> dict[str, Any]:
    """All that changes while it runs."""
    progress = await overview.look(session, broadcast_id)
    one, states = progress.broadcast, dict(progress.states)
    return {
        "one": one, "progress": progress, "pieces": pieces(states), "places": places(progress), "order": ORDER, "width": WIDTH,
        "free": await governing.count_free(session), "on_duty": len(await presence.list_on_duty(session)), "danger": danger_of(progress), "events": await list_events(session, broadcast_id),
    }  # fmt: skip


def danger_of(progress: Progress) -> int:
    """Replies in red and orange."""
    return progress.replies.get("red", 0) + progress.replies.get("orange", 0)


@router.get("/run")
async def show_run(broadcast_id: Id, seat: SeeingOutreach) -> Response:
    """The page; what has not begun is on another one."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        if one.status in (Status.DRAFT, Status.APPROVED):
            return RedirectResponse(way_to(one), status_code=303)
        part = await run_part(session, broadcast_id)
    return pages.render("outreach_run.html", seat=seat, **part)


@router.get("/run/part")
async def show_run_again(broadcast_id: Id, seat: WatchingOutreach) -> Response:
    """The page's inside, each second."""
    async with transaction() as session:
        part = await run_part(session, broadcast_id)
    return pages.render("_outreach_run.html", seat=seat, **part)


@router.post("/pause")
async def pause(request: Request, broadcast_id: Id, seat: ReleasingOutreach) -> Response:
    """Stop. No version: whoever wants it to stop is right."""
    async with transaction() as session:
        await acts.pause(session, broadcast_id, operator_id=seat.operator.id)
        await note(session, seat, "pause_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_paused", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/run")


@router.post("/resume")
async def resume(
    request: Request, broadcast_id: Id, seat: ReleasingOutreach, version: Version, danger: Seen
) -> Response:
    """Go on, having seen so many replies in red and orange."""
    async with transaction() as session:
        await acts.resume(session, broadcast_id, version=version, operator_id=seat.operator.id, danger_seen=danger)
        await note(session, seat, "resume_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_resumed", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/run")


@router.post("/next-wave")
async def let_next_wave(
    request: Request, broadcast_id: Id, seat: ReleasingOutreach, version: Version, danger: Seen
) -> Response:
    """The wave is through and somebody has looked at what came back."""
    async with transaction() as session:
        await acts.next_wave(session, broadcast_id, version=version, operator_id=seat.operator.id, danger_seen=danger)
        await note(session, seat, "next_wave_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_next_wave", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/run")


@router.post("/cancel")
async def cancel(
    request: Request, broadcast_id: Id, seat: ReleasingOutreach, sure: Annotated[str, Form(max_length=4)] = ""
) -> Response:
    """End it for good. Asked about on the page; without that word nothing happens."""
    if sure != "1":
        return done(request, f"{PAGE}/{broadcast_id}")
    async with transaction() as session:
        one = await acts.cancel(session, broadcast_id, operator_id=seat.operator.id)
        await note(session, seat, "cancel_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_cancelled", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, way_to(one) if one.started_at else PAGE)
