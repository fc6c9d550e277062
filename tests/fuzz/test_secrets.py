"""Secrets are planted as markers, errors are provoked at every door, and whatever was written or answered is searched for them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import get_args
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr, ValidationError

from sms_gateway import logs, webhooks
from sms_gateway.app import make_console, make_gateway
from sms_gateway.carriers import simulator
from sms_gateway.clock import now
from sms_gateway.console import live
from sms_gateway.database import transaction
from sms_gateway.events import subscriptions
from sms_gateway.operators import accounts, api_keys, signin
from sms_gateway.operators.models import Role
from sms_gateway.settings import DeskSettings, Settings, get_settings
from tests.console.conftest import browser
from tests.journeys.test_leaks import find_leaks

PASSWORD = "marker-password-of-nobody"
PLANTED = {
    "SESSION_KEY": "marker-session-key-of-nobody", "BOT_SECRET": "marker-bot-secret-of-nobody", "TWILIO_AUTH_TOKEN": "marker-twilio-token-of-nobody",
    "DATA_KEY": base64.b64encode(b"marker-data-key-of-nobody-000000").decode(),
    "GENERAL_DESK_SECRET": "whsec_" + base64.b64encode(b"marker-general-desk-secret").decode(),
}  # fmt: skip
DESK_SECRET = base64.b64encode(b"marker-emergency-desk-secret").decode()


@pytest.fixture
def planted(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Settings whose secrets are markers; the database's password is one by itself."""
    from sms_gateway import crypto

    for name, value in PLANTED.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    monkeypatch.setenv("HOTLINE_GENERAL_DESK_URL", "http://127.0.0.1:1/desk")
    desks = f'{{"110@530600": {{"url": "http://127.0.0.1:1/desk", "secret": "{DESK_SECRET}"}}}}'
    monkeypatch.setenv("HOTLINE_BRIDGE_DESKS", desks)
    get_settings.cache_clear()
    crypto.keyring.cache_clear()
    yield [*PLANTED.values(), DESK_SECRET, str(urlsplit(database).password), PASSWORD]
    get_settings.cache_clear()
    crypto.keyring.cache_clear()


async def _more_secrets() -> list[str]:
    """What is made at run time: a session, a link, a key, a subscription's secret."""
    async with transaction() as session:
        await accounts.add(session, login="zhiban", name="值班员", role=Role.SUPERVISOR, password=PASSWORD)
        link = await signin.one_time_link(session, login="zhiban")
        _key, token = await api_keys.make(session, unit="edu@530627", name="测试")
        _row, secret = await subscriptions.add(session, unit="edu@530627", name="镇雄", url="https://push.example.cn/")
    return [link, token, secret]


async def test_no_secret_is_in_a_log_an_answer_or_an_address(
    planted: list[str], monkeypatch: pytest.MonkeyPatch, real_logs: pytest.CaptureFixture[str]
) -> None:
    secrets = [*planted, *await _more_secrets()]

    async def explode(*_: object, **__: object) -> None:
        raise RuntimeError(" ".join(secrets))

    monkeypatch.setattr(webhooks, "accept", explode)
    monkeypatch.setattr(live, "spool", explode)
    gateway, console = make_gateway(), make_console()
    said = [await _provoke_gateway(gateway, secrets), await _provoke_console(console, secrets)]
    logs.get("room").error("it_broke", exc_info=RuntimeError(" ".join(secrets)))
    await gateway.state.health.aclose()
    logged = "".join(real_logs.readouterr())
    assert "request_failed" in logged and "it_broke" in logged, "errors did happen"
    assert find_leaks(logged.encode(), tuple(secrets)) == []
    assert find_leaks("".join(said).encode(), tuple(secrets)) == []
    assert find_leaks(repr(get_settings()).encode(), tuple(planted)) == []


async def _provoke_gateway(app: FastAPI, secrets: list[str]) -> str:
    path, form = "/carriers/simulator/sms", b"id=1&from=%2B8613800000001&body=x"
    signature = simulator.sign(simulator.secret(get_settings()), path=path, body=form, at=now())
    headers = {"Content-Type": "application/x-www-form-urlencoded", simulator.SIGNATURE_HEADER: signature}
    async with browser(app) as client:
        answers = [await client.post(path, content=form, headers=headers)]
        assert answers[0].status_code == 500
        for secret in secrets:
            for at in (
                "/chat/texts",
                "/twilio/sms",
                "/platforms/general",
                "/platforms/linkage/110@530600",
                "/api/tickets",
                "/nowhere",
            ):
                answers.append(
                    await client.post(at, content=f"x={secret}", headers={"Authorization": f"Bearer {secret}x"})
                )
                answers.append(
                    await client.get(at, headers={"Cookie": f"talk={secret}", "Authorization": f"Bearer {secret}x"})
                )
        return _told(answers)


async def _provoke_console(app: FastAPI, secrets: list[str]) -> str:
    async with browser(app) as client:
        answers = [await client.get("/live/health")]
        for secret in secrets:
            answers.append(await client.post("/sign-in", data={"login": secret, "password": secret, "back": "/"}))
            answers.append(await client.get("/talks/1", headers={"Cookie": f"hotline={secret}", "Accept": "text/html"}))
        answers.append(await client.post("/sign-in", data={"login": "zhiban", "password": PASSWORD}))
        answers.append(await client.get("/", headers={"Accept": "text/html"}, follow_redirects=True))
        answers.append(await client.get("/pushes", headers={"Accept": "text/html"}))
        return _told(answers)


def _told(answers: list[httpx.Response]) -> str:
    """Bodies and where they lead; a cookie is where a session belongs."""
    return "".join(f"{answer.text}{answer.headers.get('location', '')}" for answer in answers)


def test_every_setting_that_is_a_secret_is_kept_as_one() -> None:
    named = ("secret", "token", "_key", "password", "database_url")
    for model in (Settings, DeskSettings):
        for name, field in model.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            assert SecretStr in kinds or not any(word in name for word in named) or name == "make_believe_key", name


@pytest.mark.parametrize("wrong", ["CARRIER", "BRIDGE_DESKS", "PORT", "GENERAL_DESK_SECRET"])
def test_a_start_that_is_refused_repeats_no_secret(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    monkeypatch.setenv("HOTLINE_GENERAL_DESK_URL", "http://127.0.0.1:1/desk")
    bad = {
        "BRIDGE_DESKS": f'{{"110@530600": {{"secret": "{DESK_SECRET}", "more": 1}}}}',
        "GENERAL_DESK_SECRET": "bWFya2Vy",
    }
    monkeypatch.setenv(f"HOTLINE_{wrong}", bad.get(wrong, "marker-of-nobody"))
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert find_leaks(str(raised.value).encode(), (*PLANTED.values(), DESK_SECRET, "bWFya2Vy")) == []
