"""Danger text in, ringing in an operator's open browser: a real page beside 50 listeners, texts at 0.6 of the knee found first."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle

from playwright.async_api import Page, async_playwright
from rich.console import Console
from sqlalchemy import func, select, text, update

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message

from .danger import ORDINARY, red_texts
from .load import post
from .operators_line import BEAT_SECONDS, DeskLine, Phones, Seat, somebody
from .results import percentile

LISTENERS = 50
CONNECTIONS = 12
DANGER_EVERY = 10
"""One text in so many is danger."""
RATES = (4.0, 8.0, 12.0, 16.0, 20.0, 26.0, 34.0, 44.0)
STEP_SECONDS = 6.0
STABLE_TIMES, STABLE_MS = 3.0, 400.0
"""The p95 is stable while it is below both that many times the first rate's and ... or below that many ms."""
BACKLOG_SECONDS = 2.0
"""Turns that still wait at the end of a step: more than so many seconds of texts and the line does not keep up."""
SHARE_OF_KNEE = 0.6
TAKEN_AFTER = 1.5
"""Seconds an operator lets it ring here."""
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run")
NOTE_RINGS = """
window.rings = {};
class Noted {
  constructor(title, options) { const key = options && options.tag; if (key && !(key in rings)) rings[key] = Date.now(); }
  addEventListener() {} close() {}
}
Noted.permission = "granted"; Noted.requestPermission = async () => "granted";
window.Notification = Noted;
"""
"""The page calls each alarm out with a sound and a notification in the same breath: the notification says which and when."""


@dataclass
class Rung:
    """What was measured. Milliseconds from the webhook's first byte to the page; `missed`: never rang there."""

    knee: float
    steps: list[tuple[float, float]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    missed: int = 0
    own_cpu: float = 0.0


@asynccontextmanager
async def open_browser(line: DeskLine) -> AsyncIterator[Page]:
    """An operator's page in a real Chromium, signed in by a link."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    operator = await line.add_operator()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_init_script(NOTE_RINGS)
        page = await context.new_page()
        await page.goto(await line.link(operator.login))
        await page.get_by_role("button").first.click()
        await page.wait_for_selector("#alarms", state="attached")
        await page.wait_for_timeout(1500)
        yield page
        await browser.close()


async def listen_raw(line: DeskLine, seat: Seat) -> None:
    """An open page as the console meets it, at little cost to us: the stream is read and thrown away, a beat now and then."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in seat.client.cookies.jar)
    head = f"GET /live/stream HTTP/1.1\r\nHost: 127.0.0.1:{line.console_port}\r\nCookie: {cookies}\r\n\r\n".encode()
    headers = {"Cookie": cookies, "X-CSRF": seat.csrf, "Host": f"127.0.0.1:{line.console_port}"}
    beat = post("/live/beat", b"", headers).replace(b"Host: 127.0.0.1\r\n", b"", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", line.console_port)
    writer.write(head)
    beats_in, beats_out = await asyncio.open_connection("127.0.0.1", line.console_port)

    async def throw_away(stream: asyncio.StreamReader) -> None:
        while await stream.read(65536):
            pass

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(throw_away(reader))
            group.create_task(throw_away(beats_in))
            while True:
                beats_out.write(beat)
                await asyncio.sleep(BEAT_SECONDS)
    finally:
        writer.close()
        beats_out.close()


@asynccontextmanager
async def listeners(line: DeskLine, count: int = LISTENERS) -> AsyncIterator[None]:
    """So many seats listen until the block ends."""
    seats = [await line.sit() for _ in range(count)]
    listening = [asyncio.create_task(listen_raw(line, seat)) for seat in seats]
    try:
        await asyncio.sleep(1)
        yield
        gone = [task for task in listening if task.done()]
        assert not gone, f"{len(gone)} listeners were cut off"
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


class Stream:
    """Texts at a steady pace, one person each; danger among them."""

    def __init__(self, line: DeskLine) -> None:
        self._phones = [Phones(line.gateway_port) for _ in range(CONNECTIONS)]
        self._ordinary: Iterator[str] = cycle(ORDINARY)
        self._danger: Iterator[str] = cycle(red_texts())

    async def run(self, rate: float, seconds: float) -> dict[str, float]:
        """By the clock, whether the one before was taken or not. Danger texts: when each left, by sender."""
        sent: dict[str, float] = {}
        began, running = time.perf_counter(), []
        for index in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + index / rate - time.perf_counter()))
            danger = index % DANGER_EVERY == DANGER_EVERY - 1
            body = next(self._danger) if danger else next(self._ordinary)
            running.append(asyncio.create_task(self._one(index, body, sent if danger else {})))
        await asyncio.gather(*running)
        return sent

    async def _one(self, index: int, body: str, sent: dict[str, float]) -> None:
        sender, at = somebody(), time.time()
        await self._phones[index % CONNECTIONS].text(sender, body)
        sent[sender] = at


