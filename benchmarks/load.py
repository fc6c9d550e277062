"""A load generator that costs little: plain HTTP/1.1 over a few kept connections to 127.0.0.1, bounded by its list."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .results import percentile


class AnswerIsWrong(Exception):
    """Something else than the wanted status came back; holds the status only."""


@dataclass
class Load:
    """What a round saw. `seconds` are latencies; `took` the whole round; `own_cpu` the generator's share of one core."""

    seconds: list[float] = field(default_factory=list)
    took: float = 0.0
    own_cpu: float = 0.0

    @property
    def p50_ms(self) -> float:
        return percentile(self.seconds, 0.5) * 1000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.took


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes, *, wanted: int = 200) -> bytes:
        """The body of the answer. Raises AnswerIsWrong."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await self._reader.readexactly(length)
        status = int(head.split(b" ", 2)[1])
        if status != wanted:
            raise AnswerIsWrong(str(status))
        return body

    def close(self) -> None:
        self._writer.close()


async def run(port: int, requests: Iterable[bytes], *, connections: int) -> Load:
    """Send every request, over so many connections at once, each as soon as the one before it was answered."""
    load, waiting = Load(), iter(requests)
    open_ones = [await Connection.open(port) for _ in range(connections)]
    began, cpu = time.perf_counter(), _own_cpu()
    try:
        await asyncio.gather(*(_drain(each, waiting, load) for each in open_ones))
    finally:
        for each in open_ones:
            each.close()
    load.took = time.perf_counter() - began
    load.own_cpu = (_own_cpu() - cpu) / load.took
    return load


async def _drain(connection: Connection, waiting: Iterator[bytes], load: Load) -> None:
    for request in waiting:
        began = time.perf_counter()
        await connection.ask(request)
        load.seconds.append(time.perf_counter() - began)


def _own_cpu() -> float:
    spent = os.times()
    return spent.user + spent.system
