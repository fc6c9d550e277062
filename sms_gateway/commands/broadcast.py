"""`hotline broadcast …`: outreach at the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.broadcasts import apart, importing, rolls
from sms_gateway.broadcasts.numbers import WHY
from sms_gateway.broadcasts.roll_models import Roll
from sms_gateway.broadcasts.sources import OnDisk
from sms_gateway.clock import shanghai
from sms_gateway.console.outreach_words import ROLL_STATES
from sms_gateway.database import dispose, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt

from . import broadcast_acts, terminal
from .operator import in_transaction

app = typer.Typer(help="群发：名册、发送、进度", no_args_is_help=True, pretty_exceptions_enable=False)
for _act in (
    broadcast_acts.run,
    broadcast_acts.status,
    broadcast_acts.pause,
    broadcast_acts.resume,
    broadcast_acts.cancel,
):
    app.command()(_act)


@app.command("import", help="导入一份名册：CSV、.xlsx 或 Parquet，表头里要有“手机号”")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="名单文件")],
    title: Annotated[str, typer.Option(help="名册叫什么，如 镇雄县家长 2026 秋")],
) -> None:
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    console = Console()
    try:
        roll = asyncio.run(_import(file, title, console))
    except HotlineError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("停了，这份名册没有导入。", err=True)
        raise typer.Exit(130) from None
    if roll.state != rolls.RollState.READY:
        typer.echo(roll.error, err=True)
    console.print(_summary(roll), highlight=False)
    if roll.state != rolls.RollState.READY:
        raise typer.Exit(1)


async def _import(file: Path, title: str, console: Console) -> Roll:
    roll_id = None
    try:
        async with transaction() as session:
            roll_id = (await rolls.create(session, title=title, created_by=None, file_size=file.stat().st_size)).id
            await terminal.note(session, "bring_roll", f"roll:{roll_id}")
        await _with_bar(roll_id, file, console)
        async with transaction() as session:
            return await rolls.get(session, roll_id)
    except (asyncio.CancelledError, HotlineError):
        if roll_id is not None:
            await importing.give_up(roll_id)  # the file was never kept: nobody else can go on with it
        raise
    finally:
        await dispose()


async def _with_bar(roll_id: int, file: Path, console: Console) -> None:
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[lines]:,} 行，每秒 {task.fields[rate]:,.0f}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("导入", total=1.0, lines=0, rate=0.0)

        def show(progress: apart.Progress) -> None:
            lines, seconds = progress.counts.lines, bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=progress.done, lines=lines, rate=lines / seconds if seconds else 0.0)

        await importing.run(roll_id, OnDisk(str(file.resolve())), each=show)


def _summary(roll: Roll) -> str:
    refused = sum(roll.refused.values())
    head = f"名册 {roll.id}：一共 {roll.lines:,} 行，收下 {roll.taken:,} 个号码，没收 {refused:,} 行。"
    why = [f"  {WHY.get(reason, reason)}：{times:,}" for reason, times in sorted(roll.refused.items())]
    return "\n".join([head, *why])


@app.command("rolls", help="有哪些名册")
def list_them() -> None:
    async def work(session: AsyncSession) -> str:
        await terminal.note(session, "list_rolls", "rolls")
        return "\n".join(map(_line, await rolls.list_rolls(session))) or "还没有名册。"

    in_transaction(work)


def _line(roll: Roll) -> str:
    made = f"{shanghai(roll.created_at):%Y-%m-%d %H:%M}"
    parts = [str(roll.id), roll.title, ROLL_STATES.get(roll.state, roll.state), f"{roll.taken:,} 个号码", made]
    return "\t".join([*parts, *filter(None, [roll.error])])
