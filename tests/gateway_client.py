"""The gateway as a client sees it, without a socket; a local edge for the doors' tests."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway import logs
from sms_gateway.app import make_gateway
from sms_gateway.carriers import registry
from sms_gateway.database import transaction
from sms_gateway.messages.models import Direction, Message
from sms_gateway.settings import get_settings
from sms_gateway.simulator.carrier_state import MakeBelieveCarrier

HOST = "http://127.0.0.1:8000"


@pytest.fixture
async def app(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The gateway on a fresh database; its make-believe carrier calls back into it directly."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    made = make_gateway()
    inside = httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=HOST)
    made.state.make_believe = MakeBelieveCarrier(get_settings(), inside)
    yield made
    await made.state.make_believe.aclose()
    await made.state.health.aclose()
    await registry.close()


@pytest.fixture
async def gateway(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        yield client


class _StandardOutput:
    """Whatever standard output is at the moment: pytest changes it between a test's phases."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def real_logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logs as in the gateway's own process, to be read by `readouterr()`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("gateway")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(), cache_logger_on_first_use=False)
    root.handlers[0].setStream(_StandardOutput())  # type: ignore[attr-defined]
    yield capsys
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


async def stored_texts() -> list[Message]:
    """Every text in, in order."""
    async with transaction() as session:
        found = select(Message).where(Message.direction == Direction.IN).order_by(Message.id)
        return list(await session.scalars(found))
