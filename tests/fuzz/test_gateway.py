"""Every route of the public gateway under hostile parameters: unsigned, signed, and with a department's key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from sms_gateway.api import door
from sms_gateway.app import make_gateway
from sms_gateway.carriers import simulator
from sms_gateway.clock import now
from sms_gateway.platforms import linkage
from sms_gateway.platforms.general import signed
from sms_gateway.settings import get_settings
from tests.api.matters import EDU, dispatched, give_key
from tests.console.test_door import _flat

from .hostile import BODIES, BOMB, HEADERS, RAW_VALUES, VALUES
from .judging import Judge

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND")
WITHOUT_END = re.compile(r".*/stream$")


def _paths(app: FastAPI) -> set[str]:
    plain = {route.path for route in app.routes if isinstance(route, Route)}
    described = set(door.description()["paths"])  # these hang below a prefix
    return {path for _method, path, _route in _flat(app)} | plain | described


@pytest.mark.timeout(300)
async def test_no_route_of_the_gateway_breaks_whatever_is_sent(
    app: FastAPI, gateway: httpx.AsyncClient, judge: Judge, real_logs: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(path for path in _paths(app) if not WITHOUT_END.fullmatch(path))
    assert {"/twilio/sms", "/twilio/status", "/chat/texts", "/healthz", "/platforms/general", "/api/tickets"} <= set(
        paths
    )
    for turn, path in enumerate(paths):
        plain = re.sub(r"\{[\w:]+\}", "1", path)
        for value in RAW_VALUES[turn % 3 :: 3] if "{" in path else ():
            await judge.ask(gateway, "POST", re.sub(r"\{[\w:]+\}", value, path))
        for place in range(turn * 9, turn * 9 + 9):
            value, (kind, body) = VALUES[place % len(VALUES)], BODIES[place % len(BODIES)]
            await judge.ask(gateway, "GET", plain, params={"after": value, "m": value, "limit": value})
            await judge.ask(gateway, "POST", plain, content=body, headers={"Content-Type": kind})
        for method in METHODS:
            await judge.ask(gateway, method, plain, headers=HEADERS[turn % len(HEADERS)])
    judge.check("".join(real_logs.readouterr()))


@pytest.mark.timeout(120)
async def test_with_a_departments_key_nothing_breaks_either(
    gateway: httpx.AsyncClient, judge: Judge, real_logs: pytest.CaptureFixture[str]
) -> None:
    key, number = await give_key(EDU), (await dispatched())[1]
    for value in VALUES[::2]:
        for path, names in (("/api/tickets", ("status", "before", "limit", "overdue")), ("/api/events", ("after", "limit")), ("/api/units", ("region",))):  # fmt: skip
            await judge.ask(gateway, "GET", path, params=dict.fromkeys(names, value), headers=key)
        for verb in ("sign", "begin", "return", "ask", "extensions", "reply"):
            body = {
                "version": value,
                "why": value,
                "duty": value,
                "question": value,
                "until": value,
                "reason": value,
                "words": value,
            }
            await judge.ask(gateway, "POST", f"/api/tickets/{number}/{verb}", json={**body, "version": 1}, headers=key)
        await judge.ask(
            gateway,
            "POST",
            "/api/bulk/reply",
            json={"tickets": [{"number": value, "version": value}], "words": value},
            headers=key,
        )
        file = {"file": (value or "x", value.encode("utf-8", "replace"), "application/pdf")}
        await judge.ask(gateway, "POST", f"/api/tickets/{number}/attachments", files=file, headers=key)
    for kind, body in BODIES:
        for path in (f"/api/tickets/{number}/reply", f"/api/tickets/{number}/attachments", "/api/bulk/sign"):
            await judge.ask(gateway, "POST", path, content=body, headers={**key, "Content-Type": kind})
    judge.check("".join(real_logs.readouterr()))


@pytest.mark.timeout(120)
async def test_rubbish_with_a_right_signature_is_told_clearly(
    gateway: httpx.AsyncClient, judge: Judge, real_logs: pytest.CaptureFixture[str]
) -> None:
    settings = get_settings()
    desk, key = linkage.make_believe_secret(settings), simulator.secret(settings)
    for turn, (_kind, body) in enumerate(BODIES):
        try:
            headers = signed(desk, f"rubbish-{turn}", body, at=now())
        except UnicodeDecodeError:
            continue
        for path in ("/platforms/linkage/110@530600", "/platforms/linkage/110@530600/matters"):
            answer = await judge.ask(gateway, "POST", path, content=body, headers=headers)
            assert answer is not None and answer.status_code in (400, 404, 409, 413, 422), (path, body[:40])
    forms = [("application/x-www-form-urlencoded", body) for _kind, body in BODIES] + [
        ("application/json", body) for _kind, body in BODIES
    ]
    for kind, body in forms:
        for path in ("/carriers/simulator/sms", "/carriers/simulator/status", "/carriers/simulator/receipts"):
            signature = simulator.sign(key, path=path, body=body, at=now())
            headers = {"Content-Type": kind, simulator.SIGNATURE_HEADER: signature}
            await judge.ask(gateway, "POST", path, content=body, headers=headers)
    judge.check("".join(real_logs.readouterr()))


async def _drop_by_drop(limit: int) -> AsyncIterator[bytes]:
    """A body that says no length and does not end."""
    for _ in range(limit):
        yield b"x" * 65_536
    raise AssertionError("the whole of an endless body was read")


@pytest.mark.parametrize(
    "path", ["/twilio/sms", "/chat/texts", "/platforms/general", "/api/tickets/20000001/attachments", "/nowhere"]
)
async def test_an_endless_body_is_cut_off(gateway: httpx.AsyncClient, path: str) -> None:
    key = await give_key(EDU)
    answer = await gateway.post(
        path, content=_drop_by_drop(600), headers={**key, "Content-Type": "multipart/form-data; boundary=a"}
    )
    assert answer.status_code in (400, 404, 405, 413, 415)


@pytest.mark.parametrize("path", ["/chat/texts", "/twilio/sms", "/platforms/general", "/api/bulk/sign"])
async def test_a_packed_body_is_never_unpacked(gateway: httpx.AsyncClient, path: str) -> None:
    headers = {**(await give_key(EDU)), "Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await gateway.post(path, content=BOMB, headers=headers)).status_code in (400, 403, 404, 413, 415, 422)


async def test_a_header_said_twice_opens_nothing(gateway: httpx.AsyncClient) -> None:
    key = await give_key(EDU)
    twice = [("Authorization", "Bearer wrong"), ("Authorization", key["Authorization"])]
    assert (await gateway.get("/api/me", headers=twice)).status_code == 401
    both = [("Content-Type", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
    assert (await gateway.post("/carriers/simulator/sms", content=b"id=1", headers=both)).status_code in (403, 415)


async def test_in_production_there_is_no_make_believe_door(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MODE": "production", "DEMO_DATA": "false", "PUBLIC_URL": "https://hotline.example", "CONSOLE_URL": "https://desk.example", "CARRIER": "twilio", "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t" * 32, "TWILIO_FROM": "+15005550006", "CROSS_BORDER_ASSESSED": "test",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()
    made = make_gateway()
    assert not [path for path in _paths(made) if "simulator" in path or path in ("/phone", "/desk")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="https://hotline.example") as client:
        for path in (
            "/phone",
            "/desk",
            "/simulator/telephone",
            "/carriers/simulator/sms",
            "/docs",
            "/openapi.json",
            "/.env",
        ):
            assert (await client.get(path)).status_code in (404, 405), path
    await made.state.health.aclose()
    get_settings.cache_clear()
