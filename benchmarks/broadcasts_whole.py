"""A broadcast from the file to the last receipt: import, ledger, two people, sending on the make-believe carrier, receipts.

The cost of a recipient is CPU time of every process of ours and of PostgreSQL, since the pace is set: 10,000 against the whole.
Meanwhile somebody writes to the hotline every few seconds and is answered by the whole pipeline, Rasa included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
from rich.console import Console
from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.broadcasts import acts, importing, overview, preparing, rolls
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.carriers import simulator
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir

from .broadcasts_line import ALL_DAY, OutreachLine, an_editor, on_duty, outreach_line, until_over
from .memory import postgres_pids, resident_mb
from .processes import cpu_of_server, cpu_seconds
from .results import Row, percentile, row

AREA = "broadcasts"
SPEED = 2000.0
"""Texts a second. A line of this size takes 7 h for 50 million; what is left of two cores answers talks."""
SMALL, USUAL, LONG = 10_000, 50_000, 1_000_000
COUNTIES = ("530627", "530602", "530102", "532901", "530902")
BODY = "儿童节快乐！孩子遇到难处、受了委屈，随时可以发短信或打12345。"
PROCESSES = ("danger", "turns", "turns_2", "replies", "gateway", "outreach", "actions", "rasa")
SENDING = ("outreach", "gateway", "replies")
"""Whose CPU a broadcast uses, beside PostgreSQL's."""
IDLE_TEXTS = 25
BETWEEN_TEXTS = 2.0
THANKS = "谢谢你们，今天真的帮了我家一个大忙了哦！"


@dataclass
class Whole:
    """What one broadcast took. Seconds, MB, milliseconds."""

    recipients: int
    import_seconds: float = 0.0
    prepare_seconds: float = 0.0
    send_seconds: float = 0.0
    cpu_each: float = 0.0
    """CPU microseconds a recipient, of sending and receipts."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """By process, each second."""
    talk_ms: list[float] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    rates: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start, and texts that had left by then."""


