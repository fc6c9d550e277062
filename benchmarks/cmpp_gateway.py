"""`python -m benchmarks.cmpp_gateway PORT quick`: answers SUBMITs and does nothing else, so that it is not what is measured.
`python -m benchmarks.cmpp_gateway PORT whole CONTROL`: the simulator with reports, and on CONTROL what came of it (`Control`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import uvloop
from aiohttp import ClientSession, web

from sms_gateway.carriers.cmpp import codec
from sms_gateway.carriers.cmpp.codec import HEADER, SUBMIT, SUBMIT_RESP
from sms_gateway.carriers.cmpp.pdus import ConnectResp, Submit, SubmitResp, TerminateResp, Version
from sms_gateway.simulator.cmpp.faults import WireFaults
from sms_gateway.simulator.cmpp.gateway import Client, CmppGateway
from sms_gateway.simulator.faults import Faults
from sms_gateway.supervision.places import PYTHON, free_ports

SOURCE, SECRET, SRC_ID = "901234", "secret-of-the-bench", "106900000001"
CONNECT, TERMINATE = 0x00000001, 0x00000002
REPORTS = Faults(receipt_delay_seconds=0.2, receipt_delay_most=2.0)


class Quick(asyncio.Protocol):
    """Whoever comes is let in; each SUBMIT has an id of its own."""

    def __init__(self) -> None:
        self._splitter, self._taken = codec.Splitter(), 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's say nothing of what they are

    def data_received(self, data: bytes) -> None:
        out = []
        for frame in self._splitter.feed(data):
            _total, command, sequence = HEADER.unpack_from(frame)
            if command == SUBMIT:
                self._taken += 1
                out.append(HEADER.pack(24, SUBMIT_RESP, sequence) + self._taken.to_bytes(8, "big") + bytes(4))
            elif command == CONNECT:
                out.append(codec.encode(ConnectResp(0), sequence=sequence, version=Version.V3))
            elif command == TERMINATE:
                out.append(codec.encode(TerminateResp(), sequence=sequence))
        assert self._transport is not None
        self._transport.write(b"".join(out))


class Timed(CmppGateway):
    """Remembers when the first SUBMIT to a number came."""

    def __init__(self) -> None:
        super().__init__(Client(SOURCE, SECRET, SRC_ID), faults=WireFaults(texts=REPORTS), window=64)
        self.seen: dict[str, float] = {}
        self.watched: dict[str, asyncio.Event] = {}

    def take(self, submits: list[Submit]) -> list[SubmitResp | None]:
        for submit in submits:
            if (event := self.watched.get(submit.destinations[0])) is not None and not event.is_set():
                self.seen[submit.destinations[0]] = time.perf_counter()
                event.set()
        return super().take(submits)


class Control:
    """`GET /truth`: the simulator's report. `POST /write` {number, body}: that phone texts; seconds until a reply to it is submitted."""

    def __init__(self, gateway: Timed) -> None:
        self._gateway = gateway

    async def truth(self, _request: web.Request) -> web.Response:
        return web.json_response(self._gateway.truth.report())

    async def write(self, request: web.Request) -> web.Response:
        said = await request.json()
        gateway, number = self._gateway, str(said["number"])
        event = gateway.watched[number] = asyncio.Event()
        began = time.perf_counter()
        writing = asyncio.create_task(gateway.write(number, str(said["body"]), to=SRC_ID))
        try:
            async with asyncio.timeout(20):
                await event.wait()
            return web.json_response({"seconds": gateway.seen[number] - began})
        except TimeoutError:
            return web.json_response({"seconds": None})
        finally:
            del gateway.watched[number]
            await writing


async def _serve(port: int, kind: str, control: int) -> None:
    if kind == "quick":
        server = await asyncio.get_running_loop().create_server(Quick, "127.0.0.1", port)
        await server.serve_forever()
        return
    gateway = Timed()
    await gateway.start(port)
    app, told = web.Application(), Control(gateway)
    app.router.add_get("/truth", told.truth)
    app.router.add_post("/write", told.write)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", control).start()
    await asyncio.Event().wait()


class Gateway:
    """A running one, from outside."""

    def __init__(self, port: int, control: int) -> None:
        self.port, self._url = port, f"http://127.0.0.1:{control}"

    async def truth(self) -> dict[str, Any]:
        """What it took."""
        async with ClientSession() as session, session.get(f"{self._url}/truth") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def write(self, number: str, body: str) -> float:
        """Seconds from a text of that phone to the first SUBMIT to it. Raises `TimeoutError`."""
        async with (
            ClientSession() as session,
            session.post(f"{self._url}/write", json={"number": number, "body": body}) as answer,
        ):
            seconds = (await answer.json())["seconds"]
        if seconds is None:
            raise TimeoutError
        return float(seconds)


@asynccontextmanager
async def gateway(kind: str) -> AsyncIterator[Gateway]:
    """A process with a gateway, `quick` or `whole`. It is gone afterwards."""
    port, control = free_ports(2)
    command = (str(PYTHON), "-m", "benchmarks.cmpp_gateway", str(port), kind, str(control))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        for _ in range(400):
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield Gateway(port, control)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
