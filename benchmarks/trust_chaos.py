"""Fault runs: ten texts a second while everything is killed, stopped, filled up and made to lie; nothing may be lost or said twice.

`python -m benchmarks.trust_chaos [--minutes 3]` is a part of `make chaos`; `--short` is in `make test`. Ends with a table, and with 1
when something was lost, doubled, out of order, or a danger text stayed without its answer or its call.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything that embeds

import argparse
import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir

from .broadcasts_line import OutreachLine, outreach_line
from .results import FAULTS, Row, row
from .server import Server
from .trust_faults import DANGER, QUESTION, Recovery, Trouble, slowest, suffer
from .trust_judging import Verdict, judge, under_way
from .trust_streets import Sent, Streets, new_number

AREA = "trust"
WHOLE = ("rasa", "actions", "danger", "turns", "turns_2", "replies", "bulk", "outreach", "gateway", "console")
TEXTS_A_SECOND, IN_TESTS = 10.0, 5.0
"""Of the run that is measured, and of the short one, which shares its machine."""
BROUGHT_TWICE = 0.1
PAUSE_AFTER = 3.0
"""Seconds a person takes to read before the next text."""
SETTLES_WITHIN = 240.0
RINGS_WITHIN = 5.0
"""Of the database's return (PRACTICE, drill 11)."""
SETTINGS = {
    "HOTLINE_SPOOL_MB": "4",
    "HOTLINE_SPOOL_RESERVED_MB": "2",
    "HOTLINE_JOINING_SECONDS": "1",
}
COMPLAINT = ("我要投诉 学校天天占体育课", "镇雄的", "1", "希望还给孩子体育课", "2", "1")
CALL = ("转人工", "在吗")
SMALL_TALK = ("你好", "事实无人抚养儿童怎么申请补贴", "谢谢你们")


@dataclass
class Ran:
    """What a run came to."""

    verdict: Verdict
    recoveries: Sequence[Recovery]
    took: float
    settled_after: float | None
    """Seconds from the last text until nothing was left to do; None: something was left."""

    @property
    def holds(self) -> bool:
        return self.verdict.holds and self.settled_after is not None


def script(chance: random.Random) -> tuple[str, ...]:
    """What one person writes, text by text."""
    dice = chance.random()
    if dice < 0.05:
        return (chance.choice(DANGER),)
    if dice < 0.2:
        return CALL
    if dice < 0.4:
        return COMPLAINT
    return SMALL_TALK if dice < 0.7 else (QUESTION,)


@dataclass
class Phone:
    """Somebody with a phone: one text after the other, the next only once the last was taken."""

    number: str
    lines: tuple[str, ...]
    said: int = 0
    free_at: float = 0.0
    sending: asyncio.Task[object] | None = field(default=None, repr=False)

    def is_free(self, now: float) -> bool:
        return self.said < len(self.lines) and now >= self.free_at and (self.sending is None or self.sending.done())

    def next_text(self) -> Sent:
        body = self.lines[self.said]
        self.said += 1
        return Sent(self.number, body, red=body in DANGER)


async def traffic(streets: Streets, chance: random.Random, stop: asyncio.Event, rate: float) -> None:
    """Texts by the clock until `stop`, whatever the hotline does; then what is under way is brought to its end."""
    phones: list[Phone] = []
    due = time.monotonic()
    while not stop.is_set():
        now = time.monotonic()
        ready: Iterator[Phone] = (phone for phone in phones if phone.is_free(now))
        phone = next(ready, None)
        if phone is None:
            phones.append(phone := Phone(new_number(), script(chance)))
        phone.sending = asyncio.create_task(streets.send(phone.next_text(), twice=chance.random() < BROUGHT_TWICE))
        phone.free_at = now + PAUSE_AFTER
        phones = [one for one in phones if one.said < len(one.lines) or (one.sending and not one.sending.done())]
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*(one.sending for one in phones if one.sending is not None), return_exceptions=True)


async def run(line: OutreachLine, server: Server, streets: Streets, *, seconds: float, short: bool, seed: int) -> Ran:
    """Suffer every fault under traffic, for `seconds` at least; then settle and judge."""
    chance = random.Random(seed)
    trouble = Trouble(line, server)
    await _warm(streets)
    stop, began = asyncio.Event(), time.time()
    writing = asyncio.create_task(traffic(streets, chance, stop, IN_TESTS if short else TEXTS_A_SECOND))
    try:
        faults = trouble.all(short=short, chance=chance)
        pause = 1.0 if short else max(1.0, (seconds - sum(one.seconds for one in faults)) / len(faults) - 2)
        suffered = [await suffer(fault, streets, pause=pause) for fault in faults]
        while time.time() - began < seconds:
            await asyncio.sleep(0.2)
    finally:
        stop.set()
        server.thaw()
    await writing
    await asyncio.gather(*(filling for _one, filling in suffered))
    recoveries = [one for one, _filling in suffered]
    took = time.time() - began
    settled = await _settle(time.time())
    verdict = await judge(streets.sent, streets.came_back(), streets.taken_twice())
    return Ran(verdict, recoveries, took, settled)


