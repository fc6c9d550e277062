"""A PostgreSQL server from Debian's packages, as another machine's would be: its own settings, fsync on, a password over TCP."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sms_gateway.supervision import postgres
from sms_gateway.supervision.places import free_ports

PACKAGES = Path("/usr/lib/postgresql")
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200"}
"""Little of a real server's: what two cores and a shared disk carry."""


class NotInstalled(Exception):
    """`apt install postgresql` is missing on this machine."""


@dataclass(frozen=True)
class External:
    """Where it listens; `url` is of an empty database."""

    port: int
    url: str
    version: str


@contextmanager
def debian_postgres() -> Iterator[External]:
    """A new server, gone afterwards. Raises `NotInstalled`."""
    found = sorted(PACKAGES.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if not found:
        raise NotInstalled
    binaries, version = found[-1].parent, found[-1].parent.parent.name
    folder, password, (port,) = Path(tempfile.mkdtemp(prefix="hotline-debian-")), os.urandom(12).hex(), free_ports(1)
    user = postgres.server_user()
    as_user = {"user": user.uid, "group": user.gid} if os.geteuid() == 0 else {}
    try:
        folder.chmod(0o755)
        (cluster := folder / "cluster").mkdir(mode=0o700)
        (secret := folder / "password").write_text(password)
        for place in (cluster, secret):
            os.chown(place, user.uid, user.gid)
        initdb = [str(binaries / "initdb"), "-D", str(cluster), "-U", "hotline", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8"]  # fmt: skip
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", **as_user)  # type: ignore[call-overload]
        words = [
            str(binaries / "postgres"),
            "-D",
            str(cluster),
            "-c",
            f"port={port}",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]
        for name, value in SETTINGS.items():
            words += ["-c", f"{name}={value}"]
        server = subprocess.Popen(words, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]
        try:
            yield External(port, _ready(port, password), version)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(port: int, password: str) -> str:
    """The address of a new database, once the server answers."""
    base = f"postgresql://hotline:{password}@127.0.0.1:{port}"
    for _ in range(200):
        try:
            with psycopg.connect(f"{base}/postgres", autocommit=True, connect_timeout=2) as connection:
                connection.execute("CREATE DATABASE outreach")
            return f"{base}/outreach"
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("Debian's PostgreSQL did not start")
