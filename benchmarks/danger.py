"""Danger text in, safe reply handed to the carrier: with nothing else to do, and beside 10 ordinary texts a second.

Every process of the hotline runs; in Twilio's place stands a recorder that notes when each text reached it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import TypeVar

from aiohttp import web
from rich.console import Console

from sms_gateway import triage
from sms_gateway.migrations import upgrade
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir, free_ports
from sms_gateway.supervision.scratch import ScratchHotline, scratch_hotline, scratch_postgres

from .load import Connection
from .memory import peak_rows
from .results import Row, percentile, row
from .twilio_texts import SETTINGS, number, signed_text

AREA = "webhooks"
PROCESSES = ("rasa", "actions", "danger", "turns", "turns_2", "replies", "bulk", "gateway", "console")
DANGER = (
    "有个叔叔一直在踹我家门 就我和弟弟在",
    "我爸喝醉了拿刀追着我妈跑 快来人",
    "弟弟掉河里了 快救救他",
    "家里着火了 我出不去",
    "同学站在楼顶要跳下去了",
    "我不想活了 药已经吃下去了",
    "他们把我锁在屋里不让走 还在打我",
    "妹妹被一个陌生人抱走了 就刚才",
)
ORDINARY = (
    "孤儿每个月能领多少钱",
    "你好在吗",
    "事实无人抚养儿童怎么申请补贴",
    "谢谢你们",
    "办事要带哪些证件",
    "我家娃娃上学的事找哪个部门",
    "留守儿童有什么补助没有",
    "今天还上班吗",
)
ORDINARY_A_SECOND = 10
DANGER_EVERY = 0.6
WAIT_FOR_REPLY = 20.0

_people = count(1)


class NoSafeReply(Exception):
    """A danger text got no reply in time."""


@dataclass
class Recorder:
    """The carrier: when the first text to each number reached it (`time.perf_counter`)."""

    reached: dict[str, float] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    texts: int = 0

    async def take(self, request: web.Request) -> web.Response:
        at, form = time.perf_counter(), await request.post()
        self.texts += 1
        self.reached.setdefault(str(form["To"]), at)
        async with self.news:
            self.news.notify_all()
        return web.json_response({"sid": f"SM{self.texts:032x}", "status": "queued", "to": form["To"]}, status=201)

    async def wait_for(self, to: str) -> float:
        async with asyncio.timeout(WAIT_FOR_REPLY), self.news:
            await self.news.wait_for(lambda: to in self.reached)
        return self.reached[to]


R = TypeVar("R", bound=Recorder)


@asynccontextmanager
async def recorder(port: int, found: R) -> AsyncIterator[R]:
    """A carrier on that port: `found`."""
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Line:
    """The whole hotline, as somebody with a phone meets it."""

    port: int
    carrier: Recorder

    async def safe_reply_ms(self, text: str) -> float:
        """Milliseconds from the first byte of the webhook to the reply at the carrier. Raises NoSafeReply."""
        person = number(next(_people))
        request = signed_text(self.port, sender=person, body=text)
        connection = await Connection.open(self.port)
        began = time.perf_counter()
        await connection.ask(request)
        connection.close()
        try:
            return (await self.carrier.wait_for(person) - began) * 1000
        except TimeoutError:
            raise NoSafeReply from None

    async def chat(self, seconds: float, texts: Iterator[str]) -> None:
        """Ordinary texts, one person each, at a steady pace."""
        connection = await Connection.open(self.port)
        began = time.perf_counter()
        for index in range(int(seconds * ORDINARY_A_SECOND)):
            await asyncio.sleep(max(0.0, began + index / ORDINARY_A_SECOND - time.perf_counter()))
            await connection.ask(signed_text(self.port, sender=number(next(_people)), body=next(texts)))
        connection.close()

    async def settle(self) -> None:
        """Wait until nothing has left for a second (at most 15)."""
        for _ in range(15):
            before = self.carrier.texts
            await asyncio.sleep(1)
            if self.carrier.texts == before:
                return


@asynccontextmanager
async def whole_line() -> AsyncIterator[tuple[Line, ScratchHotline, int]]:
    """Every process on a scratch database, the recorder for a carrier; with PostgreSQL's port."""
    model = trained_model(DataDir.at(get_settings().data_dir))
    (port,) = free_ports(1)
    settings = {**SETTINGS, "HOTLINE_CARRIER": "twilio", "HOTLINE_TWILIO_API_URL": f"http://127.0.0.1:{port}"}
    with scratch_postgres() as server:
        url = server.create("bench")
        upgrade(url)
        folder = server.folder / "data"
        async with (
            recorder(port, Recorder()) as carrier,
            scratch_hotline(folder, *PROCESSES, database_url=url, model=model, settings=settings) as hotline,
        ):
            yield Line(int(hotline.environment["HOTLINE_PORT"]), carrier), hotline, server.port


def red_texts() -> list[str]:
    """Those of DANGER that triage calls red (a quality matter of its own: `make eval`)."""
    return [text for text in DANGER if triage.load().judge(text).lane == "red"]


async def measure(console: Console, *, rounds: int = 5, idle: int = 10, seconds: float = 9.0) -> list[Row]:
    """Idle p50, p95 under load, and afterwards the peak memory of each process."""
    dangers, ordinary = cycle(red_texts()), cycle(ORDINARY)
    calm: list[list[float]] = []
    busy: list[list[float]] = []
    async with whole_line() as (line, hotline, database_port):
        for _ in range(6):  # warm
            await line.safe_reply_ms(next(dangers))
        await line.chat(2, ordinary)
        await line.settle()
        cpu, began = time.process_time(), time.perf_counter()
        for _ in range(rounds):
            calm.append([await _paused(line, next(dangers)) for _ in range(idle)])
            busy.append(await _beside_chat(line, seconds, dangers, ordinary))
            await line.settle()
        own = (time.process_time() - cpu) / (time.perf_counter() - began)
        memory = peak_rows(hotline, PROCESSES, database_port)
    console.print(f"danger: load generator used {own:.0%} of one core; {sum(map(len, busy))} danger texts under load")
    return [*_rows(calm, busy), *memory]


async def _paused(line: Line, text: str) -> float:
    await asyncio.sleep(0.25)
    return await line.safe_reply_ms(text)


async def _beside_chat(line: Line, seconds: float, dangers: Iterator[str], ordinary: Iterator[str]) -> list[float]:
    """Danger texts leave by the clock, whether the one before was answered or not: a slow line must not be asked less."""
    chat = asyncio.create_task(line.chat(seconds, ordinary))
    await asyncio.sleep(1.0)
    sent: list[asyncio.Task[float]] = []
    while not chat.done():
        sent.append(asyncio.create_task(line.safe_reply_ms(next(dangers))))
        await asyncio.sleep(DANGER_EVERY)
    await chat
    return list(await asyncio.gather(*sent))


def _rows(calm: Sequence[Sequence[float]], busy: Sequence[Sequence[float]]) -> list[Row]:
    what, beside = "Danger text in to safe reply at the carrier", f"beside {ORDINARY_A_SECOND} ordinary texts/s"
    return [
        row(AREA, f"{what}: idle, p50", [percentile(each, 0.5) for each in calm], "ms", target=100),
        row(AREA, f"{what}: {beside}, p95", [percentile(each, 0.95) for each in busy], "ms", target=300),
        row(AREA, f"{what}: {beside}, p50", [percentile(each, 0.5) for each in busy], "ms"),
    ]
