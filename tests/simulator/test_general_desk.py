"""The make-believe general desk: takes what is signed, once a number; and `make run` finds it by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sms_gateway import clock
from sms_gateway.platforms import general
from sms_gateway.settings import Settings, get_settings
from sms_gateway.supervision.children import Inner, inner_environment, outer_environment
from sms_gateway.supervision.places import DataDir
from tests.tickets.general_desk import SECRET

BODY = json.dumps({"number": "12345678", "words": "停水三天", "place": "530000", "phone": None}).encode()


def _headers(secret: str = SECRET) -> dict[str, str]:
    return general.signed(secret, "matter-12345678", BODY, at=datetime.fromtimestamp(clock.wall_seconds(), UTC))


async def test_a_matter_is_taken_once_and_shown(gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_GENERAL_DESK_SECRET", SECRET)
    get_settings.cache_clear()
    first = await gateway.post("/simulator/general/matters", content=BODY, headers=_headers())
    second = await gateway.post("/simulator/general/matters", content=BODY, headers=_headers())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    [shown] = (await gateway.get("/simulator/general")).json()
    assert (shown["words"], shown["state"]) == ("停水三天", "accepted")


async def test_what_is_not_signed_with_our_secret_is_not_taken(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_GENERAL_DESK_SECRET", SECRET)
    get_settings.cache_clear()
    forged = _headers("whsec_YW5vdGhlci1zZWNyZXQtb2Ytc29tZWJvZHktZWxzZQ==")
    assert (await gateway.post("/simulator/general/matters", content=BODY, headers=forged)).status_code == 403
    assert (await gateway.get("/simulator/general")).json() == []


def test_in_development_the_make_believe_desk_is_set_up_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Inner(rasa_port=1, actions_port=1, database_url="postgresql://x/y", model=None)
    environment = inner_environment(DataDir.at(tmp_path), inner, outer_environment(Settings()))
    for name in ("HOTLINE_GENERAL_DESK_URL", "HOTLINE_GENERAL_DESK_SECRET"):
        monkeypatch.setenv(name, environment[name])
    assert Settings().general_desk_url == "http://127.0.0.1:8000/simulator/general"
    desk = general.GeneralDesk.from_settings(Settings())
    assert desk is not None
