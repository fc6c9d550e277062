"""Where the other processes of this machine hand texts to a line: one at a time for talks, which go first, or a hundred of outreach."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from sms_gateway.carriers.carrier import SendError, TextOut
from sms_gateway.carriers.cmpp.carrier import MOST_AT_ONCE, PATH, access_token
from sms_gateway.carriers.door_client import CODES
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings

from .line import Line


class AccessTokenIsWrong(HotlineError):
    status_code = 401
    sentence = "口令不对。"


def only_our_own(request: Request) -> None:
    """401 without the token our own processes know."""
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {access_token(get_settings())}".encode()):
        raise AccessTokenIsWrong


def _line(request: Request) -> Line:
    line: Line = request.app.state.line
    return line


OwnLine = Annotated[Line, Depends(_line)]

router = APIRouter(include_in_schema=False)
ours = [Depends(only_our_own)]


class HandOver(BaseModel):
    """A text for a phone."""

    to: str = Field(min_length=1, max_length=21)
    body: str = Field(max_length=20_000)
    reference: int = Field(ge=0, lt=10**18)
    validity: float | None = Field(default=None, gt=0)
    """Seconds the carrier may try; None: its own rule."""

    def as_text(self) -> TextOut:
        return TextOut(
            self.to, self.body, self.reference, None if self.validity is None else timedelta(seconds=self.validity)
        )


class HandOverMany(BaseModel):
    texts: list[HandOver] = Field(max_length=MOST_AT_ONCE)


@router.post(PATH, dependencies=ours)
async def hand_over(text: HandOver, line: OwnLine) -> JSONResponse:
    """200 with the gateway's id, or 409 with a `code` of `door_client.REFUSALS`. A text alone goes before all others."""
    answer = await line.send_one(text.as_text())
    return JSONResponse(_said(answer), status_code=200 if isinstance(answer, str) else 409)


@router.post(f"{PATH}/many", dependencies=ours)
async def hand_over_many(wanted: HandOverMany, line: OwnLine) -> JSONResponse:
    """For each text, in order, `{"id": …}` or `{"code": …, "detail": …}`."""
    answers = await line.send([text.as_text() for text in wanted.texts], urgent=False)
    return JSONResponse({"answers": [_said(answer) for answer in answers]})


@router.get(PATH, dependencies=ours)
async def find(reference: int, line: OwnLine) -> JSONResponse:
    """Under which id the text of that reference was taken, if this process remembers it; `{}` proves nothing."""
    text_id = line.memory.text_id_of(reference)
    return JSONResponse({} if text_id is None else {"id": text_id})


@router.get("/healthz")
async def health(line: OwnLine) -> JSONResponse:
    """200 while the process works, with how many connections are up."""
    standing = line.standing()
    return JSONResponse({"up": standing.up, "wanted": standing.wanted})


def _said(answer: str | SendError) -> dict[str, str | None]:
    if isinstance(answer, str):
        return {"id": answer}
    return {"code": CODES.get(type(answer), "unknown"), "detail": answer.code}
