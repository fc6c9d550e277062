"""Does every part answer: database, assistant, action server, workers. At most one look in half a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Literal

import httpx
from sqlalchemy import text

from sms_gateway.beats import list_alive
from sms_gateway.database import transaction
from sms_gateway.jobs import QUEUES
from sms_gateway.settings import get_settings

Answer = Literal["ok", "down"]

PROBE_SECONDS = 1.5
"""The balancer waits 3 s (`deploy/Caddyfile`) before it takes a gateway out."""
KEPT_SECONDS = 0.5
"""Many askers at once cost one look."""

DANGER = "danger"


class Health:
    """Looks at the parts, at most once each `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False)
        self._lock = asyncio.Lock()
        self._found: dict[str, Answer] = {}
        self._looked_at = -KEPT_SECONDS
        self._left_behind: dict[str, asyncio.Task[Any]] = {}

    async def look(self) -> dict[str, Answer]:
        """Every part of DESIGN section 7, by name; within some `PROBE_SECONDS`, whatever hangs."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= KEPT_SECONDS:
                self._found = await self._look()
                self._looked_at = time.monotonic()
            return dict(self._found)

    async def aclose(self) -> None:
        """Close the connections."""
        for task in self._left_behind.values():
            task.cancel()
        await self._http.aclose()

    async def _look(self) -> dict[str, Answer]:
        settings = get_settings()
        alive, rasa, actions = await asyncio.gather(
            self._in_time("database", self._queues),
            self._in_time("rasa", partial(self._answers, settings.rasa_url)),
            self._in_time("actions", partial(self._answers, f"{settings.actions_url}/health")),
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

    async def _in_time(self, part: str, probe: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What the probe finds; None: the part is down. One that hangs is left behind, since cancelling a query on a hung database
        waits for that database (up to 10 s); the part stays down until it has ended, so at most one of each is under way."""
        if part in self._left_behind:
            return None
        task = asyncio.create_task(probe())
        done, _ = await asyncio.wait({task}, timeout=PROBE_SECONDS)
        if not done:
            self._left_behind[part] = task
            task.add_done_callback(partial(self._forget, part))
            return None
        return None if task.cancelled() or task.exception() is not None else task.result()

    def _forget(self, part: str, task: asyncio.Task[Any]) -> None:
        del self._left_behind[part]
        if not task.cancelled():
            task.exception()  # nobody asks for it any more


def _say(well: bool) -> Answer:
    return "ok" if well else "down"
