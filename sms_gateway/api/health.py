"""Does it live, and is it whole: `/healthz` for balancers, `/readyz` for people and start scripts."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from sms_gateway.messages import spool
from sms_gateway.seeing.health import Answer, Health

router = APIRouter()


@router.get("/healthz")
async def healthz(request: Request) -> dict[str, Answer | int]:
    """200 as long as this process lives: a gateway without its database still takes texts."""
    waiting = await asyncio.to_thread(spool.counts)
    return {**await _health(request).look(), "spooled": waiting.spooled, "spooled_red": waiting.spooled_red}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """200 once everything answers, else 503."""
    found = await _health(request).look()
    return JSONResponse(found, status_code=200 if set(found.values()) == {"ok"} else 503)


def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health
