"""The world outside of the hotline, which remembers the truth: what every phone sent, when it was acknowledged, what came back.

It stands in the carrier's place for texts in (signed callbacks, tried again until they are taken, sometimes brought twice) and reads
what left from the make-believe carrier's own memory (`simulator.truth`), a process nobody kills.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from sms_gateway import clock
from sms_gateway.carriers import simulator
from sms_gateway.settings import get_settings

TEXTS_IN = "/carriers/simulator/sms"
CARRIER_WAITS = 10.0
"""Seconds a carrier waits for an answer before it brings the text again."""
AGAIN_AFTER, AGAIN_AT_MOST = 0.3, 5.0
"""Seconds before a text is brought again: twice as many each time, up to the second."""
WINDOW = 48
"""Texts a carrier brings at a time. Without it hundreds come again at once after an outage, each after its caller has given it up."""
GIVES_UP_AFTER = 180.0

_people = count(1)
_texts = count(1)


def new_number() -> str:
    """A number nobody has used; the third to sixth digits are no allotted ones."""
    return f"+8613800{next(_people):06d}"


@dataclass
class Sent:
    """A text of a phone. Unix seconds; `acknowledged` is None while no gateway has said 200."""

    number: str
    body: str
    red: bool = False
    id: str = field(default_factory=lambda: f"OUT{next(_texts):08d}")
    began: float = 0.0
    acknowledged: float | None = None
    tries: int = 0
    refused: int = 0
    """How often a gateway said that it has no room (503)."""


class Streets:
    """Every phone there is. `ports`: of the gateways; each try goes to the next."""

    def __init__(self, *ports: int, memory: Path) -> None:
        self._key = simulator.secret(get_settings())
        self._ports = ports
        self._window = asyncio.Semaphore(WINDOW)
        self._memory = memory
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=50)
        self._http = httpx.AsyncClient(timeout=CARRIER_WAITS, trust_env=False, limits=limits)
        self.sent: list[Sent] = []

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, text: Sent, *, twice: bool = False, give_up_after: float = GIVES_UP_AFTER) -> bool:
        """Bring a text until it is taken (whether it was); `twice`: once more after that, as carriers do."""
        self.sent.append(text)
        text.began = time.time()
        while time.time() - text.began < give_up_after:
            status = await self.bring(text)
            if status == 200:
                text.acknowledged = time.time()
                if twice:
                    await self.bring(text)
                return True
            text.refused += status == 503
            await asyncio.sleep(min(AGAIN_AFTER * 2 ** min(text.tries, 6), AGAIN_AT_MOST))
        return False

    async def bring(self, text: Sent) -> int:
        """One try: the answer's status, 0 without one."""
        async with self._window:
            return await self._bring(text)

    async def _bring(self, text: Sent) -> int:
        port = self._ports[text.tries % len(self._ports)]
        text.tries += 1
        body = urlencode({"id": text.id, "from": text.number, "body": text.body}).encode()
        signature = simulator.sign(self._key, path=TEXTS_IN, body=body, at=clock.now())
        headers = {"Content-Type": "application/x-www-form-urlencoded", simulator.SIGNATURE_HEADER: signature}
        try:
            answer = await self._http.post(f"http://127.0.0.1:{port}{TEXTS_IN}", content=body, headers=headers)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def came_back(self) -> dict[str, int]:
        """How many texts of the hotline the carrier took for each number."""
        return {number: got for number, got in self._ask("SELECT number, count(*) FROM texts GROUP BY number")}  # noqa: C416 - rows

    def taken_twice(self) -> int:
        """References of one text that the carrier took more than once."""
        twice = "SELECT count(*) FROM (SELECT 1 FROM texts GROUP BY reference HAVING count(*) > 1)"
        return int(next(iter(self._ask(twice)))[0])

    async def until_answered(self, number: str, *, within: float) -> float | None:
        """Unix seconds at which a text for that number is seen at the carrier; None: not in time."""
        until = time.time() + within
        while time.time() < until:
            if any(True for _ in self._ask("SELECT 1 FROM texts WHERE number = ? LIMIT 1", number)):
                return time.time()
            await asyncio.sleep(0.05)
        return None

    def _ask(self, words: str, *values: object) -> Iterator[tuple[Any, ...]]:
        memory = sqlite3.connect(f"file:{self._memory}?mode=ro", uri=True, timeout=10)
        try:
            yield from memory.execute(words, values).fetchall()
        finally:
            memory.close()
