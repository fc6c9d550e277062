"""A way to a server over which at any moment nothing comes through any more, as when its machine is frozen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url


@dataclass
class Way:
    """Connections are taken and kept, also while it hangs; nothing gets lost, it is only late."""

    url: str
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def hang(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator[Way]:
        """A way to the database of that address, open; `url` is its own address."""
        there = make_url(url)
        way = cls("")
        way.go_on()
        running: set[asyncio.Task[None]] = set()

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while content := await source.read(1 << 16):
                    await way._open.wait()
                    target.write(content)
                    await target.drain()
                target.close()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            source, target = await asyncio.open_connection(there.host, there.port)
            for task in (asyncio.create_task(pass_on(reader, target)), asyncio.create_task(pass_on(source, writer))):
                running.add(task)
                task.add_done_callback(running.discard)

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        way.url = there.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        try:
            yield way
        finally:
            way.go_on()
            server.close()
            for task in list(running):
                task.cancel()
