"""The make-believe carrier's webhooks are signed like a real one's."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from sms_gateway import clock as clocks
from sms_gateway.app import make_gateway
from sms_gateway.carriers import simulator
from sms_gateway.clock import HeldClock
from sms_gateway.settings import get_settings
from sms_gateway.simulator import door, emergency_desk, general_desk, telephone
from tests.gateway_client import HOST, stored_texts

SMS = "/carriers/simulator/sms"
FORM = {"id": "SIM1", "from": "+8613800000001", "body": "你好"}


async def post(
    gateway: httpx.AsyncClient, form: dict[str, str], *, path: str = SMS, at_path: str | None = None
) -> httpx.Response:
    body = urlencode(form).encode()
    key = simulator.secret(get_settings())
    signature = simulator.sign(key, path=at_path or path, body=body, at=clocks.now())
    return await repeat(gateway, path, body, signature)


async def repeat(gateway: httpx.AsyncClient, path: str, body: bytes, signature: str) -> httpx.Response:
    headers = {simulator.SIGNATURE_HEADER: signature, "Content-Type": "application/x-www-form-urlencoded"}
    return await gateway.post(path, content=body, headers=headers)


async def test_a_signed_text_is_stored_once(gateway: httpx.AsyncClient) -> None:
    assert [(await post(gateway, FORM)).status_code for _ in range(3)] == [200] * 3
    assert [message.body for message in await stored_texts()] == ["你好"]


async def test_a_signature_for_another_path_or_body_is_refused(gateway: httpx.AsyncClient) -> None:
    elsewhere = await post(gateway, FORM, at_path="/carriers/simulator/status")
    key = simulator.secret(get_settings())
    signature = simulator.sign(key, path=SMS, body=b"id=SIM1&from=x&body=a", at=clocks.now())
    changed = await repeat(gateway, SMS, b"id=SIM1&from=x&body=b", signature)
    unsigned = await repeat(gateway, SMS, urlencode(FORM).encode(), "")
    nonsense = await repeat(gateway, SMS, urlencode(FORM).encode(), "t=1,v1=zz")
    assert [a.status_code for a in (elsewhere, changed, unsigned, nonsense)] == [403] * 4
    assert await stored_texts() == []


async def test_a_recorded_request_cannot_be_played_again_later(gateway: httpx.AsyncClient, clock: HeldClock) -> None:
    body = urlencode(FORM).encode()
    signature = simulator.sign(simulator.secret(get_settings()), path=SMS, body=body, at=clock.now())
    assert (await repeat(gateway, SMS, body, signature)).status_code == 200
    clock.advance(timedelta(seconds=simulator.WINDOW_SECONDS + 1))
    assert (await repeat(gateway, SMS, body, signature)).status_code == 403


@pytest.mark.parametrize("form", [{"from": "+8613800000001"}, {"id": "SIM1"}, {"id": "", "from": "x"}])
async def test_an_incomplete_form_is_refused(gateway: httpx.AsyncClient, form: dict[str, str]) -> None:
    assert (await post(gateway, form)).status_code == 422


async def test_an_unknown_state_is_refused(gateway: httpx.AsyncClient) -> None:
    form = {"id": "SIM1", "state": "exploded", "reference": "1"}
    answer = await post(gateway, form, path="/carriers/simulator/status")
    assert (answer.status_code, answer.json()["fields"]) == (422, ["state"])


@pytest.fixture
def production(database: str, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    for name, value in {
        "MODE": "production",
        "CARRIER": "twilio",
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": "t",
        "TWILIO_FROM": "+861069000000",
        "PUBLIC_URL": "https://hotline.example",
        "CONSOLE_URL": "https://desk.example",
        "CROSS_BORDER_ASSESSED": "2026-1",
        "DEMO_DATA": "false",
    }.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()
    return make_gateway()


async def test_in_production_there_is_no_make_believe_anything(production: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(production), base_url=HOST) as gateway:
        for path in ("/phone", "/simulator/phones", "/simulator/faults", "/simulator/messages?reference=1"):
            assert (await gateway.get(path)).status_code == 404
        for room in (door, emergency_desk, general_desk, telephone):  # /phone, /desk, /telephone and what they call
            assert room.router.routes
            for route in room.router.routes:
                assert isinstance(route, APIRoute)
                path = re.sub(r"{[^}]+}", "1", route.path)
                for method in route.methods or ():
                    assert (await gateway.request(method, path)).status_code == 404, path
        assert (await post(gateway, FORM)).status_code == 404
        page = await gateway.get("/")
        assert page.headers["strict-transport-security"]
