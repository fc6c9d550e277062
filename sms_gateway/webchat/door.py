"""The chat page and its API: write, read, listen, leave."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.contacts.models import Channel
from sms_gateway.contacts.web_session import end_web_session
from sms_gateway.database import in_time, notify, transaction
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.listening import Heard, subscribe
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import ThreadEvent
from texts.normalise import clean

from . import talk, typing, visitor

log = logs.get("webchat")

PAGE = Path(__file__).with_name("page.html")
CARRIER = "web"
LONGEST_TEXT = 5000
"""Characters of one web text."""

STORED_WITHIN = 5.0
"""Seconds for the database to take a text; then the page keeps it and says so."""

QUIET_SECONDS = 15.0
"""A stream that has nothing to say gives a sign of life this often."""

_TEXT_ID = re.compile(r"[0-9A-Za-z-]{8,36}")


class TextIsTooLong(BadInput):
    status_code = 413
    sentence = f"太长了，一次最多 {LONGEST_TEXT} 个字。你写的还在输入框里，分成几段发就行。"


class TextIsEmpty(BadInput):
    sentence = "还没有写字。"


class NotOurPage(HotlineError):
    status_code = 403
    sentence = "请在本站的网页上留言。"


class TextWasNotStored(HotlineError):
    status_code = 503
    sentence = "没有发出去。你写的还在，请再发一次；急的话直接打 110。"


@dataclass(frozen=True)
class Written:
    """A text as the page posted it."""

    text_id: str
    body: str


router = APIRouter()


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE, media_type="text/html; charset=utf-8")


@router.get("/chat/texts")
async def list_texts(request: Request) -> JSONResponse:
    """The visitor's talk so far; nothing and no cookie before the first text."""
    token = visitor.find_visitor(request)
    if token is None:
        return JSONResponse({"texts": [], "owner": None})
    async with transaction() as session:
        thread = await talk.find_thread(session, token)
        lines = await talk.list_lines(session, thread.id) if thread else []
    return JSONResponse({"texts": [asdict(line) for line in lines], "owner": thread.owner if thread else None})


@router.post("/chat/texts")
async def write(request: Request) -> JSONResponse:
    """Store a text; 202 once it is safe. The first one gives the browser its session."""
    _check_origin(request)
    written = read_written(await request.body())

    async def store(session: AsyncSession) -> tuple[str, int | None, bool]:
        token = await _token_of(session, visitor.find_visitor(request))
        return token, *await _store(session, token, written)

    try:
        token, message_id, repeated = await in_time(store, within=STORED_WITHIN)
    except (OperationalError, InterfaceError, PoolTimeout, OSError):
        raise TextWasNotStored from None
    log.info("text_received", message=message_id, repeated=repeated)
    answer = JSONResponse({"id": message_id}, status_code=202)
    visitor.remember(answer, token)
    return answer


async def _token_of(session: AsyncSession, token: str | None) -> str:
    """The visitor's own token while their talk is open; a new one for a new or ended talk."""
    if token is not None and await talk.find_thread(session, token) is not None:
        return token
    return visitor.new_token()


async def _store(session: AsyncSession, token: str, written: Written) -> tuple[int | None, bool]:
    text_id = talk.carrier_id(token, written.text_id)
    inbound = inbox.Inbound(
        channel=Channel.WEB,
        address=token,
        body=written.body,
        carrier=CARRIER,
        carrier_id=text_id,
        received_at=clock.now(),
    )
    recorded = await inbox.receive(session, inbound)
    if recorded is not None:
        return recorded.message_id, False
    return await talk.find_text(session, CARRIER, text_id), True


@router.get("/chat/stream")
async def stream(request: Request) -> Response:
    """The talk as it goes on, as server-sent events; 204 where there is no talk (the browser then stops asking)."""
    token = visitor.find_visitor(request)
    if token is None:
        return Response(status_code=204)
    async with transaction() as session:
        thread = await talk.find_thread(session, token)
    if thread is None:
        return Response(status_code=204)
    events = follow(token, thread.id, last_id=_last_id(request))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/chat/typing", status_code=204)
