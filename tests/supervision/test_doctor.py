"""What the doctor says, and that it says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sms_gateway.settings import Settings
from sms_gateway.supervision import doctor
from sms_gateway.supervision.doctor import Verdict
from sms_gateway.supervision.places import free_ports

ROOT = Path(__file__).parents[2]


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(f"HOTLINE_{name.upper()}", value)
    return Settings(_env_file=None)


def two_ports() -> dict[str, str]:
    first, second = free_ports(2)
    return {"HOTLINE_PORT": str(first), "HOTLINE_CONSOLE_PORT": str(second)}


def run_doctor(tmp_path: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOTLINE_DATA_DIR": str(tmp_path / "var"), "HOTLINE_ENV_FILE": os.devnull, **extra}
    command = [sys.executable, "-m", "sms_gateway.cli", "doctor"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_machine_that_ran_set_up_is_fine(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, **two_ports())
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout


def test_a_database_that_does_not_answer_fails_the_check(tmp_path: Path) -> None:
    done = run_doctor(
        tmp_path, **two_ports(), HOTLINE_DATABASE_URL="postgresql://a:hush-hush@127.0.0.1:1/x"
    )  # fmt: skip
    assert done.returncode == 1
    assert "✗ 连不上 HOTLINE_DATABASE_URL" in done.stdout
    assert "hush-hush" not in done.stdout + done.stderr


def test_holidays_that_run_out_are_said_a_month_before() -> None:
    end = date(2026, 12, 31)
    assert doctor.holidays(end, date(2026, 12, 1)).verdict is Verdict.FINE
    advice = doctor.holidays(end, date(2026, 12, 2))
    assert advice.verdict is Verdict.ADVICE and "chinesecalendar" in advice.sentence


def test_production_without_secrets_is_one_sentence(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, HOTLINE_MODE="production")
    assert done.returncode == 1
    assert len(done.stdout.strip().splitlines()) == 1
    assert "生产模式" in done.stdout


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 10), Verdict.WRONG), ((3, 11), Verdict.FINE), ((4, 0), Verdict.FINE)]
)
def test_the_front_door_wants_python_3_11(version: tuple[int, int], verdict: Verdict) -> None:
    assert doctor.python(version).verdict is verdict


def test_rasas_environment_must_be_python_3_10(tmp_path: Path) -> None:
    assert doctor.rasa_python(tmp_path / "nothing").verdict is Verdict.WRONG
    assert doctor.rasa_python(Path(sys.executable)).verdict is Verdict.WRONG


def test_a_taken_port_is_wrong_unless_it_is_ours() -> None:
    assert doctor.port_finding("HOTLINE_PORT", 8000, free=True, ours=False).verdict is Verdict.FINE
    assert doctor.port_finding("HOTLINE_PORT", 8000, free=False, ours=True).verdict is Verdict.FINE
    wrong = doctor.port_finding("HOTLINE_PORT", 8000, free=False, ours=False)
    assert wrong.verdict is Verdict.WRONG
    assert "HOTLINE_PORT" in wrong.sentence


def test_a_full_disk_is_wrong() -> None:
    assert doctor.disk(10 * 1024**3).verdict is Verdict.FINE
    assert doctor.disk(1024**3).verdict is Verdict.WRONG


def test_a_key_of_the_wrong_form_is_wrong_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = doctor.keys(settings(monkeypatch, data_key="not-a-key"))
    assert wrong.verdict is Verdict.WRONG
    assert "not-a-key" not in wrong.sentence
    assert doctor.keys(settings(monkeypatch, data_key="A" * 43 + "=")).verdict is Verdict.FINE


def test_twilio_without_a_public_address_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    twilio = {"carrier": "twilio", "twilio_account_sid": "AC0", "twilio_auth_token": "t", "twilio_from": "+10000000000"}
    assert doctor.carrier(settings(monkeypatch, **twilio)).verdict is Verdict.WRONG
    assert doctor.carrier(settings(monkeypatch, **twilio, public_url="https://a.example")).verdict is Verdict.FINE


def test_a_browser_named_by_chromium_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "chromium"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert doctor.browser().verdict is Verdict.FINE
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "gone"))
    assert doctor.browser().verdict is Verdict.ADVICE


def test_weights_of_the_danger_judgement_that_do_not_fit_are_wrong() -> None:
    assert doctor.judge(by_words_alone=False).verdict is Verdict.FINE
    found = doctor.judge(by_words_alone=True)
    assert found.verdict is Verdict.WRONG
    assert "make train" in found.sentence
