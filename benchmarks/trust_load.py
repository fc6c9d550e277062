"""How much the hotline holds: texts a second and open web chats at a p95 under a second, and what happens beyond.

Load comes from locust over loopback (`trust_locust`). What is timed is what a person feels: for a text from our door to its first
reply at the carrier, for a chat from writing to the first word on the page. Beyond the knee danger keeps its pace while questions
to the handbook hear "稍后回复" and are answered afterwards.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.messages.models import Direction, Message
from sms_gateway.settings import ROOT, get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import PYTHON, DataDir

from .broadcasts_line import OutreachLine, environment_of, outreach_line
from .charts import Chart, lines_svg, write_page
from .results import Row, percentile, row
from .trust_judging import under_way

AREA = "trust"
WHOLE = ("rasa", "actions", "danger", "turns", "turns_2", "replies", "bulk", "gateway")
LIMIT_MS = 1000.0
"""A second: what a page or a phone still feels as at once."""
RATES = (2, 4, 6, 8, 10, 13, 17, 22)
CHATS = (10, 20, 40, 80, 120, 160, 240)
STEP_SECONDS, CHAT_SECONDS = 10.0, 30.0
DANGER_EVERY = 10
OVERLOAD_MS = 3000.0
"""Of danger beyond the knee: it is judged first, but the cores are shared with all the rest."""
BEYOND = 3.0
"""Times the knee, for the overload."""

_steps = count(1)


@dataclass
class Step:
    """One rate or number of chats. Milliseconds; `danger`: of the danger texts among them."""

    load: float
    p50: float
    p95: float
    danger: float
    door: float
    failed: int
    own_cpu: float


@dataclass
class Overload:
    """What came of more than can be answered. Seconds; `put_off`: questions that heard "稍后回复"."""

    texts: int
    rate: float
    danger: list[float]
    put_off: int
    answered_later: int
    unanswered: int
    all_done: float | None
    first_words: list[float] = field(default_factory=list)
    """Of ordinary texts, to whatever came back first."""


async def send(line: OutreachLine, kind: str, users: int, seconds: float, *, danger_every: int = 0) -> dict[str, float]:
    """One step by locust; its figures."""
    number = next(_steps)
    plan: dict[str, Any] = {
        "port": line.gateway_port, "kind": kind, "users": users, "seconds": seconds, "danger_every": danger_every,
        "mark": f"LOAD{number:03d}", "first": number * 100_000,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "plan.json", Path(folder) / "figures.json"
        asked.write_text(json.dumps(plan))
        words = [str(PYTHON), "-m", "benchmarks.trust_locust", str(asked), str(told)]
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, env=environment_of(line.hotline), stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(seconds + 60):
            await process.wait()
        found: dict[str, float] = json.loads(told.read_text())
    return found


async def settle(within: float) -> float | None:
    """Seconds until nothing is left to do; None: not in time."""
    began = time.monotonic()
    await asyncio.sleep(1.0)  # the last texts are at the door still
    while time.monotonic() - began < within:
        with suppress(Exception):
            if not await under_way():
                return time.monotonic() - began
        await asyncio.sleep(0.3)
    return None


async def first_words(since: datetime, *, red: bool) -> list[float]:
    """Seconds from our door to the first reply at the carrier, of texts that came since; infinite where none has left."""
    reply = aliased(Message)
    wanted = select(Message.at, func.min(reply.sent_at)).outerjoin(
        reply, (reply.reply_to == Message.id) & (reply.direction == Direction.OUT)
    )
    wanted = wanted.where(Message.direction == Direction.IN, Message.at >= since)
    wanted = wanted.where(Message.lane == "red" if red else Message.lane.is_distinct_from("red")).group_by(Message.id)
    async with transaction() as session:
        found = (await session.execute(wanted)).all()
    return [float("inf") if sent is None else (sent - at).total_seconds() for at, sent in found]


async def find_knee(
    line: OutreachLine, console: Console, rates: Sequence[int] = RATES, *, seconds: float = STEP_SECONDS
) -> list[Step]:
    """Texts a second, step by step, until the p95 of a step is beyond the limit."""
    steps: list[Step] = []
    for rate in rates:
        since = clock.now()
        told = await send(line, "texts", rate, seconds, danger_every=DANGER_EVERY)
        await settle(30.0)
        calm, danger = await first_words(since, red=False), await first_words(since, red=True)
        p50, p95 = (percentile(calm, share) * 1000 for share in (0.5, 0.95))
        steps.append(Step(rate, p50, p95, _p95_ms(danger), told["door_p95"], int(told["failed"]), told["own_cpu"]))
        console.print(
            f"  {rate} texts/s: reply p50 {p50:.0f} ms, p95 {p95:.0f} ms, danger p95 {steps[-1].danger:.0f} ms, locust {told['own_cpu']:.0%} of a core"
        )
        if p95 > LIMIT_MS:
            break
    return steps


async def find_chats(
    line: OutreachLine, console: Console, numbers: Sequence[int] = CHATS, *, seconds: float = CHAT_SECONDS
) -> list[Step]:
    """Open chats, step by step, until the p95 of a step is beyond the limit."""
    steps: list[Step] = []
    for users in numbers:
        told = await send(line, "chats", users, seconds)
        await settle(20.0)
        steps.append(Step(users, told["p50"], told["p95"], 0.0, told["door_p95"], int(told["failed"]), told["own_cpu"]))
        console.print(
            f"  {users} chats: answer p50 {told['p50']:.0f} ms, p95 {told['p95']:.0f} ms, {told['answers']:.0f} answers to {told['requests']:.0f} texts"
        )
        if told["p95"] > LIMIT_MS or told["answers"] < 0.9 * told["requests"]:
            break
    return steps


def knee(steps: Sequence[Step]) -> float:
    """The most that is held with a p95 within the limit; 0 where even the least is not. Pure."""
    held = 0.0
    for one in steps:
        if one.p95 > LIMIT_MS or one.failed:
            break
        held = one.load
    return held


async def overload(line: OutreachLine, *, rate: int, seconds: float, within: float) -> Overload:
    """More texts than can be answered for so long; then wait until every question has its answer."""
    since = clock.now()
    await send(line, "texts", rate, seconds, danger_every=DANGER_EVERY)
    done = await settle(within)
    danger, calm = await first_words(since, red=True), await first_words(since, red=False)
    put_off = select(Message.reply_to).where(Message.text_key == "busy.later", Message.at >= since)
    async with transaction() as session:
        ids = set(await session.scalars(put_off))
        answered = select(Message.reply_to).where(Message.reply_to.in_(ids), Message.reply_slot >= 0).distinct()
        got = len((await session.scalars(answered)).all())
        texts = await session.scalar(
            select(func.count()).where(Message.direction == Direction.IN, Message.at >= since).select_from(Message)
        )
    return Overload(texts or 0, rate, danger, len(ids), got, sum(one == float("inf") for one in danger), done, calm)


def _p95_ms(seconds: Sequence[float]) -> float:
    return min(percentile(seconds, 0.95), 60.0) * 1000 if seconds else 0.0


async def measure(console: Console) -> list[Row]:
    """About seven minutes: the knee of texts, of chats, and what lies beyond."""
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    async with outreach_line(*WHOLE, model=model) as line:
        try:
            await send(line, "texts", 4, 6.0, danger_every=DANGER_EVERY)  # warm
            await settle(20.0)
            texts = await find_knee(line, console)
            chats = await find_chats(line, console)
            rate = max(4, round(BEYOND * max(knee(texts), RATES[0])))
            beyond = await overload(line, rate=rate, seconds=25.0, within=150.0)
        finally:
            await line.hotline.supervisor.stop()  # before its database
    found = rows_of(texts, chats, beyond)
    console.print(
        f"trust: report: {write_page('What the hotline holds', _charts(texts, chats, beyond), found, name='trust-load.html')}"
    )
    return found


def rows_of(texts: Sequence[Step], chats: Sequence[Step], beyond: Overload) -> list[Row]:
    """The measures as rows."""
    over = f"Overload, {beyond.rate:.0f} texts/s"
    return [
        row(AREA, "Texts a second held, first reply p95 under 1 s", [knee(texts)], "1/s", better="higher"),
        row(AREA, "Open web chats held, a text each 20 s, answer p95 under 1 s", [knee(chats)], "chats", better="higher"),
        row(AREA, "Danger text to safe reply in the step after the knee: p95", [texts[-1].danger], "ms", target=LIMIT_MS),
        row(AREA, f"{over}: danger text to safe reply, p95", [_p95_ms(beyond.danger)], "ms", target=OVERLOAD_MS),
        row(AREA, f"{over}: danger texts without a reply", [beyond.unanswered], "texts", target=0),
        row(AREA, f"{over}: questions that heard 稍后回复", [beyond.put_off], "texts"),
        row(AREA, f"{over}: of these without an answer afterwards", [beyond.put_off - beyond.answered_later], "texts", target=0),
        row(AREA, f"{over}: seconds until everything was answered", [beyond.all_done or 150.0], "s"),
        row(AREA, "Load generator (locust), share of one core at most", [max(one.own_cpu for one in [*texts, *chats])], "cores"),
    ]  # fmt: skip


def _charts(texts: Sequence[Step], chats: Sequence[Step], beyond: Overload) -> list[Chart]:
    def drawn(steps: Sequence[Step], what: str) -> list[tuple[float, float]]:
        return [(one.load, min(getattr(one, what), 10 * LIMIT_MS)) for one in steps]

    by_rate = {
        "p50": drawn(texts, "p50"),
        "p95": drawn(texts, "p95"),
        "danger p95": drawn(texts, "danger"),
        "door p95": drawn(texts, "door"),
    }
    by_chats = {"p50": drawn(chats, "p50"), "p95": drawn(chats, "p95"), "door p95": drawn(chats, "door")}
    words = f"Beyond, at {beyond.rate:.0f} texts/s: danger p95 {_p95_ms(beyond.danger):.0f} ms, {beyond.put_off} questions put off."
    return [
        Chart("First reply to a text, by texts a second", lines_svg(by_rate, "texts/s", "ms"), f"Knee: {knee(texts):.0f} texts/s. {words}"),
        Chart("Answer on the page, by open chats", lines_svg(by_chats, "chats", "ms"), f"Knee: {knee(chats):.0f} chats."),
    ]  # fmt: skip