async def tell_typing(request: Request) -> Response:
    """Whoever has the talk open sees for a moment that the visitor writes. Nothing is stored, no word goes out."""
    _check_origin(request)
    token = visitor.find_visitor(request)
    if token is not None and typing.may_tell(token):
        async with transaction() as session:
            thread = await talk.find_thread(session, token)
            if thread is not None and thread.owner == "operator":
                await notify(session, "hotline_typing", str(thread.id))
    return Response(status_code=204)


@router.post("/chat/shown", status_code=204)
async def note_shown(request: Request) -> Response:
    """`{"ids": [...]}`: these of our texts stand on the page. What nobody has shown after a minute rings in red, as a text message
    without its receipt does. 422 for anything else."""
    _check_origin(request)
    ids = read_shown(await request.body())
    token = visitor.find_visitor(request)
    if token is not None:
        async with transaction() as session:
            thread = await talk.find_thread(session, token)
            if thread is not None:
                await outbox.mark_shown(session, thread_id=thread.id, message_ids=ids)
    return Response(status_code=204)


@router.post("/chat/leave", status_code=204)
async def leave(request: Request) -> Response:
    """End the session on both sides: nobody comes back to this talk from this browser."""
    _check_origin(request)
    token = visitor.find_visitor(request)
    answer = Response(status_code=204)
    visitor.forget(answer)
    if token is not None:
        async with transaction() as session:
            thread = await talk.find_thread(session, token)
            if thread is not None:
                await end_web_session(session, token=token)
                session.add(
                    ThreadEvent(thread_id=thread.id, what="person_left", who="person", at=clock.now(), detail={})
                )
                await notify(session, "hotline_thread", str(thread.id))
        log.info("visitor_left", thread=thread and thread.id)
    return answer


async def follow(token: str, thread_id: int, *, last_id: int) -> AsyncIterator[str]:
    """Events of one talk: `text` for each, `owner` when it changes, `left` at its end. Re-read after every notification."""
    known: set[int] = set()
    owner: str | None = None
    async with subscribe("hotline_thread", str(thread_id)) as heard:
        yield "retry: 1500\n\n"
        while True:
            try:
                async with transaction() as session:
                    thread = await talk.find_thread(session, token)
                    after = await talk.start_after(session, thread_id, last_id)
                    lines = await talk.list_lines(session, thread_id, after=after, known=known) if thread else []
            except (OperationalError, InterfaceError, PoolTimeout, OSError):
                yield await _next_reason(heard)  # the database is away: the listener says when it is back
                continue
            if thread is None:
                yield "event: left\ndata: null\n\n"
                return
            for line in lines:
                known.add(line.id)
                last_id = max(last_id, line.id)
                yield f"id: {line.id}\nevent: text\ndata: {json.dumps(asdict(line), ensure_ascii=False)}\n\n"
            if thread.owner != owner:
                owner = thread.owner
                yield f"event: owner\ndata: {json.dumps(owner)}\n\n"
            yield await _next_reason(heard)


async def _next_reason(heard: Heard) -> str:
    return ": heard\n\n" if await heard.wait(within=QUIET_SECONDS) else ": quiet\n\n"


def read_written(raw: bytes) -> Written:
    """The posted text. Raises `BadInput`, `TextIsTooLong`, `TextIsEmpty`."""
    try:
        posted: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadInput from None
    if not isinstance(posted, dict):
        raise BadInput
    text_id, body = posted.get("id"), posted.get("body")
    if not isinstance(text_id, str) or not _TEXT_ID.fullmatch(text_id) or not isinstance(body, str):
        raise BadInput
    if len(body) > LONGEST_TEXT:
        raise TextIsTooLong
    if not clean(body):
        raise TextIsEmpty
    return Written(text_id, body)


def read_shown(raw: bytes) -> list[int]:
    """The posted ids. Raises `BadInput`."""
    try:
        posted: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadInput from None
    ids = posted.get("ids") if isinstance(posted, dict) else None
    if not isinstance(ids, list) or len(ids) > talk.LONGEST_TALK:
        raise BadInput
    if not all(type(one) is int and 0 < one < 2**63 for one in ids):
        raise BadInput
    return ids


def _check_origin(request: Request) -> None:
    """Other sites' pages cannot write here: browsers name the page that asks."""
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        raise NotOurPage
    origin = request.headers.get("origin")
    if site is None and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise NotOurPage


def _last_id(request: Request) -> int:
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else 0
