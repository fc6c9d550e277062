"""`hotline simulator`: a process of its own that is killed and knows all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sms_gateway import clock
from sms_gateway.carriers.carrier import Found, SendError, TextOut
from sms_gateway.carriers.simulator import SimulatorCarrier
from sms_gateway.settings import ROOT, Mode, Settings, SettingsAreWrong, get_settings, read_settings
from sms_gateway.supervision.places import free_ports

NUMBER = "+8613800000007"


@asynccontextmanager
async def running(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    command = (sys.executable, "-m", "sms_gateway.cli", "simulator", "--port", str(port))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def sent(carrier: SimulatorCarrier) -> str:
    for _ in range(300):
        try:
            return await carrier.send(to=NUMBER, body="您好", reference=10**17 + 5)
        except SendError:
            await asyncio.sleep(0.1)
    raise AssertionError("it did not start")


async def test_a_killed_simulator_still_knows_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, nobody = free_ports(2)
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_SIMULATOR_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOTLINE_PORT", str(nobody))
    get_settings.cache_clear()
    carrier = SimulatorCarrier.from_settings(get_settings())
    try:
        async with running(port):
            carrier_id = await sent(carrier)
        async with running(port):
            other = await sent(carrier)  # the same text again: it arrives twice, and that is remembered
            since = clock.now() + timedelta(seconds=5)
            assert await carrier.find(to=NUMBER, body="", reference=10**17 + 5, since=since) == (Found.SENT, carrier_id)
            assert await carrier.find(to=NUMBER, body="", reference=10**17 + 6, since=since) == (Found.ABSENT, None)
            report = await carrier._call("GET", "/simulator/truth")
            assert (report["taken"], report["numbers_twice"], other != carrier_id) == (2, 1, True)
            (again,) = await carrier.send_many([TextOut(NUMBER, "您好", 10**17 + 7)])
            assert isinstance(again, str)
    finally:
        await carrier.aclose()
        get_settings.cache_clear()


def test_a_simulator_elsewhere_than_on_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("https://sms.example.cn", "http://10.0.0.1:8090", "ftp://127.0.0.1"):
        with pytest.raises(SettingsAreWrong, match="HOTLINE_SIMULATOR_URL"):
            read_settings({"simulator_url": url})
    assert Settings(simulator_url="").simulator_url is None
    assert os.environ.get("HOTLINE_SIMULATOR_URL") is None


def test_there_is_no_simulator_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    from sms_gateway import app

    monkeypatch.setattr(app, "get_settings", lambda: Settings.model_construct(mode=Mode.PRODUCTION))
    with pytest.raises(SystemExit, match="生产"):
        app.make_simulator()
