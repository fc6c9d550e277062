"""What a gateway or a console counts about itself: requests, and its own process.

Plain ASGI. A label is a word of ours (the first part of the address of a route that exists) or a number of a status: nothing
that somebody sent.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MOST_DOORS = 60
"""Different first parts of addresses; beyond them all are `other`."""
OTHER = "other"
NO_SUCH = frozenset({404, 405})
"""Statuses after which the address proves to be none of ours, or may be."""
_WORD = re.compile(r"[a-z][a-z-]{0,19}", re.ASCII)

registry = CollectorRegistry()
ProcessCollector(registry=registry)
GCCollector(registry=registry)
_requests = Counter("hotline_requests", "Requests by door and class of status", ("door", "status"), registry=registry)
_seconds = Histogram(
    "hotline_request_seconds", "Seconds until an answer begins", ("door",), buckets=REQUEST_SECONDS, registry=registry
)
_doors: set[str] = set()


def door_of(path: str, status: int) -> str:
    """`/twilio/sms` is `twilio`, the first page `home`; what no route answers is `other`."""
    if path == "/":
        return "home"
    word = path.split("/", 2)[1]
    if status in NO_SUCH or _WORD.fullmatch(word) is None:
        return OTHER
    if word not in _doors:
        if len(_doors) >= MOST_DOORS:
            return OTHER
        _doors.add(word)
    return word


class Counted:
    """Wraps `app`; a stream counts until it begins."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status = int(message["status"])
                door = door_of(scope["path"], status)
                _requests.labels(door, f"{status // 100}xx").inc()
                _seconds.labels(door).observe(perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)
