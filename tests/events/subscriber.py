"""A department's own server, real and local: it keeps what it got and answers as the test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Got:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Subscriber:
    """`answer` is a status, or a response by what was got; `hang` lets it never answer."""

    url: str = ""
    answer: int | Callable[[Got], web.Response] = 204
    hang: bool = False
    beside: Callable[[], Awaitable[None]] | None = None
    """What happens while it answers."""
    got: list[Got] = field(default_factory=list)

    @property
    def subjects(self) -> list[str]:
        return [each.event.get("subject", "") for each in self.got]

    async def handle(self, request: web.Request) -> web.Response:
        got = Got({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.got.append(got)
        if self.beside is not None:
            await self.beside()
        if self.hang:
            await asyncio.sleep(3600)
        return web.Response(status=self.answer) if isinstance(self.answer, int) else self.answer(got)


@asynccontextmanager
async def listening(ssl_context: Any = None, host: str = "127.0.0.1") -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    application = web.Application()
    application.router.add_post("/{path:.*}", subscriber.handle)
    application.router.add_get("/{path:.*}", subscriber.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=ssl_context)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    subscriber.url = f"{'https' if ssl_context else 'http'}://{host}:{port}/hook"
    try:
        yield subscriber
    finally:
        await runner.cleanup()
