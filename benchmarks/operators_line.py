"""The whole hotline as operators meet it: texts in by the carrier's signed callback, seats that are signed in over HTTP.

Every process of the hotline runs on a scratch PostgreSQL; in the carrier's place stands a recorder. This process reads the same
database, so that its simulated operators go through the rooms as a console does.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from aiohttp import web

from sms_gateway import database
from sms_gateway.conversations import assistant
from sms_gateway.database import transaction
from sms_gateway.migrations import upgrade
from sms_gateway.operators import accounts, presence, signin
from sms_gateway.operators.models import Operator, Role
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import free_ports
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres, scratch_hotline, scratch_postgres

from .danger import Recorder, recorder
from .load import Connection
from .twilio_texts import SETTINGS, number, signed_text

DESKS = ("danger", "turns", "replies", "gateway", "console")
"""The processes an operator's work needs; without Rasa every ordinary turn brings a person."""
WHOLE = ("rasa", "actions", "danger", "turns", "turns_2", "replies", "bulk", "gateway", "console")
QUICK_LADDER = {
    "HOTLINE_RING_AGAIN_SECONDS": "3",
    "HOTLINE_RING_EVERYONE_SECONDS": "6",
    "HOTLINE_RING_SUPERVISOR_SECONDS": "12",
    "HOTLINE_BRIDGE_AFTER_SECONDS": "18",
}
"""A tenth of the real intervals: the same steps in an eighteenth of a minute each."""
BEAT_SECONDS = 4.0
KEPT_FOR = 2.0
"""Seconds a connection may lie unused; the gateway's server shuts it after five."""

_people = count(1)
_seats = count(1)


@dataclass
class Carrier(Recorder):
    """What left the hotline, also the bodies by number, in the order they came."""

    bodies: dict[str, list[str]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        """The carrier's own answer to a text."""
        form = await request.post()
        self.bodies.setdefault(str(form["To"]), []).append(str(form["Body"]))
        return await super().take(request)


@dataclass
class Seat:
    """An operator with a signed-in browser that is no browser. `heard`: `changed` events of the stream, with their time."""

    operator: Operator
    client: httpx.AsyncClient
    csrf: str
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def do(self, path: str, **fields: str) -> httpx.Response:
        """Press a button."""
        return await self.client.post(path, data=fields, headers={"HX-Request": "true", "X-CSRF": self.csrf})

    def open_page(self) -> None:
        """Listen to the stream and beat, as an open page does; comes back after a break."""
        self._tasks += [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]

    async def close_page(self) -> None:
        """The browser is gone: no stream, no beat, no word of goodbye."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _listen(self) -> None:
        while True:
            with suppress(httpx.HTTPError):
                async with self.client.stream("GET", "/live/stream", timeout=httpx.Timeout(30)) as events:
                    async for line in events.aiter_lines():
                        if line.startswith("data: {"):
                            self.heard.append((time.time(), json.loads(line.removeprefix("data: "))))
            await asyncio.sleep(0.5)

    async def _beat(self) -> None:
        while True:
            with suppress(httpx.HTTPError):
                await self.client.post("/live/beat", headers={"X-CSRF": self.csrf})
            await asyncio.sleep(BEAT_SECONDS)


@dataclass
class DeskLine:
    """The running hotline."""

    hotline: ScratchHotline
    carrier: Carrier
    postgres: ScratchPostgres
    seats: list[Seat] = field(default_factory=list)

    @property
    def gateway_port(self) -> int:
        return int(self.hotline.environment["HOTLINE_PORT"])

    @property
    def console_port(self) -> int:
        return int(self.hotline.environment["HOTLINE_CONSOLE_PORT"])

    async def link(self, login: str) -> str:
        """A link that signs this account in once."""
        async with transaction() as session:
            token = await signin.one_time_link(session, login=login)
        return f"http://127.0.0.1:{self.console_port}/sign-in/{token}"

    async def add_operator(self, *, role: Role = Role.OPERATOR) -> Operator:
        """A trained seat, on duty."""
        async with transaction() as session:
            made = await accounts.add(
                session, login=f"seat{next(_seats)}", name="测试席", role=role, password=None, trained=True
            )  # fmt: skip
            await presence.set_duty(session, operator_id=made.id, on_duty=True)
        return made

    async def sit(self, *, role: Role = Role.OPERATOR) -> Seat:
        """Somebody signs in; their page is not open yet."""
        made = await self.add_operator(role=role)
        base = f"http://127.0.0.1:{self.console_port}"
        client = httpx.AsyncClient(base_url=base, timeout=30, follow_redirects=True, trust_env=False)
        answer = await client.post((await self.link(made.login)).removeprefix(base))
        csrf = answer.text.partition('data-csrf="')[2].partition('"')[0]
        assert csrf, f"{made.login} could not sign in: {answer.status_code}"
        self.seats.append(seat := Seat(made, client, csrf))
        return seat

    async def aclose(self) -> None:
        """Everybody goes home."""
        for seat in self.seats:
            await seat.close_page()
            await seat.client.aclose()


def somebody() -> str:
    """A number nobody has used."""
    return number(next(_people))


class Phones:
    """Texts by the carrier's callback over one kept connection, opened anew when the gateway went away."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: Connection | None = None
        self._used = 0.0
        self._lock = asyncio.Lock()

    async def text(self, sender: str, body: str) -> float:
        """Hand a text in; the time (Unix seconds) its first byte left. Raises OSError while the gateway is away."""
        return await self._hand_in(signed_text(self._port, sender=sender, body=body))

    async def _hand_in(self, request: bytes) -> float:
        async with self._lock:
            if self._connection is not None and time.monotonic() - self._used > KEPT_FOR:
                self._connection.close()
                self._connection = None
            if self._connection is None:
                self._connection = await Connection.open(self._port)
            at = time.time()
            try:
                await self._connection.ask(request)
            except BaseException:
                self._connection.close()
                self._connection = None
                raise
            self._used = time.monotonic()
        return at

    async def text_until_taken(self, sender: str, body: str, *, within: float = 20.0) -> float:
        """As a carrier does: the same text again until it is acknowledged."""
        until = time.monotonic() + within
        request = signed_text(self._port, sender=sender, body=body)
        while True:
            try:
                return await self._hand_in(request)
            except (OSError, asyncio.IncompleteReadError):
                assert time.monotonic() < until, "the gateway did not come back"
                await asyncio.sleep(0.2)


@contextmanager
def as_hotline(environment: Mapping[str, str]) -> Iterator[None]:
    """This process reads the line's own settings: its database, its keys."""
    with mock.patch.dict(os.environ, environment):
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@asynccontextmanager
async def desk_line(
    *names: str, model: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[DeskLine]:
    """The processes `names` on a scratch database."""
    (port,) = free_ports(1)
    chosen = {**SETTINGS, "HOTLINE_CARRIER": "twilio", "HOTLINE_TWILIO_API_URL": f"http://127.0.0.1:{port}"}
    with scratch_postgres() as server:
        url = server.create("desks")
        upgrade(url)
        async with (
            recorder(port, Carrier()) as carrier,
            scratch_hotline(
                server.folder / "data", *names, database_url=url, model=model, settings={**chosen, **(settings or {})}
            ) as hotline,
        ):
            with as_hotline(hotline.environment):
                line = DeskLine(hotline, carrier, server)
                try:
                    yield line
                finally:
                    await line.aclose()
                    await assistant.close()
                    await database.dispose()
