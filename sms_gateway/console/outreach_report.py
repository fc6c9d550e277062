"""What became of a broadcast: curves, sums, reasons, costs; the same as a file, without any number of anybody."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.broadcasts import acts, delays, drafting, overview, responses, tallies
from sms_gateway.broadcasts.delays import PARTS
from sms_gateway.database import transaction
from sms_gateway.errors import Conflict, HotlineError
from sms_gateway.messages.segments import segments
from sms_gateway.settings import get_settings
from sms_gateway.tickets.export import FEWEST_REASON, LONGEST_REASON, checked_reason

from . import outreach_file, pages
from .ids import Id
from .outreach_report_view import Report
from .outreach_room import PAGE, list_events, name_people, note
from .outreach_side import words_of
from .seat import SeeingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/{{broadcast_id}}/report")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NotBegun(Conflict):
    sentence = "这条群发还没有开始，没有结果可看。"


@router.get("")
async def show_report(broadcast_id: Id, seat: SeeingOutreach) -> Response:
    """The page, while it runs too."""
    async with transaction() as session:
        report = await load(session, broadcast_id)
        one = report.progress.broadcast
        events = await list_events(session, broadcast_id)
        people = await name_people(session, [one.created_by, one.approved_by, *one.authors])
        said = await words_of(session, one.body, one.template_id, "")
    return pages.render(
        "outreach_report.html", seat=seat, report=report, one=one, progress=report.progress, replies=report.responses, parts=PARTS,
        events=events, people=people, text=said["text"], fewest=FEWEST_REASON, longest=LONGEST_REASON,
    )  # fmt: skip


async def load(session: AsyncSession, broadcast_id: int) -> Report:
    """All of it. Raises `acts.BroadcastNotFound`, `NotBegun`."""
    one = await acts.get(session, broadcast_id)
    if one.started_at is None:
        raise NotBegun
    progress = await overview.look(session, broadcast_id)
    each = segments_of(one.body)
    return Report(
        progress=progress, minutes=await overview.list_minutes(session, broadcast_id),
        delays=await delays.measure(session, broadcast_id, total=one.total),
        responses=await responses.measure(session, broadcast_id, texted=tallies.left(progress.states)),
        segments=each, fen_each=each * get_settings().segment_price_fen,
    )  # fmt: skip


def segments_of(body: str) -> int:
    """Segments of the longest recipient's text; a text that today's rules refuse is counted as it stands."""
    try:
        return drafting.composed_of(body).segments
    except HotlineError:
        return segments(body)


@router.post("/export")
async def export(broadcast_id: Id, seat: SeeingOutreach, reason: Annotated[str, Form()] = "") -> Response:
    """The report as XLSX, with an audit row that keeps why. Raises `ReasonIsMissing` (422)."""
    why = checked_reason(reason)
    async with transaction() as session:
        report = await load(session, broadcast_id)
        events = await list_events(session, broadcast_id)
        await note(session, seat, "export_broadcast", f"broadcast:{broadcast_id}", why)
    log.info("broadcast_exported", broadcast=broadcast_id, operator=seat.operator.id)
    made = await asyncio.to_thread(outreach_file.written, report, events)
    name = f"outreach-{broadcast_id}-{clock.shanghai(clock.now()):%Y%m%d-%H%M}.xlsx"
    return Response(made, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})
