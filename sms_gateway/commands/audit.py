"""`hotline audit verify`, whether anything was changed behind the system's back; `hotline audit export`, a year as a file."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from sms_gateway.console import audit_file
from sms_gateway.database import dispose, transaction
from sms_gateway.operators import audit_verify
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt
from sms_gateway.tickets import verify as checks

from . import terminal

app = typer.Typer(help="核对工单记录和审计", no_args_is_help=True, pretty_exceptions_enable=False)
SHOWN = 200
"""Findings that are printed; one broken key would name every ticket."""


@app.command(help="逐条核对全部工单记录、全部审计和每天的存证；有改动就列出来，退出码 1")
def verify() -> None:
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    tickets, rows = asyncio.run(_verify())
    typer.echo(f"核对了 {tickets.tickets} 张工单、{tickets.events} 条记录、{tickets.anchors} 天的存证。")
    typer.echo(f"核对了 {rows.rows} 条审计、{rows.anchors} 天的存证。")
    if rows.last is not None:
        typer.echo(f"最新的审计存证 {rows.last[0]}：{rows.last[1]}")
    findings = [*tickets.findings, *rows.findings]
    if not findings:
        typer.echo("没有发现改动。")
        return
    typer.echo(f"发现 {len(findings)} 处不是系统自己改的：", err=True)
    for finding in findings[:SHOWN]:
        typer.echo(f"  {finding}", err=True)
    if len(findings) > SHOWN:
        typer.echo(f"  ……还有 {len(findings) - SHOWN} 处。", err=True)
    typer.echo("请不要自己改回去：先备份，再报个人信息保护负责人。", err=True)
    raise typer.Exit(1)


@app.command(help="把一年的留痕导出成一个压缩包，给每年的合规审计：CSV、Excel、存证值、核对说明")
def export(
    year: Annotated[int, typer.Argument(min=audit_file.FIRST_YEAR, max=2100, help="哪一年")],
    out: Annotated[Path, typer.Option(help="写到哪个文件（不能已经有）")],
) -> None:
    if out.exists() or not out.parent.is_dir():
        typer.echo(f"写不了 {out}：已经有这个文件，或文件夹不在。", err=True)
        raise typer.Exit(1)
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    made = asyncio.run(_export(year, out))
    typer.echo(f"导出了 {year} 年的 {made.rows} 条留痕：{out}\nSHA-256 {made.sha256}\n请把这一行另外记下来。")


async def _export(year: int, out: Path) -> audit_file.Made:
    try:
        with tempfile.TemporaryDirectory(prefix=".audit-", dir=out.parent) as folder:
            made = await audit_file.make(Path(folder), year, by="命令行")
            async with transaction() as session:
                detail = f"文件 SHA-256 {made.sha256}"
                await terminal.note(session, "export_audit", f"audit:{year}", detail=detail)
            made.path.rename(out)
        return made
    finally:
        await dispose()


async def _verify() -> tuple[checks.Report, audit_verify.Report]:
    try:
        async with transaction() as session:
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            found = await checks.verify(session, tell=_say_progress), await audit_verify.verify(session)
        async with transaction() as session:  # the check itself only reads
            counts = f"发现 {sum(len(one.findings) for one in found)} 处"
            await terminal.note(session, "verify_audit", "audit", detail=counts)
        return found
    finally:
        await dispose()


def _say_progress(report: checks.Report) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r已核对 {report.tickets} 张工单", nl=False, err=True)
