"""What keeps an open page true: the event stream, the heartbeat, duty on and off, and whether the database is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text

from sms_gateway import clock
from sms_gateway.conversations import overview, recusing
from sms_gateway.database import notify, transaction
from sms_gateway.errors import Conflict, HotlineError
from sms_gateway.escalations.overview import Alarm
from sms_gateway.listening import MISSED, Heard, subscribe
from sms_gateway.messages import spool
from sms_gateway.operators import presence, signin

from . import desk_notices, words
from .failures import DATABASE_IS_AWAY
from .ids import TalkInQuery
from .lookout import Lookout, Shared, Viewers, look_out
from .rules import Act
from .seat import BeingThere, GoingOnDuty, Seat

router = APIRouter(prefix="/live")

CHANNELS = {"hotline_thread": "threads", "hotline_escalation": "escalations", "hotline_ticket": "tickets"}
OUTREACH = {"hotline_broadcast": "broadcasts"}
"""Speaks each second while one runs: only to seats that see broadcasts."""
TYPING = "typing"
"""The person of a talk that is open on a page writes in the web chat right now."""
QUIET_SECONDS = 10.0
PROBE_SECONDS = 1.5
MORE_SECONDS = 0.05
"""What is said within this time of each other goes to the page together."""


class DangerInHand(Conflict):
    sentence = "手上还有红色或橙色，请先转给同事，或者放回队列，再下班。"


class Board:
    """What this process knows of its open pages; made once by the application."""

    def __init__(self) -> None:
        self.lookout: Shared[Lookout] = Shared(look_out)
        self.sessions: Shared[dict[bytes, bool]] = Shared(_open_sessions)
        self.notices: Shared[list[desk_notices.Notice]] = Shared(desk_notices.look)
        self.viewers = Viewers()


async def _open_sessions() -> dict[bytes, bool]:
    """Read once for all open pages, as the alarms are."""
    async with transaction() as session:
        return await signin.list_open(session)


def board(request: Request) -> Board:
    """This application's board."""
    found: Board = request.app.state.board
    return found


@router.get("/health")
async def health() -> JSONResponse:
    """For pages whose heartbeat fails; needs no session, since that needs the database."""
    waiting = await asyncio.to_thread(spool.counts)
    try:
        async with asyncio.timeout(PROBE_SECONDS), transaction() as session:
            await session.execute(text("SELECT 1"))
        database = "ok"
    except (*DATABASE_IS_AWAY, TimeoutError):
        database = "down"
    return JSONResponse(
        {"database": database, "spooled": waiting.spooled, "spooled_red": waiting.spooled_red, "now": _now()}
    )


@router.post("/beat")
async def beat(request: Request, seat: BeingThere, talk: TalkInQuery = None) -> JSONResponse:
    """An open page, every 5 seconds; `talk`, where it is the page of one."""
    waiting = await asyncio.to_thread(spool.counts)
    async with transaction() as session:
        await presence.beat(session, operator_id=seat.operator.id)
        if talk is not None and seat.may(Act.SEE_TALK):
            # A tab left open rings on, but hears nothing of a family they know.
            shut = await recusing.is_shut(session, seat.operator.id, "talk", talk)
            viewers = board(request).viewers
            (viewers.forget if shut else viewers.note)(talk, seat.operator.id)
    return JSONResponse(
        {
            "now": _now(),
            "on_duty": seat.operator.on_duty,
            "spooled": waiting.spooled,
            "spooled_red": waiting.spooled_red,
        }
    )


@router.post("/duty")
async def set_duty(request: Request, seat: GoingOnDuty) -> Response:
    """Start or end duty (`on` = 1 or 0)."""
    on_duty = (await request.form()).get("on") == "1"
    async with transaction() as session:
        if not on_duty and await overview.holds_danger(session, seat.operator.id):
            raise DangerInHand
        await presence.set_duty(session, operator_id=seat.operator.id, on_duty=on_duty)
        what = "duty_on" if on_duty else "duty_off"
        await presence.note(session, operator_id=seat.operator.id, what=what, subject=f"operator:{seat.operator.id}")
        await notify(session, "hotline_escalation", "0")  # everybody's alarms are looked at again
    return Response(status_code=204, headers={"HX-Refresh": "true"})


