"""`hotline backup FILE`: the database as it stands at one moment and the texts that wait on disk, in one sealed file.

Attachments and approved entries of the handbook are rows of the database. The keys are not in the file and have to be kept
elsewhere: HOTLINE_DATA_KEY opens the values, and the file too unless HOTLINE_BACKUP_KEY does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import psycopg
import typer
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from sms_gateway import clock, last_done
from sms_gateway.crypto import keyring
from sms_gateway.database import database_url, dispose, transaction
from sms_gateway.messages import spool_files, spool_texts
from sms_gateway.settings import ROOT, get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.postgres import server_binaries
from sms_gateway.supervision.running import adopt

from . import resealing
from .backup_file import DATABASE, MANIFEST, SPOOL, BackupKeys, Writer


class DatabaseIsAway(Exception):
    """pg_dump could not read it."""


def backup(file: Annotated[Path, typer.Argument(help="备份写到哪个文件（不能已经有）")]) -> None:
    """备份数据库和还没入库的短信，整个加密。恢复用 hotline restore；密钥要另外保存。"""
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    making = file.with_name(f"{file.name}.{os.getpid()}.making")
    try:
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        raise _fail(f"写不了 {file}：文件夹不在或不让写。") from None
    try:
        with os.fdopen(handle, "wb") as out:
            write(out, BackupKeys(keyring(), get_settings().backup_key_bytes))
            out.flush()
            os.fsync(out.fileno())
        file.hardlink_to(making)  # whole or not at all, and never over another
    except FileExistsError:
        raise _fail(f"写不了 {file}：已经有这个文件。") from None
    except (DatabaseIsAway, psycopg.Error):
        raise _fail("没有备份成：数据库没有在运行，或者连不上。先 make run，或者设好 HOTLINE_DATABASE_URL。") from None
    finally:
        making.unlink(missing_ok=True)
    asyncio.run(_note())
    typer.echo(
        f"已备份到 {file}（{file.stat().st_size / 1e6:.1f} MB）。没有密钥打不开，请把 HOTLINE_DATA_KEY"
        f"{' 和 HOTLINE_BACKUP_KEY' if get_settings().backup_key else ''} 另外存好。用 hotline restore --check 可以验一遍。"
    )


async def _note() -> None:
    """For the page 运行 and its alert. A database that is older than this program has no such table: the backup is good all the same."""
    with suppress(SQLAlchemyError):
        async with transaction() as session:
            await last_done.note(session, last_done.What.BACKUP)
    await dispose()


def _fail(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(1)


def write(out: BinaryIO, keys: BackupKeys) -> None:
    """The whole backup into `out`. Raises `DatabaseIsAway`, `psycopg.Error`."""
    writer = Writer(out, keys)
    writer.add(MANIFEST, json.dumps(_manifest(keys)).encode())
    for path in spool_files.everything(spool_texts.folder()):
        try:
            writer.add(f"{SPOOL}{path.name}", path.read_bytes())
        except FileNotFoundError:  # taken in just now: it is in the database
            continue
    _add_database(writer)
    writer.end()


def _manifest(keys: BackupKeys) -> dict[str, Any]:
    with psycopg.connect(database_url(), autocommit=True, connect_timeout=5) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        used = resealing.standing(connection, keys.ring).by_version
    assert row is not None
    used[keys.ring.current] += 0
    return {
        "made_at": clock.now().isoformat(), "version": _version(), "migration": row[0],
        "data_keys": {str(version): keys.ring.marks.get(version, "") for version in sorted(used)}, "index_key": keys.ring.index_mark,
    }  # fmt: skip


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _add_database(writer: Writer) -> None:
    """pg_dump of our database. The password goes by the environment, where other users of the machine cannot read it."""
    url = make_url(database_url())
    environment = {**os.environ, "PGPASSWORD": str(url.password or "")}
    address = url.set(password=None).render_as_string(hide_password=False)
    command = [str(server_binaries() / "pg_dump"), "--format=custom", "--no-owner", f"--dbname={address}"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as dumping:
        assert dumping.stdout is not None
        writer.add_stream(DATABASE, dumping.stdout)  # type: ignore[arg-type]
    if dumping.returncode != 0:
        raise DatabaseIsAway