async def _warm(streets: Streets) -> None:
    for body in (QUESTION, *SMALL_TALK):
        await streets.send(Sent(new_number(), body))
    await _settle(time.time(), within=30.0)


async def _settle(began: float, *, within: float = SETTLES_WITHIN) -> float | None:
    """Seconds until nothing was left to do for two seconds together."""
    idle_since: float | None = None
    while time.time() - began < within:
        with suppress(Exception):
            if await under_way():
                idle_since = None
            elif idle_since is None:
                idle_since = time.time()
            elif time.time() - idle_since > 2:
                return idle_since - began
        await asyncio.sleep(0.3)
    return None


def tell(console: Console, ran: Ran) -> None:
    """The run as two tables."""
    faults = Table("fault", "danger answered after", "rang after it ended", "a question answered after it ended")
    for one in ran.recoveries:
        faults.add_row(one.name, _shown(one.answered), _shown(one.rang), _shown(one.talks))
    console.print(faults)
    found = ran.verdict
    sums = Table("what", "found", "allowed")
    for what, value, allowed in (
        ("texts sent", found.sent, ""), ("of them danger", found.red, ""), ("acknowledged", found.acknowledged, ""),
        ("never taken", len(found.never_taken), "0"), ("acknowledged and lost", len(found.lost), "0"),
        ("stored twice", len(found.stored_twice), "0"), ("out of a phone's order", found.reordered, "0"),
        ("stored and dealt with by nobody", len(found.unread), "0"), ("tickets", found.tickets, ""), ("tickets twice", found.tickets_twice, "0"),
        ("texts out", found.said, ""), ("said twice", found.said_twice, f"unknown: {found.unknown}"),
        ("danger without a reply", len(found.danger_unanswered), "0"), ("danger without a call", len(found.danger_without_call), "0"),
        ("seconds until all was done", _shown(ran.settled_after), f"{SETTLES_WITHIN:.0f}"),
    ):  # fmt: skip
        sums.add_row(what, str(value), allowed)
    console.print(sums)
    for name in ("never_taken", "lost", "stored_twice", "unread", "danger_unanswered", "danger_without_call"):
        if ids := getattr(found, name):
            console.print(f"{name}: {', '.join(ids[:20])}")


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def rows(ran: Ran) -> list[Row]:
    """The run as rows."""
    what = FAULTS
    found, away = ran.verdict, [one for one in ran.recoveries if one.database]
    lost = len(found.lost) + len(found.never_taken)
    danger = len(found.danger_unanswered) + len(found.danger_without_call)
    return [
        row(AREA, f"{what}: texts lost", [lost], "texts", target=0),
        row(AREA, f"{what}: texts stored twice or out of order", [len(found.stored_twice) + found.reordered], "texts", target=0),
        row(AREA, f"{what}: tickets opened twice", [found.tickets_twice], "tickets", target=0),
        row(AREA, f"{what}: replies said twice", [found.said_twice], "texts", target=found.unknown),
        row(AREA, f"{what}: danger without its reply or its call", [danger], "texts", target=0),
        row(AREA, f"{what}: slowest ring after the database's return", [slowest(away, "rang")], "s", target=RINGS_WITHIN),
        row(AREA, f"{what}: slowest safe reply", [slowest(ran.recoveries, "answered")], "s"),
        row(AREA, f"{what}: slowest return of ordinary answers", [slowest(ran.recoveries, "talks")], "s"),
        row(AREA, f"{what}: faults", [len(ran.recoveries)], "faults", better="higher"),
        row(AREA, f"{what}: texts", [found.sent], "texts", better="higher"),
    ]  # fmt: skip


async def whole(*, minutes: float, short: bool, seed: int) -> Ran:
    """A line of its own."""
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    async with outreach_line(*WHOLE, model=model, settings=SETTINGS, durable=True) as line:
        server = Server(line.postgres)
        memory: Path = line.postgres.folder / "carrier" / "simulator.sqlite3"
        streets = Streets(line.gateway_port, memory=memory)
        try:
            return await run(line, server, streets, seconds=minutes * 60, short=short, seed=seed)
        finally:
            await streets.aclose()
            if (place := os.environ.get("KEEP_LOGS")) is not None:
                _keep_logs(line, Path(place))
            await line.hotline.supervisor.stop()  # before its database
            server.close()


def _keep_logs(line: OutreachLine, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for log in line.hotline.data_dir.logs.glob("*.log"):
        (place / log.name).write_bytes(log.read_bytes())


def main() -> None:
    """The command line."""
    from .results import add

    words = argparse.ArgumentParser(description="Let everything go wrong and see that nothing is lost.")
    words.add_argument("--minutes", type=float, default=3.0)
    words.add_argument("--short", action="store_true", help="each kind of fault once")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep", action="store_true", help="keep the rows in results.json")
    given, console = words.parse_args(), Console()
    ran = asyncio.run(whole(minutes=0.6 if given.short else given.minutes, short=given.short, seed=given.seed))
    tell(console, ran)
    if given.keep:
        add(rows(ran))
    raise SystemExit(0 if ran.holds else 1)


if __name__ == "__main__":
    main()
