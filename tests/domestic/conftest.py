"""A line with a make-believe gateway behind it, as the hotline's other processes see it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.app import make_line
from sms_gateway.carriers import registry
from sms_gateway.carriers.cmpp.carrier import CmppCarrier, access_token
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import talk
from sms_gateway.database import transaction
from sms_gateway.domestic.line import Line
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Direction, Message
from sms_gateway.settings import get_settings
from sms_gateway.simulator.cmpp.gateway import Client, CmppGateway

SRC_ID = "106900000001"
SECRET = "secret-of-the-tests"
PHONE = "+8613800000001"
HOST = "http://127.0.0.1:8002"


def set_up(monkeypatch: pytest.MonkeyPatch, folder: Path, port: int, **more: str) -> None:
    """The settings of a hotline with one line to a gateway on that port."""
    wanted = {
        "CARRIER": "cmpp", "CMPP_HOST": "127.0.0.1", "CMPP_PORT": str(port), "CMPP_SOURCE_ADDR": "901234", "CMPP_SHARED_SECRET": SECRET,
        "CMPP_SERVICE_ID": "PUBSVC", "CMPP_SRC_ID": SRC_ID, "CMPP_SEGMENTS_PER_SECOND": "2000", "DATA_DIR": str(folder), **more,
    }  # fmt: skip
    for name, value in wanted.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()


@pytest.fixture
async def gateway() -> AsyncIterator[CmppGateway]:
    """The carrier's side; not listening yet."""
    made = CmppGateway(Client("901234", SECRET, SRC_ID))
    yield made
    await made.close()


@pytest.fixture
async def line_app(
    database: str, gateway: CmppGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FastAPI]:
    """The line's own process, in this one; its connections are up."""
    set_up(monkeypatch, tmp_path, await gateway.start())
    app = make_line("cmpp")
    async with app.router.lifespan_context(app):
        assert await app.state.line.wait_until_up(within=5)
        yield app


@pytest.fixture
async def line(line_app: FastAPI) -> Line:
    found: Line = line_app.state.line
    return found


@pytest.fixture
async def edge(line_app: FastAPI) -> AsyncIterator[CmppCarrier]:
    """What workers send by."""
    made = edge_of(line_app)
    registry.use(made)
    yield made
    await registry.close()


def edge_of(app: FastAPI) -> CmppCarrier:
    transport = httpx.ASGITransport(app)
    return CmppCarrier(name="cmpp", url=HOST, token=access_token(get_settings()), transport=transport)


async def until(check: Callable[[], Awaitable[object]], *, within: float = 10.0) -> None:
    """Wait until `check` says so."""
    end = time.monotonic() + within
    while not await check():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


async def queue(body: str, *, to: str = PHONE) -> int:
    """A text of a talk, queued for whichever carrier; its id."""
    async with transaction() as session:
        thread_id, _contact = await inbox.find_or_make_thread(session, Channel.SMS, to, clock.now())
        thread = await talk.get_talk(session, thread_id)
        queued = await outbox.queue(session, thread=thread, author=Author.SYSTEM, body=body)
    assert queued is not None
    return queued


async def message(message_id: int) -> Message:
    async with transaction() as session:
        return await session.get_one(Message, message_id)


async def texts_in() -> list[Message]:
    """Every text in, in order."""
    async with transaction() as session:
        found = select(Message).where(Message.direction == Direction.IN).order_by(Message.id)
        return list(await session.scalars(found))
