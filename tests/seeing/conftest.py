"""The two doors as a client without a socket sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway.app import make_console, make_gateway
from sms_gateway.settings import get_settings
from tests.telling import FakeCarrier

HOST = "http://127.0.0.1:8000"


def client_of(app: FastAPI, *, host: str = HOST, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Somebody who calls `app` from that address."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url=host)


@pytest.fixture
async def gateway_app(
    database: str, carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FastAPI]:
    """The gateway on a fresh database and an empty folder."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    from sms_gateway import jobs

    jobs.app.perform_import_paths()
    app = make_gateway()
    yield app
    await app.state.health.aclose()


@pytest.fixture
async def console_app(gateway_app: FastAPI) -> AsyncIterator[FastAPI]:
    """The console beside it."""
    app = make_console()
    yield app
    await app.state.health.aclose()
