"""The whole set of processes, phones that text through the make-believe carrier, and a switch before Rasa."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Self

import httpx
from sqlalchemy import select

from sms_gateway.beats import WorkerBeat
from sms_gateway.database import transaction
from sms_gateway.settings import ROOT
from sms_gateway.supervision.children import Inner, bare_environment, children, inner_environment
from sms_gateway.supervision.places import DataDir, free_ports
from sms_gateway.supervision.scratch import ScratchHotline
from sms_gateway.supervision.supervisor import Supervisor

SIGNATURE = "【云南12345】"
_tails = count(5000)
"""Last digits of phones, each once in a whole run: lines come and go, what the database knows of a number stays."""

PROCESSES = ("danger", "turns", "turns_2", "replies", "bulk", "gateway")


class Switch:
    """Passes turns on to Rasa, or is as slow or as broken as a test wants."""

    def __init__(self, rasa_url: str) -> None:
        self.mode = "pass"
        """`pass`, `slow` (never answers), `broken` (500 at once), `broken_then_slow`, `empty` (200 and `[]`)."""
        self.asked: list[float] = []
        self._rasa = httpx.AsyncClient(base_url=rasa_url, timeout=30, trust_env=False)
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._rasa.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *rest = head.split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, answer = await self._answer(*first.split(" ")[:2], headers, body)
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )
                await writer.drain()
        writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path.startswith("/webhooks/"):
            self.asked.append(time.monotonic())
            match self.mode:
                case "slow":
                    await asyncio.sleep(60)
                case "broken_then_slow" if len(self.asked) > 1:
                    await asyncio.sleep(60)
                case "broken" | "broken_then_slow":
                    return 500, b'{"error": "broken"}'
                case "empty":
                    return 200, b"[]"
        passed = {name: headers[name] for name in ("x-hotline-secret", "content-type") if name in headers}
        try:
            answer = await self._rasa.request(method, path, headers=passed, content=body)
        except httpx.HTTPError:
            return 502, b"{}"
        return answer.status_code, answer.content


@dataclass
class Phone:
    """A phone of the make-believe carrier: what it got, and when (monotonic seconds)."""

    tail: str
    http: httpx.AsyncClient
    got: list[tuple[float, str]] = field(default_factory=list)
    read: int = 0

    async def watch(self) -> None:
        """Collect what arrives, for ever."""
        seen: set[str] = set()
        async with self.http.stream("GET", f"/simulator/phones/{self.tail}/stream", timeout=None) as events:
            async for row in events.aiter_lines():
                if not row.startswith("data: {"):
                    continue
                shown = json.loads(row.removeprefix("data: "))
                if not shown["mine"] and shown["id"] not in seen:
                    seen.add(shown["id"])
                    self.got.append((time.monotonic(), shown["body"].removeprefix(SIGNATURE)))

    async def texts(self, body: str) -> float:
        """Text the hotline; when (monotonic seconds)."""
        at = time.monotonic()
        answer = await self.http.post(f"/simulator/phones/{self.tail}/texts", json={"body": body})
        assert answer.status_code == 202, answer.status_code
        return at

    async def next(self, within: float = 10.0) -> tuple[float, str]:
        """The next text that comes back: when, and what."""
        until = time.monotonic() + within
        while len(self.got) <= self.read:
            assert time.monotonic() < until, f"nothing came back within {within} s"
            await asyncio.sleep(0.005)
        self.read += 1
        return self.got[self.read - 1]

    async def hears_nothing(self, seconds: float) -> bool:
        """Whether nothing comes back in that time."""
        await asyncio.sleep(seconds)
        return len(self.got) == self.read


@dataclass
class Line:
    """The running processes."""

    environment: dict[str, str]
    data_dir: DataDir
    supervisor: Supervisor
    http: httpx.AsyncClient
    phones: dict[str, Phone] = field(default_factory=dict)
    _watches: list[asyncio.Task[None]] = field(default_factory=list)

    async def phone(self) -> Phone:
        """A phone nobody has used."""
        tail = f"{next(_tails):04d}"
        phone = self.phones[tail] = Phone(tail, self.http)
        self._watches.append(asyncio.create_task(phone.watch()))
        return phone

    def pid(self, name: str) -> int:
        pid = self.supervisor.kept[name].pid
        assert pid is not None
        return pid

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self.pid(name), signal.SIGKILL)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """That process stands still for a moment, so that another of its queue must take the next job."""
        os.kill(self.pid(name), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid(name), signal.SIGCONT)

    async def is_up(self, queue: str) -> None:
        """Wait until the present worker process of that queue shows signs of life."""
        async with asyncio.timeout(60):
            while True:
                pid = self.supervisor.kept[queue].pid
                async with transaction() as session:
                    beating = select(WorkerBeat).where(WorkerBeat.queue == queue, WorkerBeat.worker.endswith(f":{pid}"))
                    if pid is not None and await session.scalar(beating) is not None:
                        return
                await asyncio.sleep(0.1)

    async def aclose(self) -> None:
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)


@asynccontextmanager
async def whole_line(
    assistant: ScratchHotline, switch: Switch, folder: Path, *, settings: dict[str, str] | None = None
) -> AsyncIterator[Line]:
    """Gateway and workers beside the assistant's own processes, ready to take texts."""
    data_dir = DataDir.at(folder)
    gateway, console = free_ports(2)
    given = dict(assistant.environment)
    inner = Inner(rasa_port=1, actions_port=1, database_url=given["HOTLINE_DATABASE_URL"], model=None)
    chosen = {**given, "HOTLINE_PORT": str(gateway), "HOTLINE_CONSOLE_PORT": str(console), **(settings or {})}
    environment = inner_environment(data_dir, inner, {**bare_environment(), **chosen})
    environment |= {"HOTLINE_RASA_URL": switch.url, "HOTLINE_ACTIONS_URL": given["HOTLINE_ACTIONS_URL"]}
    supervisor = Supervisor(data_dir.logs, cwd=ROOT)
    try:
        table = children(inner, environment)
        for name in PROCESSES:
            await supervisor.start(table[name], wait=False)
        for name in PROCESSES:
            await supervisor.wait_ready(name, within=120)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway}", timeout=30, trust_env=False) as http:
            running = Line(environment, data_dir, supervisor, http)
            await _until(lambda: _is_ready(http), within=60)
            yield running
            await running.aclose()
    finally:
        await supervisor.stop()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    found = (await http.get("/readyz")).json()
    return bool(found.get("danger_worker") == "ok" and found.get("workers") == "ok")


async def _until(holds: Callable[[], object], *, within: float) -> None:
    until = time.monotonic() + within
    while not await holds():  # type: ignore[misc]
        assert time.monotonic() < until
        await asyncio.sleep(0.1)
