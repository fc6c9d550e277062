"""The web chat's cookie as production sets it."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie

import pytest
from fastapi import Response

from sms_gateway.settings import get_settings
from sms_gateway.webchat import visitor


def test_in_production_the_visitors_cookie_is_for_https_this_host_and_no_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "MODE": "production", "DEMO_DATA": "false", "PUBLIC_URL": "https://hotline.example", "CONSOLE_URL": "https://desk.example", "CARRIER": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "t" * 32, "TWILIO_FROM": "+15005550006", "CROSS_BORDER_ASSESSED": "test",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()
    try:
        answer = Response()
        visitor.remember(answer, "a" * 32)
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
    (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert isinstance(cookie, Morsel)
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"].lower() in ("lax", "strict")
    assert not cookie["domain"]
