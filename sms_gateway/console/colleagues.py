"""What colleagues do for each other: pass a talk on, whisper, step back from a family, ask for help and come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from sms_gateway import logs
from sms_gateway.bridge import service as bridge
from sms_gateway.conversations import recusing, transferring, whispering
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.operators import pauses

from .acts import back
from .ids import Id, is_id
from .seat import GoingOnDuty, SeeingTeam, SigningBridge, Talking

log = logs.get("console")
router = APIRouter()


def _go(request: Request, path: str) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)


class Passing(BaseModel):
    """`to`: the colleague's id; `mode`: cold or warm."""

    to: str = ""
    mode: str = ""
    note: str = ""


@router.post("/talks/{talk_id}/transfer")
async def offer(request: Request, talk_id: Id, seat: Talking, asked: Annotated[Passing, Form()]) -> Response:
    if not is_id(asked.to):
        raise BadInput("请选转给谁。")
    async with transaction() as session:
        row = await transferring.offer(
            session, thread_id=talk_id, operator=seat.operator, to_operator_id=int(asked.to), mode=asked.mode,
            note=asked.note,
        )  # fmt: skip
    log.info("talk_offered", thread=talk_id, operator=seat.operator.id, transfer=row.id)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/transfer/{transfer_id}/accept")
async def accept(request: Request, talk_id: Id, transfer_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await transferring.accept(session, transfer_id=transfer_id, operator=seat.operator)
    log.info("talk_accepted", thread=talk_id, operator=seat.operator.id, transfer=transfer_id)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/transfer/{transfer_id}/decline")
async def decline(request: Request, talk_id: Id, transfer_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await transferring.decline(session, transfer_id=transfer_id, operator=seat.operator)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/transfer/{transfer_id}/cancel")
async def cancel(request: Request, talk_id: Id, transfer_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await transferring.cancel(session, transfer_id=transfer_id, operator=seat.operator)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/back-to-queue")
async def back_to_queue(request: Request, talk_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await transferring.back_to_queue(session, thread_id=talk_id, operator=seat.operator)
    log.info("talk_given_back", thread=talk_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/whisper")
async def whisper(request: Request, talk_id: Id, seat: Talking, words: Annotated[str, Form()] = "") -> Response:
    async with transaction() as session:
        await whispering.whisper(session, thread_id=talk_id, operator=seat.operator, words=words)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/whisper/seen")
async def whisper_seen(request: Request, talk_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await whispering.mark_seen(session, thread_id=talk_id, operator=seat.operator)
    return await back(request, talk_id, seat)


@router.post("/talks/{talk_id}/recuse")
async def recuse(request: Request, talk_id: Id, seat: Talking) -> Response:
    """Away from the page at once: it is shut to them now."""
    async with transaction() as session:
        await recusing.recuse(session, thread_id=talk_id, operator=seat.operator)
    log.info("recused", thread=talk_id, operator=seat.operator.id)
    return _go(request, "/")


@router.post("/talks/{talk_id}/listen")
async def listen_in(request: Request, talk_id: Id, seat: SeeingTeam) -> Response:
    """A supervisor opens a colleague's talk to read along; the audit and the talk's history say so, and the page says who looks."""
    async with transaction() as session:
        await whispering.listen(session, thread_id=talk_id, operator=seat.operator)
    return _go(request, f"/talks/{talk_id}")


@router.post("/team/bridge/{call_id}/settle")
async def settle_bridge(
    request: Request, call_id: Id, seat: SigningBridge, words: Annotated[str, Form()] = ""
) -> Response:
    """A supervisor writes how a failed hand-over was mended: it leaves the wall."""
    async with transaction() as session:
        await bridge.settle(session, call_id, operator_id=seat.operator.id, words=words)
    log.info("bridge_settled", call=call_id, operator=seat.operator.id)
    return _go(request, "/team")


@router.post("/colleagues/help")
async def ask_help(request: Request, seat: GoingOnDuty) -> Response:
    """“我现在需要帮忙”."""
    async with transaction() as session:
        await pauses.ask_help(session, seat.operator.id)
    log.info("help_asked", operator=seat.operator.id)
    return _refresh(request)


@router.post("/colleagues/{operator_id}/come")
async def come(request: Request, operator_id: Id, seat: SeeingTeam) -> Response:
    """“我来了”."""
    async with transaction() as session:
        await pauses.come(session, operator_id=operator_id, lead=seat.operator)
    return _refresh(request)


@router.post("/colleagues/{operator_id}/relieve")
async def relieve(request: Request, operator_id: Id, seat: SeeingTeam) -> Response:
    """换下."""
    async with transaction() as session:
        await pauses.relieve(session, operator_id=operator_id, lead=seat.operator)
    return _refresh(request)


@router.post("/colleagues/end-break")
async def end_break(request: Request, seat: GoingOnDuty) -> Response:
    """Ready again before the time."""
    async with transaction() as session:
        await pauses.end_break(session, seat.operator.id)
    return _refresh(request)


def _refresh(request: Request) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return RedirectResponse("/", status_code=303)
