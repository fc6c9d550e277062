"""A turn through our Rasa against Rasa's default recipe: same data, channel, tracker store and action, one thread each."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from rich.console import Console

from sms_gateway.migrations import upgrade
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.children import Inner, children
from sms_gateway.supervision.places import DataDir, free_ports
from sms_gateway.supervision.scratch import scratch_hotline, scratch_postgres
from texts.embedding import embed, pack_base64

from .load import Connection, post
from .memory import peak_mb
from .peer import peer_model
from .results import Row, percentile, row

AREA = "turns"
TEXTS = (
    "谢谢你们，今天真的帮了我家一个大忙了哦！",
    "非常感谢你们这么快就回我，辛苦你们了谢谢",
    "好的谢谢老师，麻烦你们了，真的太感谢了哈",
)
"""20 characters each; both sides answer with the cheapest action there is, a fixed word of thanks."""
WARM_TURNS = 30

_threads = count(1)


class AnswerIsNotThanks(Exception):
    """A side did not run the action that is timed."""


@dataclass(frozen=True)
class Side:
    """One Rasa process: where it listens and what it demands."""

    name: str
    port: int
    secret: str
    pid: int


@asynccontextmanager
async def both_sides(ours: Path, peer: Path) -> AsyncIterator[tuple[Side, Side]]:
    """Two Rasa processes with one action server and one tracker store on a scratch PostgreSQL."""
    with scratch_postgres() as server:
        url = server.create("bench")
        upgrade(url)
        async with scratch_hotline(server.folder / "data", "actions", "rasa", database_url=url, model=ours) as hotline:
            environment = hotline.supervisor.kept["rasa"].child.env
            (port,) = free_ports(1)
            actions_port = int(environment["HOTLINE_ACTIONS_URL"].rpartition(":")[2])
            inner = Inner(rasa_port=port, actions_port=actions_port, database_url=url, model=peer)
            child = replace(children(inner, environment)["rasa"], name="peer")
            await hotline.supervisor.start(child, within=240)
            secret = environment["HOTLINE_BOT_SECRET"]
            our_port = int(environment["HOTLINE_RASA_URL"].rpartition(":")[2])
            yield Side("ours", our_port, secret, hotline.pid("rasa")), Side("peer", port, secret, hotline.pid("peer"))


async def take_turns(side: Side, *, talks: int, turns: int) -> list[float]:
    """Milliseconds of each turn but the first of each talk (that one opens the session)."""
    connection, found = await Connection.open(side.port), []
    try:
        for _ in range(talks):
            thread = next(_threads)
            for index in range(turns + 1):
                request = _request(side, thread, TEXTS[index % len(TEXTS)])
                began = time.perf_counter()
                answer = await connection.ask(request)
                took = (time.perf_counter() - began) * 1000
                if [reply.get("custom", {}).get("key") for reply in json.loads(answer)] != ["thanks"]:
                    raise AnswerIsNotThanks(side.name)
                if index:
                    found.append(took)
    finally:
        connection.close()
    return found


def _request(side: Side, thread: int, text: str) -> bytes:
    now = time.time()
    metadata = {
        "contact": thread, "message": thread, "thread": thread, "turn": f"{thread:032x}", "deadline": now + 30, "channel": "sms",
        "region": None, "e5": _vectors[text], "lane": "blue", "sexual": False, "writer": "unknown", "now": now,
    }  # fmt: skip
    body = json.dumps({"sender": f"thread-{thread}", "message": text, "metadata": metadata}).encode()
    return post(
        "/webhooks/hotline/webhook", body, {"Content-Type": "application/json", "X-Hotline-Secret": side.secret}
    )


_vectors: dict[str, str] = {}


async def measure(console: Console, *, rounds: int = 5, talks: int = 6, turns: int = 6) -> list[Row]:
    """The ratio of both p50, each p50, and what each Rasa holds in memory."""
    data_dir = DataDir.at(get_settings().data_dir)
    console.print("turns: training what is not trained yet (the default recipe takes some minutes, once) …")
    models = trained_model(data_dir), peer_model(data_dir)
    _vectors.update({text: pack_base64(embed(text)) for text in TEXTS})
    ours: list[float] = []
    peers: list[float] = []
    async with both_sides(*models) as (our_side, peer_side):
        for side in (our_side, peer_side):
            await take_turns(side, talks=WARM_TURNS // 6, turns=6)
        cpu, began = time.process_time(), time.perf_counter()
        for _ in range(rounds):
            for side, found in ((peer_side, peers), (our_side, ours)):
                found.append(percentile(await take_turns(side, talks=talks, turns=turns), 0.5))
        own = (time.process_time() - cpu) / (time.perf_counter() - began)
        memory = [peak_mb(side.pid) for side in (our_side, peer_side)]
    console.print(f"turns: load generator used {own:.0%} of one core")
    ratios = [a / b for a, b in zip(ours, peers, strict=True)]
    return [
        row(AREA, "Turn through Rasa against Rasa's default recipe (DIET + TED), p50", ratios, "times", target=0.5),
        row(AREA, "Turn through our Rasa, p50", ours, "ms"),
        row(AREA, "Turn through Rasa's default recipe, p50", peers, "ms"),
        row(AREA, "Peak memory of our Rasa", memory[:1], "MB"),
        row(AREA, "Peak memory of Rasa with the default recipe", memory[1:], "MB"),
        row(AREA, "Load generator, share of one core", [own], "cores"),
    ]
