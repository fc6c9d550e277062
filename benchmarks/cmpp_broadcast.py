"""200,000 recipients through a line with reports, against the Twilio driver and its mock; danger meanwhile against danger when idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

from rich.console import Console

from sms_gateway.broadcasts import acts, overview
from sms_gateway.database import transaction
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir, free_ports

from . import broadcasts_sending
from .broadcasts_line import ALL_DAY, OutreachLine, an_editor, make_ledger, on_duty, outreach_line
from .cmpp_gateway import SECRET, SOURCE, SRC_ID, Gateway, gateway
from .danger import DANGER
from .memory import resident_mb
from .results import Row, percentile, row

AREA = "cmpp"
RECIPIENTS, TWILIO_TEXTS = 200_000, 12_000
PROCESSES = ("cmpp", "danger", "turns", "replies", "actions", "rasa", "outreach")
BODY = broadcasts_sending.BODY.removeprefix("【云南12345】").removesuffix("本热线不要验证码、不要转账。")
AGAINST_TWILIO, DANGER_AGAINST_IDLE, GROWTH_MB = 3.0, 2.0, 32.0
DANGERS, BETWEEN = 40, 1.0
_people = count(1)


@dataclass
class Found:
    """Seconds, MB each second, milliseconds."""

    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


@asynccontextmanager
async def hotline(carrier: Gateway, *names: str) -> AsyncIterator[OutreachLine]:
    """A hotline whose only carrier is a line to that gateway."""
    (door,) = free_ports(1)
    settings = {
        "HOTLINE_CARRIER": "cmpp", "HOTLINE_CMPP_HOST": "127.0.0.1", "HOTLINE_CMPP_PORT": str(carrier.port),
        "HOTLINE_CMPP_SOURCE_ADDR": SOURCE, "HOTLINE_CMPP_SHARED_SECRET": SECRET, "HOTLINE_CMPP_SERVICE_ID": "PUBSVC",
        "HOTLINE_CMPP_SRC_ID": SRC_ID, "HOTLINE_CMPP_CONNECTIONS": "4", "HOTLINE_CMPP_SEGMENTS_PER_SECOND": "100000",
        "HOTLINE_CMPP_DOOR_PORT": str(door),
    }  # fmt: skip
    model = trained_model(DataDir.at(get_settings().data_dir)) if "rasa" in names else None
    async with outreach_line(*names, settings=settings, model=model, lines={"cmpp": door}) as line:
        yield line


async def dangers(carrier: Gateway, many: int) -> list[float]:
    """So many danger texts, one after the other; milliseconds of each until its safe reply was submitted."""
    found = []
    for number in range(many):
        seconds = await carrier.write(f"139{next(_people):08d}", DANGER[number % len(DANGER)])
        found.append(seconds * 1000)
        await asyncio.sleep(BETWEEN)
    return found


async def broadcast(line: OutreachLine, carrier: Gateway, recipients: int, found: Found, *, asks: bool) -> None:
    """From the start to the last report, with danger beside it where `asks`."""
    one = await make_ledger(
        await an_editor(), recipients, body=BODY, carrier_segments=1e5, reply_share=0.0, quiet_days=0.0, **ALL_DAY
    )
    began = time.perf_counter()
    asking = asyncio.create_task(dangers(carrier, DANGERS)) if asks else None
    watching = asyncio.create_task(_watch(line, found))
    async with asyncio.timeout(recipients / 100 + 120):
        while True:
            async with transaction() as session:
                states = (await overview.look(session, one)).states
            if not {"created", "claimed", "unknown", "sent"} & {state for state, many in states.items() if many}:
                break
            await asyncio.sleep(0.25)
    found.seconds = time.perf_counter() - began
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    found.busy = await asking if asking else []
    truth = await carrier.truth()
    assert truth["numbers_twice"] == 0 and sum(states.values()) == recipients, states
    async with transaction() as session:
        with suppress(Exception):
            await acts.cancel(session, one, operator_id=None)


async def _watch(line: OutreachLine, found: Found) -> None:
    while True:
        found.memory.append(resident_mb(line.hotline.pid("cmpp")))
        await asyncio.sleep(1)


async def measure(console: Console, *, recipients: int = RECIPIENTS) -> list[Row]:
    """The rate against Twilio's, memory, and danger beside a broadcast."""
    twilio = await broadcasts_sending.rate_of_twilio(TWILIO_TEXTS)
    console.print(f"cmpp: the Twilio driver sends {twilio:.0f} a second to its mock")
    whole, beside = Found(), Found()
    async with gateway("whole") as carrier, hotline(carrier, "cmpp", "outreach") as line:
        await on_duty(3)
        await broadcast(line, carrier, recipients, whole, asks=False)
    rate = recipients / whole.seconds
    console.print(f"cmpp: {recipients:,} with reports in {whole.seconds:.0f} s, {rate:.0f} a second")
    async with gateway("whole") as carrier, hotline(carrier, *PROCESSES) as line:
        await on_duty(3)
        await dangers(carrier, 8)  # everybody warm
        beside.idle = await dangers(carrier, DANGERS)
        await broadcast(line, carrier, recipients, beside, asks=True)
    name = f"CMPP, {recipients:,} recipients with reports"
    warm = whole.memory[min(20, len(whole.memory) // 2) :]
    idle, busy = percentile(beside.idle, 0.95), percentile(beside.busy, 0.95)
    return [
        row(AREA, f"{name}: against the Twilio driver to its mock", [rate / twilio], "times", target=AGAINST_TWILIO, better="higher"),
        row(AREA, f"{name}: texts a second, reports included", [rate], "1/s", better="higher"),
        row(AREA, f"{name}: growth of the line's process after its first 20 s", [max(warm) - warm[0]], "MB", target=GROWTH_MB),
        row(AREA, "CMPP, danger in to safe reply submitted: p95 beside a broadcast against idle", [busy / idle], "times", target=DANGER_AGAINST_IDLE),
        row(AREA, "CMPP, danger in to safe reply submitted: p95 when idle", [idle], "ms"),
        row(AREA, "CMPP, danger in to safe reply submitted: p95 beside a broadcast", [busy], "ms"),
    ]  # fmt: skip
