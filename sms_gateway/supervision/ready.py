"""Whether a process answers: one request over a loopback port, nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

WITHIN = 2.0
"""Seconds for one answer."""


async def status(port: int, path: str) -> int | None:
    """The HTTP status of GET `path` on 127.0.0.1:`port`; None when nobody answers in time."""
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def answers(port: int, path: str = "/") -> Callable[[], Awaitable[bool]]:
    """A ready check: `path` is answered, with anything below 500."""

    async def check() -> bool:
        found = await status(port, path)
        return found is not None and found < 500

    return check
