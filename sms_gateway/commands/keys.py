"""`hotline keys new|rotate|status|drop`: another data key, everything under it, and the old one gone.

`new` writes the setting with a further key, after a restart everything new is sealed with it; `rotate` reseals the rest while
the hotline runs; `drop` writes the setting without the old keys once nothing lies under them. Keys are shown only where the
setting is kept by hand; in development the file under DATA_DIR/secrets is written instead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sealing import Keyring, with_new_key, without_keys_before
from sms_gateway.database import database_url
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt, read_processes

from . import resealing, resealing_files
from .resealing import Standing

app = typer.Typer(help="数据密钥：new、rotate、status、drop", no_args_is_help=True, pretty_exceptions_enable=False)
NAME = "HOTLINE_DATA_KEY"
OTHER_PLACES = (
    "这里只看得到本机的 spool：别的机器上各敲一遍 hotline keys status，都不剩才能换。"
    "分机部署的，/etc/hotline/rasa.env 里还有一份密钥，也要换。"
)
"""What this command cannot look after."""


@app.command(help="加一把新密钥：以后都用它加密，旧的还能打开")
def new() -> None:
    text, file = setting_of_key()
    _give(with_new_key(text), file)
    typer.echo(
        "现在重启（make stop 再 make run；分机部署每台都要），然后运行 hotline keys rotate。旧密钥先别删。", err=True
    )


@app.command(help="把旧密钥下的全部内容换到最新的密钥下；可以随时中断，再运行就接着做")
def rotate() -> None:
    ring = ring_of_setting()
    _check_running(ring)
    began = time.monotonic()
    with _connected() as connection:
        before = resealing.standing(connection, ring)
        old = sum(before.old_by_column.values())
        done = _with_progress(lambda tell: resealing.reseal(connection, ring, tell), old)
        files = resealing_files.reseal(ring)
        after = resealing.standing(connection, ring)
    seconds = max(time.monotonic() - began, 0.001)
    typer.echo(f"换了 {done.cells:,} 处（每秒 {done.cells / seconds:,.0f} 处）、{files} 个文件。")
    for column, count in done.broken.items():
        typer.echo(
            f"  {column}：{count} 处打不开，没有动。请用 hotline backup 先备份，再报个人信息保护负责人。", err=True
        )
    raise typer.Exit(0 if _report(after, ring) else 1)


@app.command(help="每把密钥下还有多少；旧的是 0 才能删")
def status() -> None:
    ring = ring_of_setting()
    with _connected() as connection:
        found = resealing.standing(connection, ring)
    raise typer.Exit(0 if _report(found, ring) else 1)


@app.command(help="去掉旧密钥：旧密钥下是 0 才肯做")
def drop() -> None:
    text, file = setting_of_key()
    ring = ring_of_setting()
    with _connected() as connection:
        found = resealing.standing(connection, ring)
    if not _report(found, ring):
        typer.echo("旧密钥还不能去掉。先运行 hotline keys rotate。", err=True)
        raise typer.Exit(1)
    try:
        left = without_keys_before(text, ring.current)
    except ValueError:
        typer.echo("还没有新密钥，或者设置里没有写 index:……。先运行 hotline keys new。", err=True)
        raise typer.Exit(1) from None
    _give(left, file)
    typer.echo("旧备份要用旧密钥打开：旧密钥锁好，直到用它做的备份都销毁了。换好设置后重启。", err=True)
    typer.echo(OTHER_PLACES, err=True)


def setting_of_key() -> tuple[str, Path | None]:
    """The setting as it is written, and the file of DATA_DIR it is in; None: somebody keeps it by hand (.env)."""
    settings = get_settings()
    if settings.data_key is not None:
        return settings.data_key.get_secret_value(), None
    file = DataDir.at(settings.data_dir).secrets / "data_key"
    if not file.exists():
        typer.echo(f"还没有 {NAME}：用 make run 启动会自动生成，或按 .env.example 设置。", err=True)
        raise typer.Exit(1)
    return file.read_text(encoding="ascii").strip(), file


def ring_of_setting() -> Keyring:
    """The keys as they are set, or as DATA_DIR keeps them; ends the command with one sentence when there are none."""
    try:
        return Keyring.from_text(setting_of_key()[0])
    except ValueError:
        typer.echo(f"{NAME} 的写法不对：应是 1:密钥,2:密钥，每把是 32 字节的 base64。", err=True)
        raise typer.Exit(1) from None


def _give(text: str, file: Path | None) -> None:
    """Into the file that had it, whole or not at all; else shown, for whoever keeps the settings."""
    if file is None:
        typer.echo(f"{NAME}={text}")
        typer.echo("把上面这一行写进设置（.env 或密钥库），代替原来的；不要发给别人。", err=True)
        return
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    typer.echo(f"已写入 {file}。")


def _check_running(ring: Keyring) -> None:
    """What is resealed must open in the processes that run on this machine."""
    running = (read_processes(DataDir.at(get_settings().data_dir)) or {}).get("environment", {}).get(NAME)
    if running is not None and Keyring.from_text(running).marks.get(ring.current) != ring.marks[ring.current]:
        typer.echo(f"正在运行的热线还不认得第 {ring.current} 把密钥：先 make stop，再 make run，然后再来。", err=True)
        raise typer.Exit(1)


def _connected() -> psycopg.Connection[Any]:
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    try:
        return psycopg.connect(database_url(), autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        typer.echo("连不上数据库：先 make run，或者设好 HOTLINE_DATABASE_URL。", err=True)
        raise typer.Exit(1) from None


def _with_progress(work: Callable[[resealing.Tell], resealing.Done], total: int) -> resealing.Done:
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, transient=True) as progress:
        task = progress.add_task("换密钥", total=total)
        return work(lambda column, cells: progress.update(task, advance=cells, description=column))


def _report(found: Standing, ring: Keyring) -> bool:
    """Print what lies under which key; whether nothing lies under an old or unknown one."""
    files = resealing_files.standing()
    for version in sorted({*ring.versions, *found.by_version, *files}):
        if version == resealing_files.UNREADABLE and version not in ring.versions:
            typer.echo(f"读不了的文件：{files[version]} 个（spool 文件夹的主人要是 hotline）")
            continue
        known = (
            "（现在用的）" if version == ring.current else "" if version in ring.versions else "（这里没有这把密钥！）"
        )
        typer.echo(f"第 {version} 把密钥{known}：{found.by_version[version]:,} 处，{files[version]} 个文件")
    for column, count in found.old_by_column.items():
        typer.echo(f"  还没换的：{column} {count:,} 处")
    if found.held_back:
        typer.echo(f"  有 {found.held_back} 份名册或名单正在读入，做完以后再运行一次 hotline keys rotate。")
    left = sum(count for version, count in (found.by_version + files).items() if version != ring.current)
    return left == 0 and not found.held_back
