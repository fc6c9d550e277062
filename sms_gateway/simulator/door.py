"""The make-believe carrier's two sides: the API our driver hands texts to, and the phones on the page."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from sms_gateway.carriers import simulator
from sms_gateway.carriers.carrier import TextOut
from sms_gateway.errors import BadInput, HotlineError, NotFound
from sms_gateway.settings import get_settings

from .carrier_state import MakeBelieveCarrier, NobodyAnswers
from .faults import Faults, Refusal
from .phones import PREFIX, Phone
from .truth import LARGEST_REFERENCE

PAGE = Path(__file__).with_name("phone.html")
QUIET_SECONDS = 15.0
LOOPBACK = frozenset({"127.0.0.1", "::1"})
LOOPBACK_NAMES = frozenset({"127.0.0.1", "[::1]", "localhost"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class AccessTokenIsWrong(HotlineError):
    status_code = 401
    sentence = "口令不对。"


def only_loopback(request: Request) -> None:
    """404 for everybody but this machine's own user: not through a proxy, not under another host's name."""
    near = request.client is not None and request.client.host in LOOPBACK
    named = request.headers.get("host", "").lower()
    name = named[: named.rfind("]") + 1] if named.startswith("[") else named.partition(":")[0]
    if not near or name not in LOOPBACK_NAMES or any(header in request.headers for header in FORWARDED):
        raise NotFound


def only_our_driver(request: Request) -> None:
    """401 without the token our carrier driver knows."""
    given = request.headers.get("authorization", "")
    wanted = f"Bearer {simulator.access_token(get_settings())}"
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise AccessTokenIsWrong


def _carrier(request: Request) -> MakeBelieveCarrier:
    carrier: MakeBelieveCarrier = request.app.state.make_believe
    return carrier


Carrier = Annotated[MakeBelieveCarrier, Depends(_carrier)]

router = APIRouter(dependencies=[Depends(only_loopback)], include_in_schema=False)
driver = [Depends(only_our_driver)]


class HandOver(BaseModel):
    """A text of the hotline's for a phone."""

    to: str = Field(min_length=1, max_length=128)
    body: str = Field(max_length=20_000)
    reference: int = Field(ge=0, le=LARGEST_REFERENCE)
    """Our message id, or a recipient's; 0 for a text sent while the database is away."""
    validity: float | None = Field(default=None, gt=0)
    """Seconds; None: as long as it takes."""

    def as_text(self) -> TextOut:
        """In the words of the driver."""
        validity = None if self.validity is None else timedelta(seconds=self.validity)
        return TextOut(self.to, self.body, self.reference, validity)


class HandOverMany(BaseModel):
    """Many texts in one request."""

    texts: list[HandOver] = Field(max_length=simulator.MOST_AT_ONCE)


class Typed(BaseModel):
    """A text typed on a phone."""

    body: str = Field(max_length=20_000)


Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class WantedFaults(BaseModel):
    """See `faults.Faults`."""

    delay_seconds: Seconds = 0
    delay_most: Seconds = 0
    receipt_delay_seconds: Seconds = 0
    receipt_delay_most: Seconds = 0
    refuse: Refusal = "none"
    duplicate: bool = False
    rate: float = Field(default=0, ge=0)
    share_refused: Share = 0
    share_blocked: Share = 0
    share_undelivered: Share = 0
    share_no_answer: Share = 0
    share_answer_lost: Share = 0
    share_duplicated: Share = 0
    share_out_of_order: Share = 0
    bulk: bool = False


NO_ANSWER = 502
"""As a carrier's own proxy says when it lost the answer behind it: nobody knows what became of the request."""


@router.post("/simulator/messages", dependencies=driver)
async def hand_over(text: HandOver, carrier: Carrier) -> JSONResponse:
    """201 with the carrier's id, or 400/429 with a `code`; 502 when the answer is lost."""
    try:
        (answer,) = await carrier.hand_over_many([text.as_text()])
    except NobodyAnswers:
        return JSONResponse({}, status_code=NO_ANSWER)
    if isinstance(answer, str):
        return JSONResponse({"id": answer, "status": "queued"}, status_code=201)
    return JSONResponse({"code": answer.code}, status_code=429 if answer.code == "busy" else 400)


