"""What a text costs without a ledger: a loop over the same async client as ours, and the script most people write.

Both against the Messages API of `twilio_mock`, in this process. What is compared with them brings the same numbers and words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sms_gateway.broadcasts.references import reference_of
from sms_gateway.carriers.twilio import API, HttpClient
from sms_gateway.supervision.places import PYTHON, free_ports

from .twilio_texts import ACCOUNT, OUR_NUMBER, TOKEN

AT_ONCE = 64
"""As many as one worker of outreach has on their way."""
VALIDITY = 7200


@asynccontextmanager
async def mock(*, delay_ms: float = 0) -> AsyncIterator[str]:
    """A process with the Messages API; its address. It is gone afterwards."""
    (port,) = free_ports(1)
    command = (str(PYTHON), "-m", "benchmarks.twilio_mock", str(port), str(delay_ms))
    process = await asyncio.create_subprocess_exec(*command)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                await truth(url)
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def truth(url: str) -> dict[str, int]:
    """What came to the mock: `texts`, `numbers`, `twice`, `refused`."""
    async with ClientSession() as session, session.get(f"{url}/truth") as answer:
        found: dict[str, int] = await answer.json()
        return found


def _fields(number: int) -> dict[str, Any]:
    """As our driver sends it: the callback brings the reference back."""
    callback = f"http://127.0.0.1:8000/twilio/status?m={reference_of(1, number)}"
    return {"from_": OUR_NUMBER, "status_callback": callback, "validity_period": VALIDITY}


async def bare_loop(url: str, phones: Sequence[str], body: str, *, at_once: int = AT_ONCE) -> float:
    """Texts a second of `at_once` tasks that do nothing but hand over the next one."""
    http = HttpClient(url)
    client = Client(ACCOUNT, TOKEN, http_client=http)
    waiting = iter(enumerate(phones, 1))
    try:
        began = time.perf_counter()
        await asyncio.gather(*(_hand_over(client, waiting, body) for _ in range(at_once)))
        return len(phones) / (time.perf_counter() - began)
    finally:
        await http.close()


async def _hand_over(client: Client, waiting: Iterator[tuple[int, str]], body: str) -> None:
    for number, phone in waiting:
        made = await client.messages.create_async(to=phone, body=body, **_fields(number))
        if not made.sid:
            raise RuntimeError("no id")


class _ElsewhereClient(TwilioHttpClient):  # type: ignore[misc]  # twilio brings no types
    """twilio-python's own blocking client, pointed at the mock."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().request(method, url.replace(API, self._url, 1), *args, **kwargs)
        return response


async def script_loop(url: str, phones: Sequence[str], body: str) -> float:
    """Texts a second of `for phone in phones: client.messages.create(…)`."""
    return await asyncio.to_thread(_script, url, phones, body)


def _script(url: str, phones: Sequence[str], body: str) -> float:
    client = Client(ACCOUNT, TOKEN, http_client=_ElsewhereClient(url))
    began = time.perf_counter()
    for number, phone in enumerate(phones, 1):
        client.messages.create(to=phone, body=body, **_fields(number))
    return len(phones) / (time.perf_counter() - began)
