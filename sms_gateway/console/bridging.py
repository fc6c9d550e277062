"""Handing a talk to 110, 119, 120 or 122 by one click, and what the operator heard of the desk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway import logs
from sms_gateway.conversations import bridging, desk_word, province
from sms_gateway.database import transaction

from .acts import back
from .ids import Id
from .seat import Talking

log = logs.get("console")
router = APIRouter(prefix="/talks/{talk_id}")


@router.post("/bridge")
async def hand_over(
    *,
    request: Request,
    talk_id: Id,
    seat: Talking,
    service: Annotated[str, Form()] = "",
    approach: Annotated[str, Form()] = "",
    number: Annotated[str, Form()] = "",
) -> Response:
    """`number` = 1: the person said that the desk may have it."""
    async with transaction() as session:
        call = await bridging.press(
            session,
            thread_id=talk_id,
            operator=seat.operator,
            service=service,
            approach=approach,
            number_agreed=number == "1",
        )
        call_id = call.id
    log.info("bridge_requested", thread=talk_id, bridge=call_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/bridge/{call_id}/receipt")
async def note_receipt(
    *, request: Request, talk_id: Id, call_id: Id, seat: Talking, reference: Annotated[str, Form()] = ""
) -> Response:
    """The desk took it: its number, or who took it."""
    async with transaction() as session:
        await desk_word.note_receipt(
            session, thread_id=talk_id, operator=seat.operator, call_id=call_id, reference=reference
        )
    log.info("bridge_receipt_noted", thread=talk_id, bridge=call_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/bridge/{call_id}/province")
async def ask_province(request: Request, talk_id: Id, call_id: Id, seat: Talking) -> Response:
    """The prefecture's desk did not take it: the province's is asked."""
    async with transaction() as session:
        call = await province.ask(session, thread_id=talk_id, operator=seat.operator, call_id=call_id)
        asked = call.id
    log.info("province_asked", thread=talk_id, bridge=asked, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/bridge/{call_id}/not-taken")
async def note_not_taken(request: Request, talk_id: Id, call_id: Id, seat: Talking) -> Response:
    """The desk was on the line and did not take it."""
    async with transaction() as session:
        await desk_word.note_not_taken(session, thread_id=talk_id, operator=seat.operator, call_id=call_id)
    log.info("bridge_not_taken", thread=talk_id, bridge=call_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)
