"""没答上的问题: what the handbook could not answer, by meaning; each is written about, or set aside."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from sms_gateway import logs
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.handbook import asked, drafts, overview
from sms_gateway.operators import presence

from . import pages
from .handbook_room import newest, tab_counts
from .ids import LARGEST
from .seat import SeeingGaps, WritingHandbook

log = logs.get("console")
router = APIRouter(prefix="/handbook")

Ticked = Annotated[list[int], Form()]


@router.get("")
async def lead_in(seat: SeeingGaps) -> Response:  # noqa: ARG001 - the seat is the permission
    return RedirectResponse("/handbook/gaps", status_code=303)


@router.get("/gaps")
async def show_gaps(request: Request, seat: SeeingGaps) -> Response:
    """The open ones; seeing them is written into the audit, since they are people's words."""
    book = await newest(request)
    async with transaction() as session:
        rows = await asked.list_gaps(session, without=recusing.threads_shut_to(seat.operator.id))
        await presence.note(session, operator_id=seat.operator.id, what="open_gaps", subject="handbook")
    groups = await overview.group_gaps(rows, book)
    counts = await tab_counts()
    return pages.render(
        "handbook_gaps.html", seat=seat, groups=groups, counts=counts, many=len(rows) >= asked.MOST_GAPS
    )


@router.post("/gaps/settle")
async def settle(seat: WritingHandbook, ticked: Ticked) -> Response:
    """Nothing needs to be written for the ticked ones."""
    async with transaction() as session:
        await asked.settle(session, ids=_known(ticked), operator_id=seat.operator.id)
        await presence.note(session, operator_id=seat.operator.id, what="settle_gaps", subject="handbook")
    return RedirectResponse("/handbook/gaps", status_code=303)


@router.post("/drafts")
async def start_draft(
    request: Request,
    seat: WritingHandbook,
    ticked: Annotated[list[int] | None, Form()] = None,
    entry: Annotated[str, Form()] = "",
) -> Response:
    """A draft for the ticked questions, or of the entry named: new, or a new version of it."""
    book = await newest(request)
    of = book.entry(entry) if entry else None
    if entry and of is None:
        raise BadInput("这一条问答已经没有了，请刷新后再看。")
    async with transaction() as session:
        shown = {row.id for row in await asked.list_gaps(session, without=recusing.threads_shut_to(seat.operator.id))}
        chosen = [each for each in _known(ticked or []) if each in shown]
        draft = await drafts.make(session, operator_id=seat.operator.id, asked_ids=chosen, entry=of)
    log.info("draft_made", draft=draft.id, operator=seat.operator.id)
    return RedirectResponse(f"/handbook/drafts/{draft.id}", status_code=303)


def _known(ids: list[int]) -> list[int]:
    return [each for each in ids if 0 < each <= LARGEST][:400]