@router.get("/stream")
async def stream(request: Request, seat: BeingThere) -> StreamingResponse:
    """What changed, as server-sent events: ids of threads, escalations, tickets, and the alarms of this seat. One for all pages
    of a browser (`static/console.stream.js`)."""
    events = follow(board(request), seat)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def follow(here: Board, seat: Seat) -> AsyncIterator[str]:
    """`changed` whenever something was said, at once after each (re)connect of ours; `typing` with the ids of talks they have
    open; `quiet` in between, for pages that must know a silent stream from a dead one; `over` at the end."""
    token_hash = signin.hashed(seat.token)
    channels = CHANNELS | (OUTREACH if seat.may(Act.SEE_OUTREACH) else {})
    async with AsyncExitStack() as stack:
        heard = {name: await stack.enter_async_context(subscribe(channel)) for channel, name in channels.items()}
        if seat.may(Act.SEE_TALK):
            opened = partial(_has_open, here.viewers, seat.operator.id)
            heard[TYPING] = await stack.enter_async_context(subscribe("hotline_typing", opened))
        yield "retry: 1000\n\n"
        said: dict[str, set[str]] = {name: {MISSED} for name in channels.values()}
        while True:
            if not any(said.values()):
                yield "event: quiet\ndata: null\n\n"
            try:
                on_duty = (await here.sessions.look()).get(token_hash)
                if on_duty is None:
                    yield "event: over\ndata: null\n\n"
                    return
                if any(said.values()):
                    yield await _changed(here, seat, on_duty, said)
            except (*DATABASE_IS_AWAY, HotlineError):
                yield "event: away\ndata: null\n\n"
                await asyncio.sleep(1)
                said = {name: {MISSED} for name in channels.values()}
                continue
            said = await _hear(heard)
            if typed := said.pop(TYPING, set()) - {MISSED}:
                yield f"event: typing\ndata: {json.dumps(sorted(typed))}\n\n"


def _has_open(viewers: Viewers, operator_id: int, thread_id: str) -> bool:
    return viewers.is_viewing(int(thread_id), operator_id)


async def _changed(here: Board, seat: Seat, on_duty: bool, said: dict[str, set[str]]) -> str:
    if not seat.may(Act.SEE_QUEUE):  # no alarm, no talk is any business of theirs
        data: dict[str, Any] = {**{name: [] for name in said}, "alarms": [], "now": _now(), "on_duty": False}
        data |= {name: sorted(said[name]) for name in OUTREACH.values() if name in said}
        return f"event: changed\ndata: {json.dumps(data)}\n\n"
    seen = await here.lookout.look()
    mine = seen.of(seat.operator.id)
    told = [notice.as_alarm() for notice in await here.notices.look() if notice.concerns(seat)]
    data = {name: sorted(ids) for name, ids in said.items()}
    data |= {"alarms": [*[_alarm(alarm) for alarm in mine], *told], "now": _now(), "on_duty": on_duty}
    return f"event: changed\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _alarm(alarm: Alarm) -> dict[str, object]:
    return {
        "key": alarm.key, "kind": alarm.kind, "thread": alarm.thread_id, "says": _says(alarm),
        "rings": alarm.kind not in words.QUIET_ALARMS, "since": int(alarm.received_at.timestamp() * 1000), "step": words.STEPS.get(alarm.step, ""),
    }  # fmt: skip


def _says(alarm: Alarm) -> str:
    sentence = words.ALARMS.get(alarm.kind, words.ALARMS["red"])
    return sentence.format(harm=words.HARMS.get(alarm.harm or "", "有危险"))


async def _hear(heard: dict[str, Heard]) -> dict[str, set[str]]:
    """What was said on any channel, waiting for the first word; empty sets after quiet seconds."""
    waits = {name: asyncio.create_task(one.wait(within=QUIET_SECONDS)) for name, one in heard.items()}
    try:
        await asyncio.wait(waits.values(), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(MORE_SECONDS)
    finally:
        for task in waits.values():
            task.cancel()
        ended = await asyncio.gather(*waits.values(), return_exceptions=True)
    return {
        name: set(found) if isinstance(found, frozenset) else set() for name, found in zip(waits, ended, strict=True)
    }


def _now() -> int:
    return int(clock.now().timestamp() * 1000)
