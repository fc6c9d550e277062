"""Sending through the Twilio driver with the ledger, against a bare loop over the same client and the script most people write."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvloop
from rich.console import Console
from sqlalchemy import text

from sms_gateway.broadcasts import acts, governing, overview, tallies
from sms_gateway.broadcasts.sending import Sender
from sms_gateway.carriers import registry
from sms_gateway.database import dispose, transaction
from sms_gateway.migrations import upgrade
from sms_gateway.settings import get_settings
from sms_gateway.supervision.scratch import scratch_postgres

from .broadcasts_line import ALL_DAY, an_editor, make_ledger, on_duty, own_keys
from .results import Row, row
from .twilio_loops import bare_loop, mock, script_loop, truth
from .twilio_texts import SETTINGS as TWILIO

AREA = "broadcasts"
TEXTS, FEW = 12_000, 1_000
BODY = "【云南12345】儿童节快乐！孩子遇到难处、受了委屈，随时可以发短信或打12345。本热线不要验证码、不要转账。"
"""What each side hands over: one segment."""
THROUGH = text("""
SELECT NOT EXISTS (SELECT 1 FROM broadcast_lanes WHERE broadcast_id = :broadcast AND next <= last)
   AND NOT EXISTS (SELECT 1 FROM broadcast_chunks WHERE broadcast_id = :broadcast)
""")
AGAINST_LOOP, AGAINST_SCRIPT = 0.6, 2.0


async def measure(console: Console, *, rounds: int = 5, texts: int = TEXTS) -> list[Row]:
    """Both ratios and the three rates."""
    ours, bare, script = await asyncio.to_thread(lambda: uvloop.run(_rounds(rounds, texts)))
    console.print(f"broadcasts: sent {texts:,} texts {rounds} times each way")
    name = "Sending by the Twilio driver to a local mock, ledger included"
    against = [[a / b for a, b in zip(ours, other, strict=True)] for other in (bare, script)]
    return [
        row(AREA, f"{name}: against a bare loop of the same client", against[0], "times", target=AGAINST_LOOP, better="higher"),
        row(AREA, f"{name}: against the script most people write", against[1], "times", target=AGAINST_SCRIPT, better="higher"),
        row(AREA, f"{name}: texts a second", ours, "1/s", better="higher"),
        row(AREA, "Bare loop of the same client: texts a second", bare, "1/s", better="higher"),
        row(AREA, "Loop of the blocking twilio client: texts a second", script, "1/s", better="higher"),
    ]  # fmt: skip


async def _rounds(rounds: int, texts: int) -> tuple[list[float], list[float], list[float]]:
    ours, bare, script = [], [], []
    async with _our_side() as url:
        phones = [f"+86{13_800_000_000 + number}" for number in range(texts)]
        await _send(texts // 4)
        gc.freeze()  # as a sending process does at its start; both sides have it
        for _ in range(rounds):
            bare.append(await bare_loop(url, phones, BODY))
            ours.append(await _send(texts))
            script.append(await script_loop(url, phones[:FEW], BODY))
        assert (await truth(url))["refused"] == 0
    return ours, bare, script


async def rate_of_twilio(texts: int) -> float:
    """Texts a second of one worker through the Twilio driver to its local mock, warm."""

    async def once() -> float:
        async with _our_side():
            await _send(texts // 4)
            return await _send(texts)

    return await asyncio.to_thread(lambda: uvloop.run(once()))


@asynccontextmanager
async def _our_side() -> AsyncIterator[str]:
    with scratch_postgres() as server:
        database_url = server.create("bench")
        upgrade(database_url)
        async with mock() as url:
            with _settings(database_url, url), own_keys():
                await on_duty()
                try:
                    yield url
                finally:
                    await registry.close()
                    await dispose()


@contextmanager
def _settings(database_url: str, twilio_url: str) -> Iterator[None]:
    key = base64.b64encode(b"b" * 32).decode()
    ours = {
        **TWILIO, "HOTLINE_DATABASE_URL": database_url, "HOTLINE_DATA_KEY": key, "HOTLINE_SESSION_KEY": key,
        "HOTLINE_ENV_FILE": os.devnull, "HOTLINE_CARRIER": "twilio", "HOTLINE_TWILIO_API_URL": twilio_url,
        "HOTLINE_SEEN_WITHIN_SECONDS": "86400",
    }  # fmt: skip
    before = dict(os.environ)
    os.environ.update(ours)
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        get_settings.cache_clear()


async def _send(texts: int) -> float:
    """Texts a second of one worker, from its start until the last one is written down."""
    body = BODY.removeprefix("【云南12345】").removesuffix("本热线不要验证码、不要转账。")
    one = await make_ledger(
        await an_editor(), texts, body=body, carrier_segments=1e5, reply_share=0.0, quiet_days=0.0, **ALL_DAY
    )
    await governing.govern()
    sender, began = Sender(), time.perf_counter()
    task = asyncio.create_task(sender.run())
    while not await _is_through(one):
        await asyncio.sleep(0.02)
    rate = texts / (time.perf_counter() - began)
    assert await _left(one) == texts
    async with transaction() as session:
        await acts.cancel(session, one, operator_id=None)
    sender.stop.set()
    await task
    return rate


async def _is_through(broadcast_id: int) -> bool:
    """Every number was given out, and what became of each is written down."""
    async with transaction() as session:
        return bool(await session.scalar(THROUGH, {"broadcast": broadcast_id}))


async def _left(broadcast_id: int) -> int:
    async with transaction() as session:
        return tallies.left((await overview.look(session, broadcast_id)).states)
