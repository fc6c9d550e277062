"""发送单: all that matters on one screen for the second person; approve, send back, start. Nobody approves what they wrote."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.broadcasts import acts
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, HotlineError

from . import outreach_audience, pages
from .ids import LARGEST, Id
from .outreach_ready import ready_part
from .outreach_room import PAGE, Version, done, list_events, missed_its_time, name_people, note, way_to
from .outreach_side import reckon, words_of
from .seat import ReleasingOutreach, Seat, SeeingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/{{broadcast_id}}")
LONGEST_REASON = 200


class ReasonIsMissing(BadInput):
    sentence = "请写为什么退回，写的人要知道改哪里。"


class CountIsNoNumber(BadInput):
    sentence = "请填要发给多少个号码，只写数字。"


@router.get("/release")
async def show_release(broadcast_id: Id, seat: SeeingOutreach) -> Response:
    """The sheet, from the moment its list is ready until it runs."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        if one.status not in (Status.DRAFT, Status.APPROVED):
            return RedirectResponse(way_to(one), status_code=303)
        return await _sheet(session, seat, one)


async def _sheet(
    session: AsyncSession, seat: Seat, one: Broadcast, *, problem: HotlineError | None = None, typed: str = "", sending_back: bool = False
) -> Response:  # fmt: skip
    said = await words_of(session, one.body, one.template_id, "")
    people = await name_people(session, [one.created_by, one.approved_by, *one.authors])
    estimate: Any = None
    if one.total and said["segments"]:
        estimate = await reckon(session, one, recipients=one.total, segments_each=said["segments"])
    return pages.render(
        "outreach_release.html", status=problem.status_code if problem else 200, seat=seat, one=one, people=people, **said,
        mine=seat.operator.id in one.authors, estimate=estimate, problem=problem, typed=typed, sending_back=sending_back,
        events=await list_events(session, one.id), longest_reason=LONGEST_REASON, missed=missed_its_time(one),
        audience=await outreach_audience.described(session, one.audience), **await ready_part(session, one),
    )  # fmt: skip


@router.post("/approve")
async def approve(
    request: Request, broadcast_id: Id, seat: ReleasingOutreach, version: Version, recipients: Annotated[str, Form(max_length=20)] = ""
) -> Response:  # fmt: skip
    """The second person's yes, with the number of recipients typed in; a wrong number is said beside the field."""
    written = recipients.replace(",", "").replace("，", "").replace(" ", "")
    try:
        if not (written.isascii() and written.isdigit()) or int(written) > LARGEST:
            raise CountIsNoNumber
        async with transaction() as session:
            await acts.approve(
                session, broadcast_id, version=version, operator_id=seat.operator.id, recipients=int(written)
            )
            await note(session, seat, "approve_broadcast", f"broadcast:{broadcast_id}")
    except BadInput as error:
        async with transaction() as session:
            return await _sheet(session, seat, await acts.get(session, broadcast_id), problem=error, typed=recipients)
    log.info("broadcast_approved", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/release")


@router.post("/send-back")
async def send_back(
    request: Request, broadcast_id: Id, seat: ReleasingOutreach, version: Version, reason: Annotated[str, Form(max_length=2000)] = ""
) -> Response:  # fmt: skip
    """Back to whoever wrote it, with the reason."""
    if not reason.strip():
        async with transaction() as session:
            return await _sheet(
                session, seat, await acts.get(session, broadcast_id), problem=ReasonIsMissing(), sending_back=True
            )
    async with transaction() as session:
        await acts.take_back(
            session, broadcast_id, version=version, operator_id=seat.operator.id, reason=reason[:LONGEST_REASON]
        )
        await note(session, seat, "send_back_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_sent_back", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, PAGE)


@router.post("/start")
async def start(request: Request, broadcast_id: Id, seat: ReleasingOutreach, version: Version) -> Response:
    """Let an approved one run now."""
    async with transaction() as session:
        await acts.start(session, broadcast_id, version=version, operator_id=seat.operator.id)
        await note(session, seat, "start_broadcast", f"broadcast:{broadcast_id}")
    log.info("broadcast_started", broadcast=broadcast_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{broadcast_id}/run")
