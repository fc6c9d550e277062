"""What a visitor's page has shown is known; what it has not is worried about in red."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Author, Message, Thread
from tests.gateway_client import HOST

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


@pytest.fixture
async def other(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A second browser."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        yield client


async def _reply(gateway: httpx.AsyncClient, *, lane: str | None = None) -> int:
    """A visitor who wrote, and the id of an operator's text to them that has left."""
    await gateway.post("/chat/texts", json={"id": "a1b2c3d4e5", "body": KICKING})
    async with transaction() as session:
        if lane:
            await session.execute(update(Thread).values(lane=lane))
        thread = (await session.scalars(select(Thread))).one()
        message_id = await outbox.queue(session, thread=thread, author=Author.OPERATOR, body="我在")
        assert message_id is not None
    async with transaction() as session:
        await outbox.mark_sent(session, message_id, None)
    return message_id


async def _state(message_id: int) -> str | None:
    async with transaction() as session:
        return (await session.get_one(Message, message_id)).state


async def test_a_text_has_arrived_once_the_visitors_own_page_shows_it(
    gateway: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    message_id = await _reply(gateway)
    assert await _state(message_id) == "sent"
    await other.post("/chat/texts", json={"id": "b1b2c3d4e5", "body": "你好"})
    assert (await other.post("/chat/shown", json={"ids": [message_id]})).status_code == 204
    assert await _state(message_id) == "sent"  # somebody else's page
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await gateway.post("/chat/shown", json={"ids": [message_id]}, headers=elsewhere)).status_code == 403
    assert (await gateway.post("/chat/shown", json={"ids": [message_id, message_id + 999]})).status_code == 204
    assert await _state(message_id) == "delivered"


@pytest.mark.parametrize(
    "wrong", [[], {}, {"ids": 1}, {"ids": ["1"]}, {"ids": [True]}, {"ids": [0]}, {"ids": [2**63]}, {"ids": [1] * 501}]
)
async def test_what_is_no_list_of_ids_is_refused(gateway: httpx.AsyncClient, wrong: object) -> None:
    assert (await gateway.post("/chat/shown", json=wrong)).status_code == 422


async def test_in_red_a_text_that_no_page_shows_has_its_timer(gateway: httpx.AsyncClient, clock: HeldClock) -> None:
    message_id = await _reply(gateway, lane="red")
    async with transaction() as session:
        timer = (await session.scalars(select(timers.Timer).where(timers.Timer.job == "escalations.no_receipt"))).one()
    assert timer.subject_id == message_id
    assert timer.due_at == clock.now() + timedelta(seconds=60)
