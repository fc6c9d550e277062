"""`hotline retention status|run`: what is kept how long, what is due, and doing it now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import typer
from sqlalchemy import text

from sms_gateway.database import dispose, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.retention import periods, running
from sms_gateway.retention.clock_doubts import Doubt
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt

app = typer.Typer(help="保存期限和清理", no_args_is_help=True, pretty_exceptions_enable=False)
Result = TypeVar("Result")
LOOK = "先看日期对不对，对的就加 --confirm 再敲一遍。"
WHY_NOT = {
    Doubt.CLOCKS: "这台机器的时钟和数据库的差一分钟以上，先把时钟对好。",
    Doubt.LONG_AGO: f"上一次清理是三天以前，{LOOK}",
    Doubt.IN_FUTURE: f"上一次清理的日期在今天以后，{LOOK}",
}


@app.command(help="各类的保存期限和依据，最近几次清理")
def status() -> None:
    _adopt()
    for one in _periods().values():
        typer.echo(f"{one.kind:<11}{one.keep!s:<8} 从{one.since}起  {one.name}\n{'':<20} 依据：{one.source}")
    runs = asyncio.run(_and_close(_runs()))
    typer.echo("\n最近的清理：" if runs else "\n还没有清理过。")
    for line in runs:
        typer.echo(f"  {line}")


@app.command(help="接着做今天的清理；--dry-run 只数，什么都不动")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只数，不清")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="日期我看过了，是对的（停过几天没清理时要写）")] = False,
) -> None:
    _adopt()
    _periods()
    if dry_run:
        typer.echo(f"现在会清理：{running.said_of(asyncio.run(_and_close(_look())))}")
        return
    if (why := asyncio.run(_and_close(_doubt(confirmed=confirm)))) is not None:
        raise SystemExit(f"没有清理。{WHY_NOT[why]}这台机器说今天是 {running.day_of_run()}。")
    running.forget_files()
    typer.echo(f"清理了：{running.said_of(asyncio.run(_and_close(running.run())))}")


def _adopt() -> None:
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()


def _periods() -> periods.Periods:
    try:
        return periods.load()
    except HotlineError as error:
        raise SystemExit(error.sentence) from None


async def _and_close(work: Awaitable[Result]) -> Result:
    try:
        return await work
    finally:
        await dispose()


async def _runs() -> list[str]:
    async with transaction() as session:
        return [
            f"{one.day}  {'没做完' if one.ended_at is None else '时间到了' if one.cut else '做完'}  {running.said_of(one.counts)}"
            for one in await running.list_runs(session)
        ]


async def _doubt(*, confirmed: bool) -> Doubt | None:
    async with transaction() as session:
        return await running.doubt(session, confirmed=confirmed)


async def _look() -> dict[str, int]:
    async with transaction() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return await running.look(session)
