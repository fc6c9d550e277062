"""The make-believe exchange: phones ring until somebody does something, and only our driver may let one ring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from fastapi import FastAPI

from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.words import SAID, Purpose
from sms_gateway.database import transaction
from tests.gateway_client import HOST

from .conftest import Phones

Run = Callable[[], Awaitable[None]]


async def place() -> Call:
    async with transaction() as session:
        return await calls.place(session, purpose=Purpose.DUTY_TEST, subject_id=0, to="+8613800000701")


def near(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 5555)), base_url=HOST)


async def test_a_phone_rings_is_picked_up_and_hears_our_sentence(app: FastAPI, phones: Phones) -> None:
    async with near(app) as browser:
        assert (await browser.get("/simulator/telephone")).status_code == 200
        reference = (await place()).uid.hex
        phones.manner = "answers"
        call_id = phones.ring(to="+8613800000701", reference=reference, purpose="duty_test", ring_seconds=0)
        await phones.settle()
        shown = (await browser.get("/simulator/telephone/calls")).json()["calls"][0]
        assert (shown["id"], shown["status"], shown["said"]) == (call_id, "in-progress", SAID[Purpose.DUTY_TEST])
        assert "13800000701" not in str(shown)
        assert (await browser.post(f"/simulator/telephone/calls/{call_id}/press")).json()["status"] == "completed"
        assert (await browser.post(f"/simulator/telephone/calls/{call_id}/end")).status_code == 409
        assert (await browser.post(f"/simulator/telephone/calls/{call_id}/explode")).status_code == 422
        assert (await browser.post("/simulator/telephone/calls/nothing/end")).status_code == 404
    async with transaction() as session:
        found = await calls.list_of(session, [Purpose.DUTY_TEST], 0)
        assert [(call.state, call.key) for call in found] == [("completed", "1")]


async def test_only_our_driver_lets_a_phone_ring_and_only_this_machine_sees_them(app: FastAPI, phones: Phones) -> None:
    wanted = {"to": "+8613800000701", "reference": "a" * 32, "purpose": "desk"}
    async with near(app) as browser:
        assert (await browser.post("/simulator/telephone/calls", json=wanted)).status_code == 401
        assert (await browser.put("/simulator/telephone/manner", json={"manner": "busy"})).json() == {"manner": "busy"}
    far = httpx.ASGITransport(app, client=("203.0.113.9", 5555))
    async with httpx.AsyncClient(transport=far, base_url=HOST) as stranger:
        assert (await stranger.get("/simulator/telephone/calls")).status_code == 404


async def test_a_phone_that_nobody_touches_stops_ringing(phones: Phones) -> None:
    call = await place()
    phones.ring(to="+8613800000701", reference=call.uid.hex, purpose="duty_test", ring_seconds=0.01)
    await phones.settle()
    async with transaction() as session:
        assert (await calls.get(session, call.id)).state == "no_answer"
