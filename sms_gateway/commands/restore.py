"""`hotline restore FILE`: a backup back into an empty machine, whole or not at all.

The file is read through once before anything is touched: a wrong key, a cut or changed file and a newer schema end there. The
database is filled in one transaction, which is committed only after pg_restore has come to its end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import psycopg
import typer
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from sealing import Keyring
from sms_gateway import clock
from sms_gateway.database import database_url
from sms_gateway.messages import spool_files, spool_texts
from sms_gateway.migrations import config, upgrade
from sms_gateway.settings import get_settings
from sms_gateway.supervision import bot_login, postgres, running
from sms_gateway.supervision.places import DataDir, free_ports

from . import settling
from .backup_file import DATABASE, SPOOL, BackupIsWrong, BackupKeys, entries, opened, verify
from .keys import NAME as KEY_NAME
from .keys import ring_of_setting, setting_of_key

START_WITHIN = 120.0


class CannotRestore(Exception):
    """One Chinese sentence; nothing was changed, unless it says so."""


def restore(
    file: Annotated[Path, typer.Argument(help="hotline backup 做的文件")],
    check: Annotated[bool, typer.Option("--check", help="只验这份备份能不能用，什么也不改")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="数据库里已有的内容全部换成备份里的（找不回来）")] = False,
) -> None:
    """从备份恢复到空的机器上。先停掉热线。"""
    keys = BackupKeys(ring_of_setting(), get_settings().backup_key_bytes)
    try:
        manifest = verify(file, keys)
        _check(manifest, keys.ring)
        if check:
            typer.echo(f"这份备份可以用：{manifest['made_at']}，表结构 {manifest['migration']}。")
            return
        with _target() as url:
            _fill(url, file, keys, replace=replace)
            _live_by(url)
            texts = _put_texts_back(file, keys)
            upgrade(url)
            bot_login.let_in_again(url)
            settled = _settled()
    except (BackupIsWrong, CannotRestore, postgres.PostgresCannotRun) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已恢复到 {manifest['made_at']} 的样子，{texts} 条没入库的短信放回了原处。现在可以 make run。")
    typer.echo(settled.sentence)


def _check(manifest: dict[str, Any], ring: Keyring) -> None:
    script = ScriptDirectory.from_config(config("postgresql://"))
    known = {revision.revision for revision in script.walk_revisions()}
    if manifest.get("migration") not in known:
        raise CannotRestore(f"这份备份的表结构（{manifest.get('migration')}）比这里的程序新，请先升级程序再恢复。")
    for version, mark in manifest["data_keys"].items():
        if ring.marks.get(int(version)) != mark:
            raise CannotRestore(
                f"备份里有用第 {version} 把数据密钥加密的内容，这里的 HOTLINE_DATA_KEY 没有这一把，恢复了也打不开。"
            )
    if ring.index_mark != manifest["index_key"]:
        raise CannotRestore("这里的 HOTLINE_DATA_KEY 少了备份时的 index: 那一段，恢复后按号码找不到人。")


def _live_by(url: str) -> None:
    """From here on our own rooms work on the restored database, with the keys this command was given."""
    os.environ["HOTLINE_DATABASE_URL"], os.environ[KEY_NAME] = url, setting_of_key()[0]
    get_settings.cache_clear()


def _settled() -> settling.Settled:
    try:
        return asyncio.run(settling.settle())
    except Exception as error:
        raise CannotRestore(
            f"数据放回去了，但备份里没做完的群发、短信没有收好（{type(error).__name__}）。先不要启动热线，请找开发的人。"
        ) from error


@contextmanager
def _target() -> Iterator[str]:
    """The database that is to be filled: the one of the settings, or the embedded one of DATA_DIR, running for as long as this."""
    data_dir = DataDir.at(get_settings().data_dir)
    me = running.Holder(os.getpid(), clock.shanghai(clock.now()).strftime("%Y-%m-%d %H:%M:%S"), "hotline restore")
    try:
        with running.hold(data_dir, me):
            if get_settings().database_url is not None:
                yield database_url()
                return
            with embedded(data_dir) as url:
                yield url
    except running.FolderIsHeld:
        raise CannotRestore("热线正在运行：请先 make stop。") from None


@contextmanager
def embedded(data_dir: DataDir) -> Iterator[str]:
    """The embedded server of that DATA_DIR, made when it is not there; its address."""
    port, password = free_ports(1)[0], data_dir.secret("postgres")
    cluster = postgres.cluster_folder(data_dir.path)
    user = postgres.make_cluster(cluster, password=password)
    command = postgres.as_child(postgres.server_command(cluster, port), user, orphan_signal=signal.SIGINT)
    url = postgres.server_url(port, password)
    with subprocess.Popen(
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(url, server)
            postgres.create_database(url)
            yield url
        finally:
            server.send_signal(signal.SIGINT)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and server.poll() is None:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url.rsplit("/", 1)[0] + "/postgres", connect_timeout=2).close()
            return
        time.sleep(0.1)
    raise CannotRestore("自带的数据库没有起来，没有恢复。")


def _fill(url: str, file: Path, keys: BackupKeys, *, replace: bool) -> None:
    """All of it in one transaction. Raises `CannotRestore` and `BackupIsWrong`; the database is then as it was."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            tables, others = _found(connection)
    except psycopg.Error:
        raise CannotRestore("连不上数据库，没有恢复：请检查 HOTLINE_DATABASE_URL。") from None
    if tables and not replace:
        raise CannotRestore(f"数据库里已经有 {tables} 张表，没有动。确定要全部换掉，就加 --replace。")
    if others:
        raise CannotRestore(f"还有 {others} 个连接在用这个数据库：请先停掉每台机器上的热线。")
    environment, address = _address(url)
    restoring = subprocess.Popen(
        [str(postgres.server_binaries() / "pg_restore"), "--no-owner", "--no-privileges", "--file=-"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    writing = subprocess.Popen(
        [str(postgres.server_binaries() / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-", address],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert restoring.stdin is not None and restoring.stdout is not None and writing.stdin is not None
    with restoring, writing:
        _pump(file, keys, restoring, writing, replace=replace)
    if writing.returncode != 0:
        raise CannotRestore("数据库没有收下这份备份，什么都没有改。请看数据库的版本和磁盘。")


def _pump(
    file: Path, keys: BackupKeys, restoring: subprocess.Popen[bytes], writing: subprocess.Popen[bytes], *, replace: bool
) -> None:
    """Backup → pg_restore → psql. COMMIT is said only when pg_restore came to its end: without it psql's end is a rollback."""
    assert restoring.stdin is not None and restoring.stdout is not None and writing.stdin is not None
    script, target = restoring.stdout, writing.stdin

    def carry() -> None:
        with suppress(BrokenPipeError):
            target.write(b"BEGIN;\n" + (b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n" if replace else b""))
            shutil.copyfileobj(script, target, 1 << 20)
        while script.read(1 << 20):  # psql has given up: let pg_restore end
            pass

    carrying = threading.Thread(target=carry)
    carrying.start()
    try:
        with opened(file) as source, suppress(BrokenPipeError):
            for name, content in entries(source, keys):
                if name.startswith(DATABASE):
                    restoring.stdin.write(content)
    except BaseException:
        writing.kill()
        raise
    finally:
        with suppress(BrokenPipeError):
            restoring.stdin.close()
        carrying.join()
        whole = restoring.wait() == 0
        with suppress(BrokenPipeError):
            target.write(b"COMMIT;\n" if whole else b"ROLLBACK; SELECT 1/0;\n")
            target.close()


def _found(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Tables that are there, and other sessions of this database."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')),"
        " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend')"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _address(url: str) -> tuple[dict[str, str], str]:
    """The environment with the password, which other users of the machine cannot read, and the address without it."""
    made = make_url(url)
    environment = {**os.environ, "PGPASSWORD": str(made.password or ""), "PGOPTIONS": "-c client_min_messages=error"}
    return environment, made.set(password=None).render_as_string(hide_password=False)


def _put_texts_back(file: Path, keys: BackupKeys) -> int:
    """The texts that waited on disk, each whole or not at all; how many. One that is in the database too is one message."""
    done = 0
    with opened(file) as source:
        for name, content in entries(source, keys):
            if name.startswith(SPOOL):
                _put(spool_texts.folder() / Path(name).name, content)
                done += name.endswith(spool_files.TEXT)
    return done


def _put(path: Path, content: bytes) -> None:
    making = path.with_suffix(".restoring")
    out: BinaryIO
    with making.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    making.replace(path)
    if path.suffix == spool_files.TEXT and (inbound := spool_texts.read(path)) is not None:
        at = inbound.received_at.timestamp()  # the order of replay
        os.utime(path, (at, at))
