"""`hotline drill`: made-up emergencies through the running hotline, and how long each waited for a person."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sms_gateway import beats
from sms_gateway.console.words import HARMS
from sms_gateway.conversations import drilling
from sms_gateway.conversations.drill_cases import Case, Score, choose, everybody_was_reached, share
from sms_gateway.database import database_url, dispose, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt

from . import terminal

NOT_RUNNING = "热线没有在运行（或数据库连不上），演练要走真的流程：请先在另一个窗口 make run。"
BETWEEN_TEXTS = 1.5
"""Seconds between the texts of one case."""
LOOK_EVERY = 1.0
AFTER_THE_LAST_STEP = 30.0
"""Seconds more than the ladder takes, for whoever answers the last case."""
BY_ITSELF_AFTER = timedelta(minutes=5)
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)


def drill(
    count: Annotated[int, typer.Option(help="放入几条紧急来信（1 到 200）", min=1, max=200)] = 20,
    minutes: Annotated[float, typer.Option(help="在几分钟里陆续放入", min=0, max=240)] = 2.0,
    end: Annotated[bool, typer.Option("--end", help="收掉还没结束的演练")] = False,
) -> None:
    """在运行着的热线上演练：页面上都标着“演练”，不发短信，不找真的 110，不进工单和报表。"""
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    console = Console()
    try:
        asyncio.run(_end_running(console) if end else _drill(console, count, minutes))
    except HotlineError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(1) from None


async def is_running() -> bool:
    """Whether a worker judges texts just now."""
    try:
        database_url()
        async with transaction() as session:
            return {"danger", "replies"} <= await beats.list_alive(session)
    except (*AWAY, SystemExit, HotlineError):
        return False


async def _refuse_unless_running() -> None:
    if not await is_running():
        typer.echo(NOT_RUNNING, err=True)
        raise typer.Exit(1)


async def _end_running(console: Console) -> None:
    try:
        await _refuse_unless_running()
        async with transaction() as session:
            run = await drilling.find_running(session)
            scores = await drilling.end(session, run.id) if run is not None else None
        if scores is None:
            console.print("没有在进行的演练。")
        else:
            show(console, scores)
    finally:
        await dispose()


async def _drill(console: Console, count: int, minutes: float) -> None:
    try:
        await _refuse_unless_running()
        wait = get_settings().bridge_after_seconds + AFTER_THE_LAST_STEP
        over = timedelta(minutes=minutes)
        async with transaction() as session:
            run = await drilling.begin(
                session, planned=count, at_most=over + timedelta(seconds=wait) + BY_ITSELF_AFTER
            )  # fmt: skip
            run_id = run.id
            await terminal.note(session, "run_drill", f"drill:{run_id}")
        console.print(
            f"演练 {run_id} 开始：{count} 条，{minutes:g} 分钟内放完，最多再等 {wait:.0f} 秒。Ctrl-C 提前结束。"
        )
        try:
            await _send_all(run_id, choose(count, seed=secrets.randbits(32)), over)
            await _wait(run_id, wait)
        finally:
            scores = await _end(run_id)
        show(console, scores)
    finally:
        await dispose()


async def _end(run_id: int) -> list[Score]:
    """Also on Ctrl-C; where the database is away the run's own timer ends it."""
    async with transaction() as session:
        return await drilling.end(session, run_id)


async def _send_all(run_id: int, cases: Sequence[Case], over: timedelta) -> None:
    pause = over.total_seconds() / max(1, len(cases))
    async with asyncio.TaskGroup() as group:
        for number, case in enumerate(cases):
            group.create_task(_send(run_id, number, case, after=number * pause))


async def _send(run_id: int, number: int, case: Case, *, after: float) -> None:
    await asyncio.sleep(after)
    for index, text in enumerate(case.texts):
        if index:
            await asyncio.sleep(BETWEEN_TEXTS)
        async with transaction() as session:
            await drilling.send(session, run_id, number, text, harm=case.harm)


async def _wait(run_id: int, longest: float) -> None:
    """Until a person has spoken in every case, or `longest` seconds."""
    clock = asyncio.get_running_loop()
    until = clock.time() + longest
    while clock.time() < until:
        await asyncio.sleep(LOOK_EVERY)
        try:
            async with transaction() as session:
                cases = await drilling.read(session, run_id)
        except AWAY:
            continue
        if all(case.first_word_at is not None for case in cases):
            return


def show(console: Console, scores: Sequence[Score]) -> None:
    """The drill as a table: a line for each case, then the middle and the 95th of each time."""
    table = Table(
        "演练", "响铃", "接手", "首句人话", "交出", "谁接到", title="用时（秒，从来信算起）", title_justify="left"
    )
    for number, one in enumerate(scores, start=1):
        who = {"human": "人", "bridge": "桥接", "nobody": "没有人"}[one.ended]
        table.add_row(f"{number} {HARMS.get(one.harm, one.harm)}", *map(_shown, _times(one)), who)
    for name, part in (("一半在", 0.5), ("95% 在", 0.95)):
        columns = zip(*map(_times, scores), strict=True)
        table.add_row(name, *(_shown(share(column, part)) for column in columns), "", style="bold")
    console.print(table)
    lost = sum(one.ended == "nobody" for one in scores)
    console.print("每一条都有人或桥接接到。" if everybody_was_reached(scores) else f"有 {lost} 条没有任何人接到。")


def _times(score: Score) -> tuple[float | None, ...]:
    return score.ring, score.acknowledge, score.first_word, score.hand_over


def _shown(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"
