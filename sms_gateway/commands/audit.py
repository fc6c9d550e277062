"""`hotline audit verify`: whether anything was changed behind the system's back."""

from __future__ import annotations

import asyncio
import sys

import typer
from sqlalchemy import text

from sms_gateway.database import dispose, transaction
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt
from sms_gateway.tickets import verify as checks

app = typer.Typer(help="核对工单记录", no_args_is_help=True, pretty_exceptions_enable=False)
SHOWN = 200
"""Findings that are printed; one broken key would name every ticket."""


@app.callback()
def audit() -> None:
    """Keeps `verify` a command of its own name."""


@app.command(help="逐条核对全部工单记录和每天的存证；有改动就列出来，退出码 1")
def verify() -> None:
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    report = asyncio.run(_verify())
    typer.echo(f"核对了 {report.tickets} 张工单、{report.events} 条记录、{report.anchors} 天的存证。")
    if not report.findings:
        typer.echo("没有发现改动。")
        return
    typer.echo(f"发现 {len(report.findings)} 处不是系统自己改的：", err=True)
    for finding in report.findings[:SHOWN]:
        typer.echo(f"  {finding}", err=True)
    if len(report.findings) > SHOWN:
        typer.echo(f"  ……还有 {len(report.findings) - SHOWN} 处。", err=True)
    typer.echo("请不要自己改回去：先备份，再报个人信息保护负责人。", err=True)
    raise typer.Exit(1)


async def _verify() -> checks.Report:
    try:
        async with transaction() as session:
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            return await checks.verify(session, tell=_say_progress)
    finally:
        await dispose()


def _say_progress(report: checks.Report) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r已核对 {report.tickets} 张工单", nl=False, err=True)
