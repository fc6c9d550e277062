"""Before somebody approves: the ledger made ready, a few test texts, choices of people kept under a name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.broadcasts import acts, drafting, overview, readying, tallies, trying
from sms_gateway.broadcasts.lifecycle import BroadcastCannotMove, Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.database import transaction

from . import pages
from .ids import Id
from .outreach_room import PAGE, Version, by_place, done, note
from .seat import WatchingOutreach, WritingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/{{broadcast_id}}")


async def ready_part(session: AsyncSession, one: Broadcast) -> dict[str, Any]:
    """The made list by county, where there is one; why it could not be made."""
    counts = await tallies.by_region(session, one.id) if one.prepared == "ready" else {}
    failed = [event for event in await overview.list_events(session, one.id, limit=5) if event.what == "prepare_failed"]
    return {
        "by_county": by_place({region: sum(states.values()) for region, states in counts.items()}),
        "why_not": str(failed[0].detail.get("why", "")) if failed and one.prepared == "failed" else "",
    }


@router.get("/ready/part")
async def show_ready(broadcast_id: Id, seat: WatchingOutreach) -> Response:
    """How far the making of the list is."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        part = await ready_part(session, one)
    return pages.render("_outreach_ready.html", seat=seat, one=one, **part)


@router.get("/tests/part")
async def show_tests(broadcast_id: Id, seat: WatchingOutreach) -> Response:  # noqa: ARG001 - the permission
    """What became of the test texts."""
    async with transaction() as session:
        tests = await trying.list_tested(session, (await acts.get(session, broadcast_id)).id)
    return pages.render("_outreach_tested.html", tests=tests)


@router.post("/prepare")
async def prepare(request: Request, broadcast_id: Id, seat: WritingOutreach, version: Version) -> Response:
    """Let the saved choice of people be made into a list."""
    async with transaction() as session:
        await readying.ask(session, broadcast_id, version=version, operator_id=seat.operator.id)
    log.info("broadcast_preparing", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/write")


@router.post("/test")
async def send_tests(
    request: Request,
    broadcast_id: Id,
    seat: WritingOutreach,
    version: Version,
    *,
    numbers: Annotated[str, Form(max_length=400)] = "",
    place: Annotated[str, Form(max_length=6)] = "",
) -> Response:
    """The saved text to a few phones. The numbers come in the body, are kept with their persons only, and are in no log."""
    wanted = trying.read_numbers(numbers)
    drafting.check_region(place)
    async with transaction() as session:
        one = await acts.get(session, broadcast_id, version=version, for_update=True)
        if one.status not in (Status.DRAFT, Status.APPROVED):
            raise BroadcastCannotMove
        made = await trying.send(session, one, numbers=wanted, region=place, operator_id=seat.operator.id)
        texts = ",".join(str(message_id) for message_id in made)
        await note(session, seat, "test_broadcast", f"broadcast:{broadcast_id}", f"message:{texts}")
    log.info("broadcast_tested", broadcast=broadcast_id, operator=seat.operator.id, texts=len(made))
    if "hx-request" not in request.headers:
        return done(request, f"{PAGE}/{broadcast_id}/write")
    async with transaction() as session:
        return pages.render("_outreach_tested.html", tests=await trying.list_tested(session, broadcast_id))
