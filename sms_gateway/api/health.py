"""Does it live, and is it whole: `/healthz` for balancers, `/readyz` for people and start scripts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Literal, TypeVar

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text

from sms_gateway.beats import list_alive
from sms_gateway.database import transaction
from sms_gateway.jobs import QUEUES
from sms_gateway.messages import spool
from sms_gateway.settings import get_settings

T = TypeVar("T")
Answer = Literal["ok", "down"]

PROBE_SECONDS = 1.5
KEPT_SECONDS = 0.5
"""Many askers at once cost one look."""

DANGER = "danger"

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


class Health:
    """Looks at the parts, at most once each `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False)
        self._lock = asyncio.Lock()
        self._found: dict[str, Answer] = {}
        self._looked_at = -KEPT_SECONDS

    async def look(self) -> dict[str, Answer]:
        """Every part of DESIGN section 7, by name."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= KEPT_SECONDS:
                self._found = await self._look()
                self._looked_at = time.monotonic()
            return dict(self._found)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _look(self) -> dict[str, Answer]:
        settings = get_settings()
        alive, rasa, actions = await asyncio.gather(
            _in_time(self._queues()),
            _in_time(self._answers(settings.rasa_url)),
            _in_time(self._answers(f"{settings.actions_url}/health")),
        )
        queues = alive or set()
        return {
            "database": _say(alive is not None),
            "rasa": _say(bool(rasa)),
            "actions": _say(bool(actions)),
            "danger_worker": _say(DANGER in queues),
            "workers": _say(queues >= set(QUEUES) - {DANGER}),
        }

    async def _queues(self) -> set[str]:
        async with transaction() as session:
            await session.execute(text("SELECT 1"))
            return await list_alive(session)

    async def _answers(self, url: str) -> bool:
        return (await self._http.get(url)).is_success


async def _in_time(probe: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await probe
    except Exception:  # noqa: BLE001  # whatever keeps a part from answering, it is down
        return None


def _say(well: bool) -> Answer:
    return "ok" if well else "down"


def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health
