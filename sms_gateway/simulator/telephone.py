"""The make-believe exchange's two sides: the API our driver places calls at, and the phones on the page.

GET  /simulator/telephone                       the page with the phones that ring
GET  /simulator/telephone/calls                 its calls, the newest first
PUT  /simulator/telephone/manner                what every phone does by itself from now on
POST /simulator/telephone/calls/{id}/{deed}     answer, busy, no_answer, press (a key), end
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from sms_gateway.settings import get_settings

from .door import only_loopback, only_our_driver
from .exchange import Deed, Exchange, Manner

PAGE = Path(__file__).with_name("telephone.html")
router = APIRouter(prefix="/simulator/telephone", dependencies=[Depends(only_loopback)], include_in_schema=False)


def _exchange(request: Request) -> Exchange:
    """This process's exchange, made when the first phone rings."""
    state = request.app.state
    if not hasattr(state, "exchange"):
        state.exchange = Exchange(get_settings())
    made: Exchange = state.exchange
    return made


TheExchange = Annotated[Exchange, Depends(_exchange)]


class Wanted(BaseModel):
    """A phone that is to ring."""

    to: str = Field(min_length=3, max_length=40)
    reference: str = Field(pattern=r"^[0-9a-f]{32}$")
    purpose: str = Field(max_length=12)
    ring_seconds: float = Field(default=30, ge=0, le=60)


class Behaviour(BaseModel):
    manner: Manner


class Pressed(BaseModel):
    key: str = Field(default="1", pattern=r"^[0-9*#]$")


@router.get("")
async def page() -> FileResponse:
    """The phones that ring."""
    return FileResponse(PAGE, media_type="text/html; charset=utf-8")


@router.get("/calls")
async def list_calls(exchange: TheExchange) -> dict[str, Any]:
    """How phones behave, and the calls."""
    return {"manner": exchange.manner, "calls": exchange.list()}


@router.put("/manner")
async def set_manner(wanted: Behaviour, exchange: TheExchange) -> dict[str, str]:
    """What every phone does by itself from now on."""
    exchange.manner = wanted.manner
    return {"manner": exchange.manner}


@router.post("/calls", status_code=201, dependencies=[Depends(only_our_driver)])
async def place(wanted: Wanted, exchange: TheExchange) -> dict[str, str]:
    """Let a phone ring."""
    return {"id": exchange.ring(**wanted.model_dump())}


@router.post("/calls/{call_id}/{deed}")
async def do(call_id: str, deed: Deed, exchange: TheExchange, pressed: Pressed | None = None) -> dict[str, Any]:
    """Somebody does something with that phone."""
    return await exchange.do(call_id, deed, key=pressed.key if pressed else "1")