async def run(console: Console, recipients: int) -> tuple[Whole, Whole, list[float]]:
    """10,000, then `recipients`; and what a talk takes when nothing else happens."""
    model = trained_model(DataDir.at(get_settings().data_dir))
    async with outreach_line(*PROCESSES, model=model) as line:
        await line.set_faults(bulk=True, delay_seconds=0.2, delay_most=2.0)
        await on_duty(3)
        talker = Talker(line)
        await talker.talk(IDLE_TEXTS // 3, pause=0.2)  # everybody warm
        idle = await talker.talk(IDLE_TEXTS, pause=0.3)
        console.print(f"broadcasts: a talk is answered in {percentile(idle, 0.5):.0f} ms when nothing else happens")
        small = await broadcast(line, SMALL, first=0)
        console.print(f"broadcasts: {SMALL:,} took {small.send_seconds:.1f} s, {small.cpu_each:.0f} µs of CPU each")
        whole = await broadcast(line, recipients, first=SMALL, talker=talker)
        console.print(
            f"broadcasts: {recipients:,} took {whole.send_seconds:.1f} s, {whole.cpu_each:.0f} µs of CPU each, {whole.states}"
        )
        return small, whole, idle


async def broadcast(line: OutreachLine, count: int, *, first: int, talker: Talker | None = None) -> Whole:
    """One broadcast to `count` numbers that nobody texted before."""
    found = Whole(count)
    one = await make_ready(line.postgres.folder / f"roll-{first}.csv", count, first, found)
    before, began = cpu(line), time.perf_counter()
    watching = asyncio.create_task(_watch(line, one, found, began))
    talking = asyncio.create_task(talker.talk(10**9, pause=BETWEEN_TEXTS)) if talker else None
    ended = await until_over(one, within=count / SPEED * 4 + 120)
    await _told(one)
    found.send_seconds = time.perf_counter() - began
    found.cpu_each = (cpu(line) - before) / count * 1e6
    for task in (watching, talking):
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    found.talk_ms = talker.answered[IDLE_TEXTS + IDLE_TEXTS // 3 :] if talker else []
    async with transaction() as session:
        found.states = dict((await overview.look(session, one)).states)
    truth = await line.truth()
    assert ended.status == "completed", ended.pause_reason
    assert truth["numbers_twice"] == 0
    assert sum(found.states.values()) == count
    return found


async def _told(broadcast_id: int) -> None:
    """Every text has its receipt."""
    async with asyncio.timeout(300):
        while True:
            async with transaction() as session:
                states = (await overview.look(session, broadcast_id)).states
            if not set(states) & {"created", "claimed", "unknown", "sent"}:
                return
            await asyncio.sleep(0.5)


async def make_ready(file: Path, count: int, first: int, found: Whole) -> int:
    """Import, draft, ledger, approval by a second person, start; the broadcast's id."""
    with file.open("w", encoding="utf-8") as out:
        out.write("手机号,地区,分组\n")
        out.writelines(f"{number},{COUNTIES[number % len(COUNTIES)]},家长\n" for number in _numbers(first, count))
    writer, second = await an_editor(), await an_editor()
    async with transaction() as session:
        roll_id = (await rolls.create(session, title=f"量{first}", created_by=writer)).id
    began = time.perf_counter()
    await importing.run(roll_id, OnDisk(str(file)))
    found.import_seconds = time.perf_counter() - began
    file.unlink()
    # All in one wave: what a person lets go after looking is not what is timed.
    draft = acts.Draft(
        title="儿童节",
        body=BODY,
        audience={"rolls": [roll_id]},
        pilot=count,
        carrier_segments=SPEED / 0.8,
        reply_share=0.0,
    )
    async with transaction() as session:
        one = await acts.create(session, operator_id=writer, draft=draft)
        one.hours_start, one.hours_end = ALL_DAY["hours_start"], ALL_DAY["hours_end"]
    began = time.perf_counter()
    await preparing.run(one.id)
    found.prepare_seconds = time.perf_counter() - began
    async with transaction() as session:
        ready = await acts.get(session, one.id)
        ready = await acts.approve(session, one.id, version=ready.version, operator_id=second, recipients=ready.total)
        await acts.start(session, one.id, version=ready.version, operator_id=second)
    return one.id


def _numbers(first: int, count: int) -> Iterator[int]:
    return iter(range(13_800_000_000 + first, 13_800_000_000 + first + count))


def cpu(line: OutreachLine) -> float:
    """CPU seconds of the sending processes and of PostgreSQL so far."""
    ours = sum(cpu_seconds(line.hotline.pid(name)) for name in SENDING)
    return ours + cpu_of_server(postgres_pids(line.postgres.port))


async def _watch(line: OutreachLine, broadcast_id: int, found: Whole, began: float) -> None:
    """Memory and progress, each second."""
    while True:
        for name in (*SENDING, "danger"):
            found.memory.setdefault(name, []).append(resident_mb(line.hotline.pid(name)))
        async with transaction() as session:
            seen = await overview.look(session, broadcast_id)
        found.rates.append((time.perf_counter() - began, float(seen.done)))
        await asyncio.sleep(1)


class Talker:
    """Somebody new writes every time; `answered`: milliseconds from our door to the carrier having the reply."""

    def __init__(self, line: OutreachLine) -> None:
        self._line = line
        self._sent = 0
        self.answered: list[float] = []

    async def talk(self, texts: int, *, pause: float) -> list[float]:
        """So many texts one after the other; what each took."""
        first = len(self.answered)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._line.gateway_port}", trust_env=False) as http:
            for _ in range(texts):
                await self._text(http)
                await asyncio.sleep(pause)
        return self.answered[first:]

    async def _text(self, http: httpx.AsyncClient) -> None:
        self._sent += 1
        path, carrier_id = "/carriers/simulator/sms", f"talk{self._sent}"
        form = {"id": carrier_id, "from": f"+86139{self._sent:08d}", "body": THANKS}
        body = urlencode(form).encode()
        signature = simulator.sign(simulator.secret(get_settings()), path=path, body=body, at=clock.now())
        headers = {"Content-Type": "application/x-www-form-urlencoded", simulator.SIGNATURE_HEADER: signature}
        (await http.post(path, content=body, headers=headers)).raise_for_status()
        async with asyncio.timeout(30):
            while (took := await _answered(carrier_id)) is None:
                await asyncio.sleep(0.05)
        self.answered.append(took)


async def _answered(carrier_id: str) -> float | None:
    async with transaction() as session:
        text = (await session.scalars(select(Message).where(Message.carrier_id == carrier_id))).one()
        reply = select(Message.sent_at).where(Message.reply_to == text.id, Message.sent_at.is_not(None)).limit(1)
        sent_at = await session.scalar(reply)
    return None if sent_at is None else (sent_at - text.at).total_seconds() * 1000


def rows(small: Whole, whole: Whole, idle: list[float]) -> list[Row]:
    """What is said of it; the targets are issue 6's."""
    name = f"{whole.recipients:,} recipients end to end"  # of a million: `results.LONG`
    peaks = {process: max(values) for process, values in whole.memory.items()}
    busy = percentile(whole.talk_ms, 0.5) if whole.talk_ms else 0.0
    return [
        row(AREA, f"{name}: CPU a recipient against {SMALL:,}", [whole.cpu_each / small.cpu_each], "times", target=1.2),
        row(AREA, f"{name}: CPU a recipient, PostgreSQL included", [whole.cpu_each], "µs"),
        row(AREA, f"{name}: from the start to the last receipt", [whole.send_seconds], "s"),
        row(AREA, f"{name}: largest process of ours", [max(peaks.values())], "MB", target=400.0),
        row(AREA, f"{name}: growth of the sending process after its first minute", [_growth(whole.memory["outreach"])], "MB"),
        row(AREA, f"{name}: p50 of a talk meanwhile against idle", [busy / percentile(idle, 0.5)], "times", target=2.0),
        row(AREA, f"{name}: import", [whole.recipients / whole.import_seconds], "numbers/s", better="higher"),
        row(AREA, f"{name}: ledger prepared", [whole.recipients / whole.prepare_seconds], "rows/s", better="higher"),
    ]  # fmt: skip


def _growth(values: list[float]) -> float:
    warm = values[min(60, len(values) // 2) :]
    return max(warm) - warm[0]
