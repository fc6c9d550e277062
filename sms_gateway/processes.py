"""What each process of the hotline runs: gateway, console, workers, actions, migrations, demo data."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import typer

from . import logs


def gateway() -> None:
    """Carriers, public web chat, API."""
    from .settings import get_settings

    _serve("gateway", get_settings().port)


def console() -> None:
    """The operators' pages."""
    from .settings import get_settings

    _serve("console", get_settings().console_port)


def simulator(port: Annotated[int, typer.Option(help="只听 127.0.0.1")] = 8090) -> None:
    """The make-believe carrier by itself, which remembers what it took; development only."""
    _serve("simulator", port)


def cmpp_gateway(
    port: Annotated[int, typer.Option(help="CMPP，只听 127.0.0.1")] = 7890,
    control: Annotated[int, typer.Option(help="出什么错、记得什么：只听 127.0.0.1")] = 8091,
    line: Annotated[str, typer.Option(help="照哪条通道的账号：cmpp 或 cmpp2")] = "cmpp",
) -> None:
    """A make-believe CMPP gateway, which remembers what it took; development only."""
    _serve("cmpp_gateway", control, line, port)


def line(name: Annotated[str, typer.Argument(help="cmpp 或 cmpp2")] = "cmpp") -> None:
    """A line to a mainland carrier: holds the connections to its gateway, takes texts from the other processes."""
    from .settings import get_settings

    lines = get_settings().domestic
    if name not in lines:
        raise SystemExit(f"HOTLINE_CARRIER 里没有 {name}。")
    _serve("line", lines[name].door_port, name)


def _serve(name: str, port: int, *of: str | int) -> None:
    import uvicorn

    from . import app  # loaded here so that it is kept out of the collector's way
    from .settings import get_settings

    logs.configure(str(of[0]) if of else name)
    gc.collect()
    gc.freeze()  # what was loaded stays: going through it again and again is a quarter of a busy gateway's time (measured)
    uvicorn.run(
        partial(getattr(app, f"make_{name}"), *of), factory=True, host="127.0.0.1", port=port, access_log=False, log_config=None,
        server_header=False, proxy_headers=True, forwarded_allow_ips=get_settings().trusted_proxies, timeout_graceful_shutdown=3,
    )  # fmt: skip


OUTREACH = "outreach"
"""A worker that takes no jobs: it sends what the ledgers of running broadcasts hold."""


def worker(
    queue: Annotated[
        str, typer.Argument(help="danger、turns、replies、bulk，或 outreach（群发）；同一队列的第二个写 turns-2")
    ],
) -> None:
    """Take the jobs of one queue, or send outreach, until told to stop."""
    import uvloop

    from . import jobs

    queue = queue.partition("-")[0]  # service managers name each of several: turns-1, turns-2
    if queue not in (*jobs.QUEUES, OUTREACH):
        raise SystemExit(f"没有叫 {queue} 的队列，只有 {'、'.join((*jobs.QUEUES, OUTREACH))}。")
    logs.configure(f"worker-{queue}")
    _load_what_is_slow(queue)
    uvloop.run(_send_outreach() if queue == OUTREACH else _work(queue))


async def _send_outreach() -> None:
    import signal

    from .broadcasts import sending
    from .jobs import each_second

    sender, loop = sending.Sender(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sender.stop.set)
    gc.freeze()  # what was loaded is not gone through again and again while rows come and go
    beside = [asyncio.create_task(each_second(chore, name)) for name, chore in chores(OUTREACH)]
    try:
        await sender.run()
    finally:
        for chore in beside:
            chore.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await sending.close()


async def _work(queue: str) -> None:
    from . import jobs
    from .messages import tasks as messages

    if queue == "replies":
        messages.make_carriers()
    try:
        await jobs.work(queue, chores=chores(queue))
    finally:
        if queue == "bulk":
            from .events import tasks as events

            await events.close()


JUDGING = ("danger", "turns")
"""Queues whose workers judge texts."""


def _load_what_is_slow(queue: str) -> None:
    """Encoder, lexicon, weights, regions and wording now: the first danger text after a start must not wait for them."""
    if queue not in JUDGING:
        return
    from texts.embedding import embed

    from . import regions, triage
    from .wording import say

    judge = triage.load()
    if judge.by_words_alone:
        logs.get("triage").error("triage_judges_by_words_alone", queue=queue)
    judge.judge("你好", vector=embed("你好"))
    regions.recognise("镇雄")
    say("red.other")


def chores(queue: str) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
    """What a worker of `queue` does every second beside its jobs; any number of processes may do the same."""
    from . import beats, timers
    from .conversations.forgotten import sweep as find_forgotten
    from .messages import tasks as messages
    from .tickets import anchors, clocks

    mine: list[tuple[str, Callable[[], Awaitable[object]]]] = [("beat", partial(beats.beat, queue))]
    if queue in (OUTREACH, "replies"):  # one of them governs at a time
        from .broadcasts.completing import complete_ended
        from .broadcasts.governing import govern

        mine += [("govern", govern), ("complete_ended", complete_ended)]
    if queue == OUTREACH:
        return mine
    if queue in ("danger", "replies"):  # two of them, neither ever stuck: a timer never waits for one dead process
        mine.append(("timers", timers.sweep))
    if queue in ("replies", "bulk"):  # two of them, as the timers
        mine.append(("clocks", clocks.sweep))
    if queue == "replies":
        mine.append(("outbox", messages.sweep))
    if queue == "danger":
        from .conversations import giving_back, hurrying
        from .escalations import unrung

        mine += [("forgotten", find_forgotten), ("given_back", giving_back.sweep), ("unrung", unrung.sweep)]
        mine.append(("hurried", hurrying.sweep))
    if queue == "bulk":
        from .bridge.tasks import sweep_posts
        from .broadcasts import receipt_batches
        from .broadcasts import tasks as outreach
        from .events import tasks as events
        from .operators import audit_anchors

        mine += [("events", events.sweep), ("anchors", anchors.sweep), ("audit_anchors", audit_anchors.sweep)]
        mine.append(("duty_posts", sweep_posts))
        from .conversations import desk_matters, openings, reviewing
        from .tickets import dashboards, groups, police

        mine += [("figures", dashboards.sweep), ("groups", groups.sweep), ("reviews", reviewing.sweep)]
        mine += [
            ("desk_matters", desk_matters.sweep),
            ("old_openings", openings.sweep),
            ("early_receipts", receipt_batches.sweep),
            ("police_files", police.forget_files),
        ]
        mine.append(("abandoned_uploads", outreach.forget_uploads))
        from .operators import tasks as operators

        mine.append(("old_sign_ins", operators.sweep))
        from .retention import running

        mine.append(("retention", running.sweep))
    return mine


def actions() -> None:
    """The assistant's action server."""
    import runpy

    runpy.run_module("actions", run_name="__main__", alter_sys=True)


def migrate() -> None:
    """Bring the tables up to date."""
    from .database import database_url
    from .migrations import upgrade

    upgrade(database_url())


def demo() -> None:
    """Fill an empty development database with what a first look needs; again, it changes nothing."""
    from .bridge.demo import fill as fill_duty_book
    from .operators.demo import fill

    asyncio.run(fill())
    asyncio.run(fill_duty_book())
