"""`python -m benchmarks.twilio_mock PORT [MILLISECONDS]`: a Messages API quick enough not to be what is measured.

It checks each form by Twilio's own list of fields (`tests/carriers/twilio_messages.json`), says 400 with Twilio's code for what it
would not take, answers after so many milliseconds (default 0), and counts: `GET /truth` says how many texts came, to how many
numbers, and how many of these got more than one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
from collections import Counter
from itertools import count
from typing import cast
from urllib.parse import parse_qsl

import uvloop

from sms_gateway.settings import ROOT

from .twilio_texts import ACCOUNT, TOKEN

CREATE = f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json ".encode()
LOGIN = b"basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).lower()
DESCRIPTION = ROOT / "tests" / "carriers" / "twilio_messages.json"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def known_fields() -> frozenset[str]:
    """The fields CreateMessage has."""
    (path,) = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["paths"].values()
    return frozenset(path["post"]["requestBody"]["properties"])


class Messages:
    """What came."""

    def __init__(self) -> None:
        self.fields = known_fields()
        self.texts: Counter[str] = Counter()
        self.refused = 0
        self._ids = count(1)

    def answer(self, request: bytes, body: bytes) -> tuple[int, bytes]:
        """Status and JSON for one request."""
        if request.startswith(b"GET /truth "):
            twice = sum(1 for many in self.texts.values() if many > 1)
            told = {"texts": self.texts.total(), "numbers": len(self.texts), "twice": twice, "refused": self.refused}
            return 200, json.dumps(told).encode()
        code = self._fault(request, body)
        if code:
            self.refused += 1
            return 400, b'{"code": %d, "message": "refused", "status": 400}' % code
        return 201, b'{"sid": "SM%032x", "status": "queued", "error_code": null}' % next(self._ids)

    def _fault(self, request: bytes, body: bytes) -> int | None:
        if not request.startswith(CREATE):
            return 20404
        if LOGIN not in request.lower():
            return 20003
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        to, validity = form.get("To", ""), form.get("ValidityPeriod", "1")
        if not form.keys() <= self.fields or not (form.get("From") or form.get("MessagingServiceSid")):
            return 21603
        if not E164.fullmatch(to):
            return 21211
        if not form.get("Body"):
            return 21602
        if not (validity.isdigit() and 1 <= int(validity) <= 36_000):
            return 30419
        self.texts[to] += 1
        return None


class Connection(asyncio.Protocol):
    """HTTP/1.1 with kept connections, one request after the other on each."""

    def __init__(self, messages: Messages, delay: float) -> None:
        self._messages, self._delay, self._buffer = messages, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[: end + 2]
            found = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return
            status, told = self._messages.answer(head, self._buffer[end + 4 : whole])
            self._buffer = self._buffer[whole:]
            lines = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                status,
                len(told),
            )
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._say, lines + told)
            else:
                self._say(lines + told)

    def _say(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, delay: float) -> None:
    """Until killed."""
    messages = Messages()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(messages, delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
