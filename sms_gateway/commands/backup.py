"""`hotline backup FILE`: the whole database by pg_dump, as it stands at one moment.

The values of people are sealed in it as they are in the database, so it opens only with HOTLINE_DATA_KEY; that key is
not in the file and has to be kept elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from sms_gateway import last_done
from sms_gateway.database import database_url, dispose, transaction
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.postgres import server_binaries
from sms_gateway.supervision.running import adopt


def backup(file: Annotated[Path, typer.Argument(help="备份写到哪个文件（不能已经有）")]) -> None:
    """备份数据库。恢复用 pg_restore；密钥 HOTLINE_DATA_KEY 要另外保存。"""
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    making = file.with_name(file.name + ".making")
    try:
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if file.exists():
            raise FileExistsError(file)
    except OSError as error:
        typer.echo(
            f"写不了 {file}：{'已经有这个文件' if isinstance(error, FileExistsError) else '文件夹不在或不让写'}。",
            err=True,
        )
        raise typer.Exit(1) from None
    with os.fdopen(handle, "wb") as out:
        done = dump(out.fileno())
    if done != 0:
        making.unlink()
        typer.echo("没有备份成：数据库没有在运行，或者连不上。先 make run，或者设好 HOTLINE_DATABASE_URL。", err=True)
        raise typer.Exit(1)
    making.rename(file)
    asyncio.run(_note())
    typer.echo(
        f"已备份到 {file}（{file.stat().st_size / 1e6:.1f} MB）。没有 HOTLINE_DATA_KEY 打不开，请把密钥另外存好。"
    )


async def _note() -> None:
    """For the page 运行 and its alert. A database that is older than this program has no such table: the backup is good all the same."""
    with suppress(SQLAlchemyError):
        async with transaction() as session:
            await last_done.note(session, last_done.What.BACKUP)
    await dispose()


def dump(out: int) -> int:
    """pg_dump of our database into the open file `out`, in its own compressed form; the exit code.

    The password goes by the environment, where other users of the machine cannot read it.
    """
    url = make_url(database_url())
    environment = {**os.environ, "PGPASSWORD": str(url.password or "")}
    address = url.set(password=None).render_as_string(hide_password=False)
    command = [str(server_binaries() / "pg_dump"), "--format=custom", "--no-owner", f"--dbname={address}"]
    return subprocess.run(command, env=environment, stdout=out, stderr=subprocess.DEVNULL, check=False).returncode
