"""A general desk on a real socket, as good or as bad as a test wants, and the wire by which it tells us things."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from aiohttp import web
from standardwebhooks import Webhook

from sms_gateway import clock
from sms_gateway.platforms import general

SECRET = "whsec_" + "bm90LWEtcmVhbC1zZWNyZXQtb2YtdGhlLXRlc3Rz"


@dataclass
class Desk:
    """`mode`: `good`, `broken` (500), `refuses` (422), `pending` (202), `numberless`, `babbles`, `hangs`, `deaf` (takes it, its
    answer is lost)."""

    url: str = ""
    mode: str = "good"
    calls: list[dict[str, Any]] = field(default_factory=list)
    matters: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        Webhook(SECRET).verify(body, dict(request.headers))
        said = json.loads(body)
        self.calls.append({**said, "key": request.headers["idempotency-key"], "id": request.headers["webhook-id"]})
        match self.mode:
            case "broken":
                return web.Response(status=500, text="<html>oops</html>")
            case "refuses":
                return web.json_response({"reason": "不归我们管"}, status=422)
            case "pending":
                return web.json_response({}, status=202)
            case "numberless":
                return web.json_response({"ok": True})
            case "babbles":
                return web.Response(status=200, text="登录页")
            case "hangs":
                await asyncio.sleep(3)
        known = self.matters.setdefault(said["number"], f"ZT{len(self.matters) + 1:06d}")
        if self.mode == "deaf":
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"number": known}, status=201)


@asynccontextmanager
async def running() -> AsyncIterator[Desk]:
    desk = Desk()
    app = web.Application()
    app.router.add_post("/desk/matters", desk.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk.url = f"http://127.0.0.1:{runner.addresses[0][1]}/desk"
    yield desk
    await runner.cleanup()


async def tell(
    gateway: httpx.AsyncClient, *, secret: str = SECRET, at: datetime | None = None, body: bytes | None = None, **said: Any
) -> httpx.Response:  # fmt: skip
    """The desk's signed word at our door."""
    content = body if body is not None else json.dumps(said, ensure_ascii=False).encode()
    headers = general.signed(secret, uuid4().hex, content, at=at or datetime.fromtimestamp(clock.wall_seconds(), UTC))
    return await gateway.post("/platforms/general", content=content, headers=headers)
