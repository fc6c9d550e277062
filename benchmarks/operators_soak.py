"""Soak: 200 talks in operators' hands, 10 texts a second both ways: nothing is lost or reordered, no process grows.

`python -m benchmarks.operators_soak [--minutes 20]` is `make soak`; it ends with 1 when something was lost or reordered or memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from sqlalchemy import select

from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.conversations import service
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.messages.models import Author, Direction, Message, Thread
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator

from .memory import own_mb, postgres_pids, resident_mb, shared_mb
from .operators_line import DESKS, DeskLine, Phones, desk_line, somebody
from .results import Row, row

AREA = "operators"
TALKS = 200
OPERATORS = 40
TEXTS_A_SECOND = 10.0
SAMPLE_SECONDS = 3.0
SETTLES_WITHIN = 30.0
WARM_SHARE = 0.25
"""The first part of a run fills pools and caches, and does not count as growth."""
FLAT = 0.02
"""Growth from the first to the last third of what is left, as a share of what a process holds, that is no leak; at least
`FLAT_MB`."""
FLAT_MB, FLAT_MB_OF_A_SHORT_RUN = 6.0, 15.0
SHORT = 600.0
"""Seconds; in a shorter run allocators are still finding their size."""
NUMBERED = re.compile(r"第(\d+)条")


@dataclass
class Soaked:
    """What the run came to. `memory`: MB of each process by second."""

    sent_in: int = 0
    sent_out: int = 0
    lost: int = 0
    reordered: int = 0
    doubled: int = 0
    took: float = 0.0
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    with_buffers: list[tuple[float, float]] = field(default_factory=list)
    """PostgreSQL with its shared buffers: they fill, as rows come, up to their fixed size. Told, not judged."""

    def growth(self, name: str) -> float:
        """MB a process holds more in the last third of the settled run than in its first third."""
        samples = self.memory[name]
        settled = [mb for at, mb in samples if at >= WARM_SHARE * self.took]
        third = max(1, len(settled) // 3)
        return sum(settled[-third:]) / third - sum(settled[:third]) / third if settled else 0.0

    def is_flat(self, name: str) -> bool:
        """Whether that growth is none."""
        held = max((mb for _at, mb in self.memory[name]), default=0.0)
        return self.growth(name) <= max(self.slack, FLAT * held)

    @property
    def slack(self) -> float:
        """MB that are no growth."""
        return FLAT_MB if self.took >= SHORT else FLAT_MB_OF_A_SHORT_RUN

    @property
    def holds(self) -> bool:
        return not (self.lost or self.reordered or self.doubled) and all(map(self.is_flat, self.memory))


def judge_order(sent: Sequence[int], found: Sequence[int]) -> tuple[int, int, int]:
    """`(lost, reordered, doubled)`: of numbers sent in rising order, as they were found. Pure."""
    doubled = len(found) - len(set(found))
    reordered = sum(later < earlier for earlier, later in pairwise(found))
    return len(set(sent) - set(found)), reordered, doubled


@dataclass
class _Talk:
    sender: str
    thread_id: int
    operator: Operator
    said_in: list[int] = field(default_factory=list)
    said_out: list[int] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


async def soak(line: DeskLine, *, seconds: float, talks: int = TALKS) -> Soaked:
    """Run it on a line that has the processes DESKS."""
    operators = [await line.add_operator() for _ in range(OPERATORS)]
    beating = asyncio.create_task(keep_there(operators))
    try:
        held = await _open_talks(line, operators, talks)
        found, began = Soaked(), time.monotonic()
        sampling = asyncio.create_task(_sample(line, found, began))
        await _talk(line, held, found, until=began + seconds)
        found.took = time.monotonic() - began
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
        await _count(line, held, found)
        return found
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def keep_there(operators: Sequence[Operator]) -> None:
    """Their pages are open: beats, for ever."""
    while True:
        for operator in operators:
            async with transaction() as session:
                await presence.beat(session, operator_id=operator.id)
        await asyncio.sleep(4)


async def _open_talks(line: DeskLine, operators: Sequence[Operator], talks: int) -> list[_Talk]:
    phones, held = Phones(line.gateway_port), []
    for index in range(talks):
        sender = somebody()
        await phones.text_until_taken(sender, "你好")
        thread_id = await _thread_of(sender)
        operator = operators[index % len(operators)]
        async with transaction() as session:
            await service.take_over(session, thread_id=thread_id, operator=operator)
        held.append(_Talk(sender, thread_id, operator))
    await asyncio.sleep(3)  # the first words leave
    return held


async def _thread_of(sender: str) -> int:
    index = blind_index(sender, f"contacts.address.{Channel.SMS}")
    wanted = select(Thread.id).join(Contact, Contact.id == Thread.contact_id).where(Contact.address_index == index)
    async with transaction() as session:
        return (await session.scalars(wanted)).one()


async def _talk(line: DeskLine, held: Sequence[_Talk], found: Soaked, *, until: float) -> None:
    """Texts leave by the clock, from a random talk each; every third is the operator's."""
    dice, number, pause = random.Random(5), 0, 1 / TEXTS_A_SECOND
    phones = [Phones(line.gateway_port) for _ in range(8)]
    running: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    while time.monotonic() < until:
        number += 1
        one = dice.choice(held)
        work = _operator_writes(one, number) if number % 3 == 0 else _person_writes(phones[number % 8], one, number)
        running.add(task := asyncio.create_task(work))
        task.add_done_callback(running.discard)
        found.sent_out += number % 3 == 0
        found.sent_in += number % 3 != 0
        due += pause
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*running)


