"""Opening what a person wrote before: only with a reason, which the audit keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.operators import presence

from . import pages
from .ids import Id
from .seat import SeeingHistory
from .talk_past import REASONS
from .talks import load_view

log = logs.get("console")
router = APIRouter()

LONGEST_REASON = 200


class SayWhy(BadInput):
    sentence = "请选一个理由；选“其他”要写明。"


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


def said_why(why: str, words: str) -> str:
    """The reason as the audit keeps it: one of `REASONS`, with the operator's words. Raises `SayWhy`."""
    words = " ".join(words.split())[:LONGEST_REASON]
    if why not in REASONS or (why == "other" and not words):
        raise SayWhy
    return words if why == "other" else f"{REASONS[why]}：{words}" if words else REASONS[why]
