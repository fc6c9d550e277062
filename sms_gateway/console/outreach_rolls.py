"""名册: files of numbers, sent up in pieces so that memory stays flat, read by a worker; what was refused and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from sms_gateway import logs
from sms_gateway.broadcasts import rolls, segments
from sms_gateway.broadcasts.sources import PART_BYTES
from sms_gateway.database import transaction
from sms_gateway.tickets.export import csv_lines

from . import outreach_words, pages
from .ids import LARGEST, Id
from .outreach_room import PAGE, done, name_people, note
from .seat import Seat, SeeingOutreach, WatchingOutreach, WritingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/rolls")
HERE = f"{PAGE}/rolls"
LINES_AT_ONCE = 2000


@router.get("")
async def show_rolls(seat: SeeingOutreach) -> Response:
    """The rolls, the form to bring one, and the saved segments."""
    return await _page(seat, "outreach_rolls.html")


@router.get("/part")
async def show_rolls_again(seat: WatchingOutreach) -> Response:
    """The list alone, while a file is read."""
    return await _page(seat, "_outreach_rolls.html")


async def _page(seat: Seat, name: str) -> Response:
    async with transaction() as session:
        rows = await rolls.list_rolls(session)
        saved = await segments.list_saved(session)
        people = await name_people(session, [*(row.created_by for row in rows), *(one.created_by for one in saved)])
    return pages.render(name, seat=seat, rows=rows, saved=saved, people=people, most_bytes=rolls.MOST_BYTES)


@router.post("")
async def create(
    seat: WritingOutreach, title: Annotated[str, Form(max_length=400)] = "", size: Annotated[int, Form(ge=0, le=LARGEST)] = 0
) -> Response:  # fmt: skip
    """A roll that waits for its file: its id, and how large its pieces are."""
    async with transaction() as session:
        made = await rolls.create(session, title=title, created_by=seat.operator.id, file_size=size)
        await note(session, seat, "bring_roll", f"roll:{made.id}")
    log.info("roll_made", roll=made.id, operator=seat.operator.id)
    return JSONResponse({"id": made.id, "piece": PART_BYTES})


@router.post("/{roll_id}/parts")
async def add_part(
    request: Request,
    roll_id: Id,
    seat: WritingOutreach,  # noqa: ARG001 - the seat is the permission
    part: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """A piece of the file, as it is; one at a time is held in memory."""
    data = await request.body()
    async with transaction() as session:
        await rolls.add_part(session, roll_id=roll_id, part=part, data=data)
    return Response(status_code=204)


@router.post("/{roll_id}/start")
async def start(request: Request, roll_id: Id, seat: WritingOutreach) -> Response:
    """The file is here whole: read it."""
    async with transaction() as session:
        await rolls.start(session, roll_id=roll_id)
    log.info("roll_started", roll=roll_id, operator=seat.operator.id)
    return done(request, HERE)


@router.post("/{roll_id}/remove")
async def remove(request: Request, roll_id: Id, seat: WritingOutreach) -> Response:
    """Drop its numbers for good."""
    async with transaction() as session:
        await rolls.remove(session, roll_id=roll_id)
        await note(session, seat, "remove_roll", f"roll:{roll_id}")
    log.info("roll_removed", roll=roll_id, operator=seat.operator.id)
    return done(request, HERE)


@router.get("/{roll_id}/refusals")
async def download_refusals(roll_id: Id, seat: SeeingOutreach) -> Response:  # noqa: ARG001 - the permission
    """What was not taken: line and reason, never what stood there."""
    async with transaction() as session:
        await rolls.get(session, roll_id)
    headers = {"Content-Disposition": f'attachment; filename="refused-{roll_id}.csv"'}
    return StreamingResponse(_refusals(roll_id), media_type="text/csv; charset=utf-8", headers=headers)


async def _refusals(roll_id: int) -> AsyncIterator[bytes]:
    yield csv_lines([["行号", "为什么没收"]], first=True)
    async with transaction() as session:  # over before the first line goes out: a slow download holds no connection
        refused = [row async for row in rolls.refusals(session, roll_id)]
    for start in range(0, len(refused), LINES_AT_ONCE):
        part = refused[start : start + LINES_AT_ONCE]
        yield csv_lines([[line, outreach_words.REFUSED.get(reason, reason)] for line, reason in part])
