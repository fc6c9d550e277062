"""Settings that refuse to start, logs that hold no words, rows that are sealed to their place."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest
import structlog
from sqlalchemy import text

from sealing import SealBroken
from sms_gateway import clock, logs
from sms_gateway.crypto import keyring
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Operator
from sms_gateway.settings import Settings, SettingsAreWrong, get_settings

GOOD = {
    "HOTLINE_MODE": "production", "HOTLINE_CARRIER": "twilio", "HOTLINE_TWILIO_ACCOUNT_SID": "AC0", "HOTLINE_TWILIO_AUTH_TOKEN": "secret-token",
    "HOTLINE_TWILIO_FROM": "+8613800000000", "HOTLINE_PUBLIC_URL": "https://hotline.example", "HOTLINE_CONSOLE_URL": "https://desk.example", "HOTLINE_CROSS_BORDER_ASSESSED": "2026-1",
    "HOTLINE_DATA_KEY": base64.b64encode(b"k" * 32).decode(), "HOTLINE_SESSION_KEY": "s" * 32, "HOTLINE_BOT_SECRET": "b" * 32,
}  # fmt: skip


def _settings(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    try:
        return get_settings()
    finally:
        get_settings.cache_clear()


def test_production_starts_when_everything_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settings(monkeypatch).production


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"HOTLINE_CARRIER": "simulator"}, "模拟运营商"),
        ({"HOTLINE_CARRIER": "simulator=1,twilio=2"}, "模拟运营商"),
        ({"HOTLINE_DEMO_DATA": "true"}, "演示数据"),
        ({"HOTLINE_DATA_KEY": None}, "HOTLINE_DATA_KEY"),
        ({"HOTLINE_SESSION_KEY": None}, "HOTLINE_SESSION_KEY"),
        ({"HOTLINE_BOT_SECRET": None}, "HOTLINE_BOT_SECRET"),
        ({"HOTLINE_PUBLIC_URL": None}, "HOTLINE_PUBLIC_URL"),
        ({"HOTLINE_CONSOLE_URL": None}, "HOTLINE_CONSOLE_URL"),
        ({"HOTLINE_CONSOLE_URL": "desk.example"}, "https"),
        ({"HOTLINE_PUBLIC_URL": "http://hotline.example"}, "https"),
        ({"HOTLINE_CROSS_BORDER_ASSESSED": None}, "评估"),
        ({"HOTLINE_TWILIO_AUTH_TOKEN": None}, "HOTLINE_TWILIO_AUTH_TOKEN"),
        ({"HOTLINE_TWILIO_FROM": None}, "HOTLINE_TWILIO_FROM"),
        ({"HOTLINE_CARRIER": "pigeon"}, "HOTLINE_CARRIER"),
        ({"HOTLINE_PORT": "99999"}, "port"),
        ({"HOTLINE_RING_SUPERVISOR_SECONDS": "60"}, "一步比一步晚"),
        ({"HOTLINE_BRIDGE_AFTER_SECONDS": "100"}, "一步比一步晚"),
        ({"HOTLINE_ORANGE_PHONE_MINUTES": "10"}, "HOTLINE_ORANGE_PHONE_MINUTES"),
        ({"HOTLINE_GIVE_BACK_SECONDS": "20"}, "give_back_seconds"),
    ],
)
def test_a_start_that_must_not_be_is_refused_in_one_sentence_without_secrets(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], says: str
) -> None:
    with pytest.raises(SettingsAreWrong) as refused:
        _settings(monkeypatch, **changes)
    assert says in str(refused.value)
    assert "secret-token" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Whatever the test makes of the logs, the tests after it find them as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("logs_as_before")
def test_logs_hold_events_and_never_an_error_text_or_another_librarys_words() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        logs.configure("test")
        try:
            raise ValueError("我爸打我 13800000001")
        except ValueError:
            logs.get("room").error("it_failed", message=7, exc_info=True)
            logging.getLogger("sqlalchemy").exception("INSERT %s", "我爸打我")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["it_failed", "library_log"]
    assert lines[0]["error"] == lines[1]["error"] == "ValueError"
    assert "我爸" not in out.getvalue()
    assert "138" not in out.getvalue()


async def test_a_sealed_value_copied_to_another_row_or_column_does_not_open(database: str) -> None:
    async with transaction() as session:
        for login in ("a1", "b1"):
            session.add(
                Operator(login=login, name=f"名字{login}", badge=login, role="operator", created_at=clock.now())
            )
    async with transaction() as session:
        await session.execute(
            text("UPDATE operators SET name_sealed = (SELECT name_sealed FROM operators WHERE login = 'a1')")
        )
    async with transaction() as session:
        from sms_gateway.operators import accounts

        assert (await accounts.get(session, "a1")).name == "名字a1"
        with pytest.raises(SealBroken):
            _ = (await accounts.get(session, "b1")).name


def test_what_may_be_empty_stays_empty_and_lists_come_back_as_lists() -> None:
    row = Escalation(reasons=["有人在踹门"], note=None)
    assert row.reasons == ["有人在踹门"]
    assert row.note is None
    assert row.reasons_sealed is not None
    assert "踹门".encode() not in row.reasons_sealed
    assert keyring().current == 1
