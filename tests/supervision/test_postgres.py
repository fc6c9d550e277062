"""Embedded PostgreSQL and its throw-away form, really started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from sms_gateway.supervision import postgres
from sms_gateway.supervision.scratch import ScratchPostgres, scratch_postgres
from sms_gateway.supervision.supervisor import Child, Supervisor

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> ScratchPostgres:
    with scratch_postgres() as made:
        yield made


def test_a_scratch_server_takes_a_login_and_keeps_rows(server: ScratchPostgres) -> None:
    with psycopg.connect(server.create("rows")) as connection:
        connection.execute("CREATE TABLE words (word text)")
        connection.execute("INSERT INTO words VALUES ('平安')")
        assert connection.execute("SELECT word FROM words").fetchone() == ("平安",)


def test_nobody_comes_in_without_the_password(server: ScratchPostgres) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.server_url(server.port, "wrong", "postgres"))


def test_the_server_never_runs_as_root(server: ScratchPostgres) -> None:
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().split(b"\0")
            if words[0].endswith(b"/bin/postgres") and any(word.startswith(bytes(server.folder)) for word in words):
                assert line.stat().st_uid == postgres.server_user().uid != 0
                return
        except FileNotFoundError:
            continue
    pytest.fail("the server's process was not found")


def test_its_folder_is_closed_to_others(server: ScratchPostgres) -> None:
    assert (server.folder / "server" / "postgres").stat().st_mode & 0o077 == 0


def test_a_scratch_server_goes_away_with_its_block() -> None:
    with scratch_postgres() as made:
        assert made.folder.exists()
    assert not made.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(made.url("postgres"), connect_timeout=2)


def test_a_scratch_server_goes_away_when_its_user_is_killed() -> None:
    code = (
        "import sys, time\n"
        "from sms_gateway.supervision.scratch import scratch_postgres\n"
        "with scratch_postgres() as made:\n"
        "    print(made.folder, made.port, flush=True)\n"
        "    time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        folder, port = process.stdout.readline().split()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    until = time.monotonic() + 10
    while Path(folder).exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.server_url(int(port), "any", "postgres"), connect_timeout=2)


async def test_a_kept_server_comes_back_with_its_rows_after_kill_9(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As the supervisor runs it: made once, killed, recovered, stopped by SIGINT while somebody is connected."""
    from sms_gateway.supervision.scratch import _scratch_folder

    folder, port, password = _scratch_folder(), 0, "made-at-first-start"
    from sms_gateway.supervision.places import free_ports

    port = free_ports(1)[0]
    user = postgres.make_cluster(folder / "postgres", password=password)
    url = postgres.server_url(port, password)
    supervisor = Supervisor(tmp_path_factory.mktemp("logs"))
    child = Child(
        "postgres", tuple(postgres.server_command(folder / "postgres", port)), {"PATH": os.environ["PATH"]},
        ready=lambda: postgres.is_ready(url), stop_signal=signal.SIGINT, user=user.ids,
    )  # fmt: skip
    try:
        await supervisor.start(child)
        postgres.create_database(url)
        postgres.create_database(url)  # again: nothing happens
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        first = supervisor.kept["postgres"].pid
        os.kill(first, signal.SIGKILL)
        while supervisor.kept["postgres"].pid in {None, first}:
            await asyncio.sleep(0.02)
        await supervisor.wait_ready("postgres", within=20)
        connected = psycopg.connect(url, autocommit=True)
        assert connected.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        began = time.monotonic()
        await supervisor.stop()
        assert time.monotonic() - began < 5
        connected.close()
    finally:
        await supervisor.stop()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


def test_no_value_reaches_the_servers_log(tmp_path: Path) -> None:
    """With the kept server's own settings: failing statements, wrong types and broken constraints."""
    from sms_gateway.supervision.places import free_ports
    from sms_gateway.supervision.scratch import _scratch_folder

    folder, port, secret = _scratch_folder(), free_ports(1)[0], "校长摸过我13800001234"
    user = postgres.make_cluster(folder / "postgres", password="p", sync=False)
    url = postgres.server_url(port, "p", "postgres")
    log = tmp_path / "postgres.log"
    with log.open("wb") as out:
        command = postgres.as_child(postgres.server_command(folder / "postgres", port), user)
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd="/")
    try:
        until = time.monotonic() + 20
        while not asyncio.run(postgres.is_ready(url)):
            assert time.monotonic() < until
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (word text UNIQUE, number int)")
            connection.execute("INSERT INTO t VALUES (%s)", [secret])
            for statement in ("INSERT INTO t VALUES (%s)", "INSERT INTO t (number) VALUES (%s)", "SELECT nope(%s)"):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement, [secret])
            with pytest.raises(psycopg.Error):
                connection.execute(f"SELECT '{secret}'::int")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        subprocess.run(["rm", "-rf", str(folder)], check=False)
    logged = log.read_text(encoding="utf-8")
    assert "ready to accept connections" in logged
    assert "校长" not in logged
    assert "13800001234" not in logged


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the cluster to another user")
def test_a_cluster_below_a_closed_folder_lies_where_its_user_gets_in(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "var").mkdir(parents=True)
    closed.chmod(0o700)
    place = postgres.cluster_folder(closed / "var")
    assert postgres.STATE in place.parents
    assert place == postgres.cluster_folder(closed / "var")
    assert place != postgres.cluster_folder(closed / "other")
