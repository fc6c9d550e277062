"""What stands before every page and API: a limit for bodies, headers for browsers, and no error's text going out.

Plain ASGI, so that a webhook pays next to nothing for it. The gateway and the console wear the same one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import logs, tracing
from .errors import HotlineError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logs.get("shield")

MAX_BODY = 256 * 1024
"""Bytes. A web text of 10,000 characters, escaped, still comes through and gets a clear answer."""

MAX_UPLOAD = 20 * 1024 * 1024 + MAX_BODY
"""Bytes where files come in: all files of one reply (`tickets.attachments.MAX_TOGETHER`) and the form around them."""
UPLOADS = re.compile(
    r"/work/[0-9]{1,19}/reply|/api/tickets/[0-9]{8}/attachments|/outreach/rolls/[0-9]{1,19}/parts", re.ASCII
)
"""The only paths that take files; form parsers keep what is larger than 1 MB on disk, never in memory. A roll comes in pieces."""

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}
CHECK_FIRST = (b"cache-control", b"no-cache")
HSTS = ("strict-transport-security", "max-age=31536000; includeSubDomains")


class BodyIsTooLarge(HotlineError):
    status_code = 413
    sentence = "内容太长了，请分成几段发。"


class FilesAreTooLarge(BodyIsTooLarge):
    sentence = "文件太大：每个不超过 10 MB，一次一共不超过 20 MB。"


class Shield:
    """Wraps `app`; headers already set by it are left alone."""

    def __init__(self, app: App, *, production: bool) -> None:
        self._app = app
        headers = {**HEADERS, **dict([HSTS] if production else [])}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with tracing.within(tracing.new()):  # a text, a receipt, an operator's act: its id is born here
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Scripts and styles may be kept, once asked whether they are still the newest; pages and texts never.
        static = scope["path"].startswith("/static/")
        trace = (b"x-trace", (tracing.current() or "").encode())  # what somebody who asks for help can name
        answer = _Answer(send, [CHECK_FIRST, *self._headers] if static else [*self._headers, trace])
        try:
            await self._app(scope, _limited(scope, receive), answer.send)
        except Exception as error:  # the last line: whatever it is, its text stays inside
            if not isinstance(error, BodyIsTooLarge):
                log.error("request_failed", exc_info=error)
            await answer.fail(error if isinstance(error, HotlineError) else HotlineError())


def _limited(scope: Scope, receive: Receive) -> Receive:
    takes_files = UPLOADS.fullmatch(scope["path"]) is not None
    limit, too_large = (MAX_UPLOAD, FilesAreTooLarge) if takes_files else (MAX_BODY, BodyIsTooLarge)
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise too_large
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large
        return message

    return limited


class _Answer:
    """An answer on its way out."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self._started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            given = message.get("headers", [])
            names = {name.lower() for name, _ in given}
            missing = {name: value for name, value in reversed(self._headers) if name not in names}
            message["headers"] = [*given, *missing.items()]
        await self._send(message)

    async def fail(self, error: HotlineError) -> None:
        if self._started:
            return  # the connection is cut: the browser sees an unfinished answer
        body = json.dumps({"error": error.sentence}, ensure_ascii=False).encode()
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": error.status_code, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