async def find_knee(stream: Stream, console: Console) -> tuple[float, list[tuple[float, float]]]:
    """The highest rate whose texts are judged with a stable p95 while turns keep up; and `(rate, p95 ms)` of each step."""
    steps: list[tuple[float, float]] = []
    knee = RATES[0]
    for rate in RATES:
        since = clock.now()
        await stream.run(rate, STEP_SECONDS)
        backlog = await _waiting_turns()
        p95 = await _judged_p95(since)
        steps.append((rate, p95))
        console.print(f"  {rate:.0f} texts/s: p95 to the judgement {p95:.0f} ms, {backlog} turns wait")
        stable = p95 <= max(STABLE_MS, STABLE_TIMES * steps[0][1])
        await _settle()
        if not stable or backlog > BACKLOG_SECONDS * rate:
            break
        knee = rate
    return knee, steps


async def _waiting_turns() -> int:
    async with transaction() as session:
        jobs = text(
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND queue_name = 'turns'"
        )
        return await session.scalar(jobs) or 0


async def _judged_p95(since: datetime) -> float:
    took = func.extract("epoch", func.coalesce(Message.judged_at, clock.now()) - Message.at)
    async with transaction() as session:
        found = await session.scalars(select(took).where(Message.direction == Direction.IN, Message.at >= since))
        return percentile([float(each) * 1000 for each in found], 0.95)


async def _settle(within: float = 25.0) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until and await _waiting_turns() > 2:
        await asyncio.sleep(0.5)


async def take_what_rings(operator_id: int) -> None:
    """Somebody answers what has rung for a moment, for ever."""
    while True:
        await asyncio.sleep(0.5)
        async with transaction() as session:
            wanted = select(Escalation).where(Escalation.state == State.RINGING, Escalation.closed_at.is_(None))
            rung = wanted.where(Escalation.lane == "red", Escalation.received_at <= clock.now() - _AGO)
            for row in await session.scalars(rung.with_for_update(skip_locked=True)):
                await escalations.acknowledge(session, row, operator_id=operator_id)
            over = update(Escalation).where(Escalation.acknowledged_at <= clock.now() - _HELPED)
            await session.execute(over.where(Escalation.closed_at.is_(None)).values(closed_at=clock.now()))


_AGO, _HELPED = timedelta(seconds=TAKEN_AFTER), timedelta(seconds=20)


async def measure_ringing(line: DeskLine, console: Console, *, seconds: float) -> Rung:
    """The knee first, then the ringing below it."""
    async with open_browser(line) as page, listeners(line):
        taker = await line.add_operator()
        taking = asyncio.create_task(take_what_rings(taker.id))
        try:
            stream = Stream(line)
            await stream.run(RATES[0], 6)  # warm
            await _settle()
            knee, steps = await find_knee(stream, console)
            rung = Rung(knee, steps)
            cpu, began = time.process_time(), time.perf_counter()
            sent = await stream.run(SHARE_OF_KNEE * knee, seconds)
            rung.own_cpu = (time.process_time() - cpu) / (time.perf_counter() - began)
            await asyncio.sleep(3)
            rings: dict[str, float] = await page.evaluate("rings")
            await _compare(rung, sent, rings)
        finally:
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking
    return rung


async def _compare(rung: Rung, sent: dict[str, float], rings: dict[str, float]) -> None:
    first: dict[int, float] = {}
    for key, at in rings.items():
        kind, _, rest = key.partition("-")
        if kind == "red":
            call = int(rest.partition("-")[0])
            first[call] = min(first.get(call, at), at)
    calls = await _calls_of(list(sent))
    for sender, at in sent.items():
        if (rang := first.get(calls.get(sender, -1))) is None:
            rung.missed += 1
        else:
            rung.milliseconds.append(rang - at * 1000)


async def _calls_of(senders: Sequence[str]) -> dict[str, int]:
    by_index = {blind_index(sender, f"contacts.address.{Channel.SMS}"): sender for sender in senders}
    wanted = select(Contact.address_index, Escalation.id).join(Escalation, Escalation.contact_id == Contact.id)
    async with transaction() as session:
        found = await session.execute(wanted.where(Contact.address_index.in_(by_index)))
        return {by_index[bytes(index)]: call for index, call in found}
