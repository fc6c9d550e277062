"""Throw-away PostgreSQL, and a throw-away hotline on it: for tests, `predict`, `replay` and `make bench`.

Both always go away, also when the process that asked for them is killed with -9.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sms_gateway.settings import ROOT

from . import bot_login, postgres
from .children import Inner, bare_environment, children, inner_environment
from .places import DataDir, free_ports
from .supervisor import SHIM, Supervisor

KEEPER = Path(__file__).with_name("keeper.py")
START_WITHIN = 60.0


@dataclass(frozen=True)
class ScratchPostgres:
    """A running server. `folder` is removed with it, and holds whatever its user puts there."""

    port: int
    password: str
    folder: Path

    def url(self, database: str) -> str:
        """The address of that database, as libpq reads it; the database need not be there yet."""
        return postgres.server_url(self.port, self.password, database)

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, as a copy of `template`; returns its address."""
        url = self.url(database)
        postgres.create_database(url, template=template)
        return url


@contextmanager
def scratch_postgres() -> Iterator[ScratchPostgres]:
    """A new server in a folder of its own, without fsync, on a free port. Takes about a second to start."""
    folder = _scratch_folder()
    password, port = os.urandom(16).hex(), free_ports(1)[0]
    cluster = folder / "server" / "postgres"
    try:
        (folder / "server").mkdir(mode=0o711)
        user = postgres.make_cluster(cluster, password=password, sync=False)
        # The keeper's own children must not outlive it either: the shim asks the kernel for that.
        command = [sys.executable, "-I", "-S", str(SHIM), "0", str(int(signal.SIGKILL)), *map(str, user.ids)]
        command += postgres.server_command(cluster, port, scratch=True)
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), str(folder), *command],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    assert keeper.stdin is not None
    try:
        server = ScratchPostgres(port, password, folder)
        _wait_until_ready(server, keeper)
        yield server
    finally:
        keeper.stdin.close()
        try:
            keeper.wait(15)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _scratch_folder() -> Path:
    """A folder that PostgreSQL's user can pass into."""
    for place in (None, "/var/tmp", "/tmp"):  # noqa: S108 - mkdtemp makes a closed folder of its own
        folder = Path(tempfile.mkdtemp(prefix="hotline-scratch-", dir=place))
        if os.geteuid() != 0 or postgres.reachable(folder):
            folder.chmod(0o711)
            return folder
        folder.rmdir()
    raise postgres.PostgresCannotRun("没有一个临时文件夹是数据库的系统用户进得去的：请把 TMPDIR 指到 /tmp。")


def _wait_until_ready(server: ScratchPostgres, keeper: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and keeper.poll() is None:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.03)
        else:
            return
    raise postgres.PostgresCannotRun("临时数据库没有起来。")


@dataclass(frozen=True)
class ScratchHotline:
    """A running part of the hotline: its environment (HOTLINE_…), its folder and its supervisor (pids, restarts)."""

    environment: Mapping[str, str]
    data_dir: DataDir
    supervisor: Supervisor

    def pid(self, name: str) -> int:
        """The process id of a child that runs just now."""
        pid = self.supervisor.kept[name].pid
        if pid is None:
            raise ProcessLookupError(name)
        return pid


@asynccontextmanager
async def scratch_hotline(
    folder: Path, *names: str, database_url: str, model: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[ScratchHotline]:
    """Run the children `names` (see `children.children`) on free ports against a database that is migrated already.

    Everything they write goes below `folder` (hand in `ScratchPostgres.folder / "data"` and it goes away with the
    server). `settings` are more HOTLINE_ variables. The children die with this process.
    """
    data_dir = DataDir.at(folder)
    gateway, console, rasa, actions = free_ports(4)
    login = bot_login.make(database_url) if "rasa" in names else None
    inner = Inner(rasa_port=rasa, actions_port=actions, database_url=database_url, model=model, bot_database=login)
    chosen = {"HOTLINE_PORT": str(gateway), "HOTLINE_CONSOLE_PORT": str(console), **(settings or {})}
    environment = inner_environment(data_dir, inner, {**bare_environment(), **chosen})
    supervisor = Supervisor(data_dir.logs, cwd=ROOT)
    try:
        table = children(inner, environment)
        for name in names:
            await supervisor.start(table[name], wait=False)
        for name in names:
            await supervisor.wait_ready(name, within=240)
        ours = {name: value for name, value in environment.items() if name.startswith("HOTLINE_")}
        yield ScratchHotline(ours, data_dir, supervisor)
    finally:
        await supervisor.stop()
