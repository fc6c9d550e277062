"""What every answer is held to, whatever was sent."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from tests.fuzz.hostile import MARK

LONGEST_SECONDS = 15.0
"""For one request on a busy machine, the first of which loads the encoder; what should be quick is measured elsewhere."""
LARGEST_ANSWER = 2 * 1024 * 1024
TRACES = (
    "Traceback (most recent call last)",
    'File "',
    "sqlalchemy",
    "psycopg",
    "site-packages",
    "SELECT ",
    "INSERT INTO",
)


@dataclass
class Judge:
    """Remembers what was wrong; `check` at the end tells all of it at once."""

    wrong: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    async def ask(self, client: httpx.AsyncClient, method: str, url: str, **sent: object) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = await client.request(method, url, **sent)  # type: ignore[arg-type]
        except httpx.InvalidURL:
            return None
        spent = time.monotonic() - began
        self.answers[answer.status_code] += 1
        where = f"{method} {url[:120]} -> {answer.status_code} after {str(sent)[:160]}"
        if answer.status_code >= 500 and answer.status_code != 503:
            self.wrong.append(where)
        if spent > LONGEST_SECONDS or len(answer.content) > LARGEST_ANSWER:
            self.wrong.append(f"{where}: {spent:.1f} s, {len(answer.content)} bytes")
        if any(trace in answer.text for trace in TRACES) or "set-cookie: a=b" in str(answer.headers).lower():
            self.wrong.append(f"{where}: tells of its inside")
        return answer

    def check(self, logged: str) -> None:
        assert not self.wrong, f"{len(self.wrong)} findings:\n" + "\n".join(self.wrong[:40])
        lines = [
            line for line in logged.splitlines() if MARK in line or "Traceback" in line or "request_failed" in line
        ]
        assert not lines, lines[:5]


@pytest.fixture
def judge() -> Judge:
    return Judge()
