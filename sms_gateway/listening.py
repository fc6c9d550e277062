"""What other processes tell this one: one LISTEN connection per process, fanned out to any number of subscribers.

A notification carries ids only and may be lost while the connection is away, so a subscriber re-reads from its last
id whenever it hears `MISSED`: after every connect and reconnect.

    async with subscribe("hotline_thread") as heard:
        while True:
            payloads = await heard.wait(within=15)   # empty after 15 quiet seconds
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg import sql

from . import logs
from .database import database_url

log = logs.get("listening")

MISSED = "*"
"""Stands among the payloads after a (re)connect: something may have been said meanwhile."""

Wanted = str | Callable[[str], bool] | None

PAUSE_SECONDS = 0.5
"""Between two tries to connect, and at most between asking for a new channel and hearing it."""


class Heard:
    """One subscriber's payloads since it last asked, each once."""

    def __init__(self, channel: str, wanted: Wanted) -> None:
        self.channel = channel
        self._wanted = wanted
        self._waiting: set[str] = set()
        self._bell = asyncio.Event()

    def tell(self, payload: str) -> None:
        """Put `payload` before the subscriber, if it asked for it."""
        if payload == MISSED or self._wants(payload):
            self._waiting.add(payload)
            self._bell.set()

    def _wants(self, payload: str) -> bool:
        if self._wanted is None or isinstance(self._wanted, str):
            return self._wanted in (None, payload)
        return self._wanted(payload)

    async def wait(self, *, within: float) -> frozenset[str]:
        """What was said since the last call, waiting up to `within` seconds; empty when nothing was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._bell.wait()
        payloads = frozenset(self._waiting)
        self._waiting.clear()
        self._bell.clear()
        return payloads


class _Ear:
    """The connection; it lives while somebody listens."""

    def __init__(self) -> None:
        self.subscribers: set[Heard] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, heard: Heard) -> None:
        self.subscribers.add(heard)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="listening")

    async def remove(self, heard: Heard) -> None:
        self.subscribers.discard(heard)
        if not self.subscribers and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _tell(self, channel: str, payload: str) -> None:
        for heard in self.subscribers:
            if heard.channel == channel:
                heard.tell(payload)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("listening_lost", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            database_url(), autocommit=True, connect_timeout=5
        ) as connection:
            known: set[str] = set()
            while True:
                for channel in {heard.channel for heard in self.subscribers} - known:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    known.add(channel)
                    self._tell(channel, MISSED)
                async for said in connection.notifies(timeout=PAUSE_SECONDS):
                    self._tell(said.channel, said.payload)


_ear = _Ear()


@asynccontextmanager
async def subscribe(channel: str, wanted: Wanted = None) -> AsyncIterator[Heard]:
    """Hear `channel` until the block ends: every payload, only the one that is `wanted`, or those it says yes to."""
    heard = Heard(channel, wanted)
    _ear.add(heard)
    try:
        yield heard
    finally:
        await _ear.remove(heard)


async def listen(channel: str) -> AsyncIterator[str]:
    """Every payload of `channel` as it comes, `MISSED` among them; never ends by itself."""
    async with subscribe(channel) as heard:
        while True:
            for payload in await heard.wait(within=60):
                yield payload