async def _person_writes(phones: Phones, one: _Talk, number: int) -> None:
    async with one.lock:  # a phone sends one after the other
        one.said_in.append(number)
        await phones.text_until_taken(one.sender, f"老师我还想问一下第{number}条")


async def _operator_writes(one: _Talk, number: int) -> None:
    async with one.lock, transaction() as session:
        one.said_out.append(number)
        await service.reply(session, thread_id=one.thread_id, operator=one.operator, body=f"我看到了，第{number}条。")


async def _sample(line: DeskLine, found: Soaked, began: float) -> None:
    while True:
        at = time.monotonic() - began
        for name in line.hotline.supervisor.kept:
            with suppress(ProcessLookupError, OSError):
                found.memory[name].append((at, resident_mb(line.hotline.pid(name))))
        with suppress(OSError):
            server = postgres_pids(line.postgres.port)
            found.memory["postgres"].append((at, own_mb(server)))
            found.with_buffers.append((at, shared_mb(server)))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _count(line: DeskLine, held: Sequence[_Talk], found: Soaked) -> None:
    """Compare what was said with what is stored, and with what reached the carrier."""
    until = time.monotonic() + SETTLES_WITHIN
    while time.monotonic() < until:
        if all(len(_numbers(line.carrier.bodies.get(one.sender, []))) >= len(one.said_out) for one in held):
            break
        await asyncio.sleep(0.5)
    for one in held:
        async with transaction() as session:
            wanted = select(Message).where(Message.thread_id == one.thread_id).order_by(Message.id)
            rows = list(await session.scalars(wanted))
        stored = _numbers([text.body for text in rows if text.direction == Direction.IN])
        queued = _numbers([text.body for text in rows if text.author == Author.OPERATOR])
        left = _numbers(line.carrier.bodies.get(one.sender, []))
        for sent, seen in ((one.said_in, stored), (one.said_out, queued), (one.said_out, left)):
            lost, reordered, doubled = judge_order(sent, seen)
            found.lost += lost
            found.reordered += reordered
            found.doubled += doubled


def _numbers(bodies: Sequence[str]) -> list[int]:
    return [int(said[1]) for body in bodies if (said := NUMBERED.search(body))]


def rows(found: Soaked) -> list[Row]:
    """The run as rows; its length is part of each name."""
    minutes = f"{found.took / 60:.0f} min"
    what = f"Soak, {TALKS} operator talks, {TEXTS_A_SECOND:.0f} texts/s, {minutes}"
    grown = [found.growth(name) for name in found.memory]
    limit = max(found.slack, FLAT * max((mb for one in found.memory.values() for _at, mb in one), default=0.0))
    return [
        row(AREA, f"{what}: texts lost", [found.lost], "texts", target=0),
        row(AREA, f"{what}: texts reordered or doubled", [found.reordered + found.doubled], "texts", target=0),
        row(AREA, f"{what}: growth of the process that grew most", [max(grown, default=0.0)], "MB", target=limit),
        row(AREA, f"{what}: texts", [found.sent_in + found.sent_out], "texts", better="higher"),
    ]


def tell(console: Console, found: Soaked) -> None:
    """The run in words."""
    console.print(
        f"soak: {found.sent_in} texts in, {found.sent_out} out in {found.took:.0f} s; "
        f"lost {found.lost}, reordered {found.reordered}, doubled {found.doubled}"
    )
    for name, samples in found.memory.items():
        first, last = samples[0][1], samples[-1][1]
        flat = "flat" if found.is_flat(name) else "GROWS"
        console.print(f"  {name}: {first:.0f} -> {last:.0f} MB, {found.growth(name):+.1f} MB once warm: {flat}")
    if found.with_buffers:
        first, last = found.with_buffers[0][1], found.with_buffers[-1][1]
        console.print(f"  postgres with its shared buffers, which fill to a fixed size: {first:.0f} -> {last:.0f} MB")


async def run(minutes: float) -> Soaked:
    """A line of its own."""
    async with desk_line(*DESKS) as line:
        return await soak(line, seconds=minutes * 60)


def main() -> None:
    """The command line."""
    from .operators_report import write_report
    from .results import add

    words = argparse.ArgumentParser(description="Soak the hotline.")
    words.add_argument("--minutes", type=float, default=20.0)
    words.add_argument("--keep", action="store_true", help="keep the rows in results.json")
    given, console = words.parse_args(), Console()
    found = asyncio.run(run(given.minutes))
    tell(console, found)
    place: Path = write_report(soaked=found, name="soak.html")
    console.print(f"report: {place}")
    if given.keep:
        add(rows(found))
    raise SystemExit(0 if found.holds else 1)


if __name__ == "__main__":
    main()