@router.post("/simulator/messages/many", dependencies=driver)
async def hand_over_many(wanted: HandOverMany, carrier: Carrier) -> JSONResponse:
    """For each text, in order, `{"id": …}` or `{"code": …}`; 502 when the answer is lost."""
    try:
        answers = await carrier.hand_over_many([text.as_text() for text in wanted.texts])
    except NobodyAnswers:
        return JSONResponse({}, status_code=NO_ANSWER)
    said = [{"id": answer} if isinstance(answer, str) else {"code": answer.code} for answer in answers]
    return JSONResponse({"answers": said})


@router.get("/simulator/messages", dependencies=driver)
async def look_up(reference: int, carrier: Carrier) -> dict[str, str | float | None]:
    """The id of the text handed over under `reference`, and since when this carrier can tell."""
    return {"id": carrier.truth.find(reference), "running_since": carrier.truth.since}


@router.get("/simulator/truth", dependencies=driver)
async def tell_truth(carrier: Carrier, first: int = 0, last: int = LARGEST_REFERENCE) -> dict[str, Any]:
    """What really happened to references from `first` to `last`: `truth.Truth.report`."""
    return carrier.truth.report(first=first, last=last)


@router.get("/simulator/truth/references", dependencies=driver)
async def tell_truth_by_reference(carrier: Carrier, first: int, last: int) -> StreamingResponse:
    """A line for each reference: it, how often it was taken, how often it arrived, how it ended; parted by tabs."""
    rows = carrier.truth.by_reference(first=first, last=last)
    lines = ("\t".join(map(str, row)) + "\n" for row in rows)
    return StreamingResponse(_in_blocks(lines), media_type="text/tab-separated-values")


@router.get("/phone")
async def phone_page() -> FileResponse:
    """The page that looks like a phone."""
    return FileResponse(PAGE, media_type="text/html; charset=utf-8")


@router.get("/simulator/phones")
async def list_phones(carrier: Carrier) -> list[dict[str, str]]:
    """Phones with texts: their last four digits, last words and time."""
    return [_preview(phone) for phone in carrier.phones.list()]


@router.get("/simulator/phones/{tail}/stream")
async def watch(tail: str, carrier: Carrier) -> StreamingResponse:
    """A phone's texts as server-sent events: all that are kept, then each new one and each new state."""
    events = _follow(carrier.phones.get(_number(tail)))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/simulator/phones/{tail}/texts", status_code=202)
async def write(tail: str, typed: Typed, carrier: Carrier) -> dict[str, str]:
    """Send a text from that phone; it goes out by the carrier's own signed callback."""
    return {"id": (await carrier.write(_number(tail), body=typed.body)).id}


@router.delete("/simulator/phones/{tail}/texts", status_code=204)
async def wipe(tail: str, carrier: Carrier) -> None:
    """Empty that phone (the hotline's own record stays)."""
    carrier.phones.get(_number(tail)).texts.clear()


@router.get("/simulator/fresh")
async def fresh_phone(carrier: Carrier) -> dict[str, str]:
    """Four digits no phone has texts under."""
    taken = {phone.number for phone in carrier.phones.list()}
    while (tail := f"{secrets.randbelow(10_000):04}") and PREFIX + tail in taken:
        pass
    return {"tail": tail}


@router.get("/simulator/faults")
async def show_faults(carrier: Carrier) -> dict[str, object]:
    """What goes wrong on purpose now."""
    return asdict(carrier.faults)


@router.put("/simulator/faults")
async def set_faults(wanted: WantedFaults, carrier: Carrier) -> dict[str, object]:
    """Let things go wrong, or well again."""
    carrier.faults = Faults(**wanted.model_dump())
    return asdict(carrier.faults)


async def _in_blocks(lines: Iterable[str]) -> AsyncIterator[str]:
    rest = iter(lines)
    while block := "".join(islice(rest, 2000)):
        yield block


def _number(tail: str) -> str:
    if len(tail) != 4 or not (tail.isascii() and tail.isdigit()):
        raise BadInput("号码的后四位要是四个数字。")
    return PREFIX + tail


def _preview(phone: Phone) -> dict[str, str]:
    last = phone.texts[-1]
    return {"tail": phone.number[-4:], "last": last.body[:40], "at": last.at}


async def _follow(phone: Phone) -> AsyncIterator[str]:
    with phone.watched() as queue:
        yield "retry: 1000\n\n"
        for text in list(phone.texts):
            yield _event(text.shown())
        yield "event: ready\ndata: null\n\n"
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    text = await queue.get()
            except TimeoutError:
                yield ": quiet\n\n"
            else:
                yield _event(text.shown())


def _event(shown: dict[str, object]) -> str:
    return f"event: text\ndata: {json.dumps(shown, ensure_ascii=False)}\n\n"
