"""A make-believe general desk: takes what we pass on, gives it a number, and can give it back. In this process's memory.

GET  /simulator/general                              what it has
POST /simulator/general/matters/{number}/{state}     let it say `returned`, `closed` or `refused` of our number
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from sms_gateway import clock
from sms_gateway.errors import NotFound
from sms_gateway.platforms import general
from sms_gateway.settings import get_settings

from .door import only_loopback

router = APIRouter(prefix="/simulator/general", dependencies=[Depends(only_loopback)], include_in_schema=False)
KEPT = 500


def _matters(request: Request) -> dict[str, dict[str, str | None]]:
    """By our number."""
    found: dict[str, dict[str, str | None]] = request.app.state.__dict__.setdefault("general_desk", {})
    return found


def _secret() -> str:
    secret = get_settings().general_desk_secret
    if secret is None:
        raise NotFound
    return secret.get_secret_value()


@router.post("/matters")
async def take(request: Request) -> JSONResponse:
    """Take a matter: 201 with our number for it; the same again gets the same number, with 200."""
    body = await request.body()
    general.check_signature(_secret(), request.headers, body)
    said, matters = json.loads(body), _matters(request)
    if (known := matters.get(said["number"])) is not None:
        return JSONResponse({"number": known["their_number"]})
    made = {**said, "their_number": f"ZT{secrets.randbelow(10**8):08}", "state": "accepted"}
    matters[said["number"]] = made
    for oldest in list(matters)[:-KEPT]:
        del matters[oldest]
    return JSONResponse({"number": made["their_number"]}, status_code=201)


@router.get("")
async def show(request: Request) -> list[dict[str, str | None]]:
    """What it has, the newest first."""
    return list(reversed(_matters(request).values()))


@router.post("/matters/{number}/{state}")
async def say(request: Request, number: str, state: Literal["returned", "closed", "refused"]) -> JSONResponse:
    """Let it tell us of a matter, by its own signed webhook; what our door answered."""
    matter = _matters(request).get(number)
    if matter is None:
        raise NotFound
    body = json.dumps({"number": number, "their_number": matter["their_number"], "state": state, "reason": "模拟总台"}, ensure_ascii=False).encode()  # fmt: skip
    headers = general.signed(_secret(), uuid4().hex, body, at=datetime.fromtimestamp(clock.wall_seconds(), UTC))
    async with httpx.AsyncClient(base_url=get_settings().gateway_url, timeout=10, trust_env=False) as http:
        answer = await http.post("/platforms/general", content=body, headers=headers)
    if answer.is_success:
        matter["state"] = state
    return JSONResponse(answer.json(), status_code=answer.status_code)
