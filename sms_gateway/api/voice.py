"""The telephone exchange's door: what to do with a call that was picked up, and what became of it. Signed, by random ids only."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.states import ENDED, State
from sms_gateway.calls.words import ASKED, CONFIRMS, SAID, THANKS, TIMES, Purpose
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError, NotFound
from sms_gateway.platforms import twiml, voice_forms
from sms_gateway.settings import get_settings

log = logs.get("voice")
router = APIRouter(prefix="/platforms/voice", include_in_schema=False)
FORM = "application/x-www-form-urlencoded"


class ContentTypeIsWrong(HotlineError):
    status_code = 415
    sentence = f"只收 {FORM}。"


@router.post("/{uid}/twiml")
async def say_what_to_do(request: Request, uid: UUID) -> Response:
    """The call was picked up: what is said there, or which conference it joins. One that was called off is hung up."""
    word = await _signed(request)
    async with transaction() as session:
        call = await _find(session, uid)
        await calls.hear(session, call, State.ANSWERED, exchange_id=word.exchange_id)
        over = State(call.state) in ENDED or call.exchange_id != word.exchange_id
    return _xml(twiml.nothing() if over else instructions(call))


@router.post("/{uid}/status")
async def hear_status(request: Request, uid: UUID) -> Response:
    """What became of a call: 200 whether it is news or not."""
    word = await _signed(request)
    async with transaction() as session:
        call = await _find(session, uid)
        state = State(word.state) if word.state else None
        news = state is not None and await calls.hear(
            session, call, state, exchange_id=word.exchange_id, error=word.error
        )
    log.info("call_told", call=call.id, state=word.state, news=news)
    return Response(status_code=204)


@router.post("/{uid}/key")
async def hear_key(request: Request, uid: UUID) -> Response:
    """Which key was pressed: 1 confirms a test call, and lets an operator into the conference. Any other hangs up."""
    word = await _signed(request)
    async with transaction() as session:
        call = await _find(session, uid)
        if call.exchange_id == word.exchange_id:
            await calls.press(session, call, word.key)
        there = word.key == CONFIRMS and call.key == CONFIRMS and State(call.state) not in ENDED
    if there and call.conference is not None:
        return _xml(instructions(call))
    return _xml(twiml.notice(said=THANKS, times=1) if word.key == CONFIRMS else twiml.nothing())


def instructions(call: Call) -> bytes:
    """What the exchange is told to do with this call."""
    purpose = Purpose(call.purpose)
    times = TIMES.get(purpose, 1)
    key_address = f"{get_settings().webhook_url}/platforms/voice/{call.uid.hex}/key"
    if purpose in ASKED and call.key != CONFIRMS:
        return twiml.question(said=ASKED[purpose], times=times, key_address=key_address)
    if call.conference is not None:
        return twiml.conference(said=SAID[purpose], name=call.conference, recorded=get_settings().voice_recording)
    if purpose is Purpose.DUTY_TEST:
        return twiml.question(said=SAID[purpose], times=times, key_address=key_address)
    return twiml.notice(said=SAID[purpose], times=times)


async def _signed(request: Request) -> voice_forms.Word:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise ContentTypeIsWrong
    query = request.scope["query_string"].decode("latin-1")
    path = str(request.scope["path"]) + (f"?{query}" if query else "")
    return voice_forms.read(get_settings(), path=path, headers=request.headers, body=await request.body())


async def _find(session: AsyncSession, uid: UUID) -> Call:
    call = await calls.find(session, uid, for_update=True)
    if call is None:
        raise NotFound
    return call


def _xml(content: bytes) -> Response:
    return Response(content, media_type="text/xml")
