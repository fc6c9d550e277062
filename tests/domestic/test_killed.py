"""The line's own process is killed in mid-window: nobody gets a text twice, nobody is forgotten, and lost answers are settled by reports."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from sms_gateway import clock
from sms_gateway.broadcasts.sending import Sender
from sms_gateway.carriers import registry
from sms_gateway.settings import get_settings
from sms_gateway.simulator.cmpp.gateway import CmppGateway
from sms_gateway.simulator.faults import Faults
from sms_gateway.supervision.places import free_ports
from tests.broadcasts import making
from tests.domestic.conftest import set_up, until

MANY = 1500


async def start_line() -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "sms_gateway.cli", "line", "cmpp")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)


async def test_a_line_killed_in_mid_window_texts_nobody_twice_and_forgets_nobody(
    database: str, gateway: CmppGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    set_up(monkeypatch, tmp_path, await gateway.start(), CMPP_DOOR_PORT=str(port), CMPP_CONNECTIONS="2")
    monkeypatch.setenv("HOTLINE_UNKNOWN_AFTER_SECONDS", "1")
    get_settings.cache_clear()
    hours = {"hours_start": time(0, 0), "hours_end": time(23, 59)}
    made = await making.make_broadcast(started_at=clock.now(), rate=400.0, carrier_segments=5000.0, **hours)
    await making.make_ledger(made, MANY)
    gateway.faults = replace(gateway.faults, answer_seconds=0.05, texts=Faults(receipt_delay_most=0.5))
    process, sender = await start_line(), Sender()
    working = asyncio.create_task(sender.run())
    try:
        for part in (0.2, 0.5):  # killed twice on the way

            async def far_enough(part: float = part) -> bool:
                return gateway.counts["taken"] > part * MANY

            await until(far_enough, within=60)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await start_line()

        async def handed_over() -> bool:
            return not {"created", "claimed"} & set((await making.states(made)).values())

        await until(handed_over, within=90)
        await gateway.settle()

        async def settled() -> bool:
            ended = list((await making.states(made)).values())
            return ended.count("delivered") == gateway.truth.report()["arrived"]

        await until(settled, within=30)
    finally:
        sender.stop.set()
        await working
        process.terminate()
        await process.wait()
        await registry.close()
    truth = gateway.truth.report()
    states = await making.states(made)
    arrived = {n for n, state in states.items() if state == "delivered"}
    unknown = {n for n, state in states.items() if state == "unknown"}
    assert truth["numbers_twice"] == 0
    assert len(arrived) == truth["arrived"] and arrived | unknown == set(range(1, MANY + 1))
    assert len(unknown) < 4 * 100  # what never reached the gateway of the requests that were under way
    assert await making.tallies(made) == await making.counted(made)
