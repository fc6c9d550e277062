"""Opening what a person wrote before: only with a reason, which the audit keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.operators import presence

from . import pages
from .ids import Id
from .reasons import said_why
from .seat import SeeingHistory
from .talks import load_view

log = logs.get("console")
router = APIRouter()


@router.post("/talks/{talk_id}/history")
async def open_history(
    request: Request,
    talk_id: Id,
    seat: SeeingHistory,
    why: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    """What was said before today's talk. Nothing is kept open: the next look asks again."""
    reason = said_why(why, words)
    async with transaction() as session:
        view = await load_view(session, request, talk_id, seat)
        await presence.note(
            session, operator_id=seat.operator.id, what="open_history", subject=f"thread:{talk_id}", detail=reason
        )
    log.info("history_opened", thread=talk_id, operator=seat.operator.id)
    return pages.render("_talk_history.html", view=view, reason=reason)
