"""Who holds a folder, what others learn of it, logs, secrets, ports."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sms_gateway.settings import Settings
from sms_gateway.supervision import running
from sms_gateway.supervision.log_files import rotate
from sms_gateway.supervision.places import DataDir, free_ports, port_is_free

ROOT = Path(__file__).parents[2]
HOLDS = """
import os, signal, sys, time
from pathlib import Path
from sms_gateway.supervision import running
from sms_gateway.supervision.places import DataDir

data_dir = DataDir.at(Path(sys.argv[1]))
with running.hold(data_dir, running.Holder(os.getpid(), "2026-11-23 08:00:00", "http://127.0.0.1:8000")):
    running.write_processes(data_dir, processes={}, environment={"HOTLINE_RASA_URL": "http://127.0.0.1:1", "HOME": "/"})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir.at(tmp_path / "var")


@pytest.fixture
def holder(data_dir: DataDir):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HOLDS, str(data_dir.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_start_learns_who_holds_the_folder(data_dir: DataDir, holder: subprocess.Popen[str]) -> None:
    me = running.Holder(os.getpid(), "now", "here")
    with pytest.raises(running.FolderIsHeld) as caught, running.hold(data_dir, me):
        pass
    assert caught.value.holder == running.Holder(holder.pid, "2026-11-23 08:00:00", "http://127.0.0.1:8000")


def test_hotline_run_says_it_in_one_sentence(data_dir: DataDir, holder: subprocess.Popen[str]) -> None:
    environment = {**os.environ, "HOTLINE_DATA_DIR": str(data_dir.path), "HOTLINE_ENV_FILE": os.devnull}
    command = [sys.executable, "-m", "sms_gateway.cli", "run"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stdout.strip().splitlines()) == 1
    assert str(holder.pid) in done.stdout
    assert "2026-11-23 08:00:00" in done.stdout


def test_a_killed_holder_holds_nothing(data_dir: DataDir, holder: subprocess.Popen[str]) -> None:
    assert running.find_holder(data_dir) is not None
    holder.kill()
    holder.wait()
    assert running.find_holder(data_dir) is None
    assert running.read_processes(data_dir) is None


def test_other_commands_find_the_running_hotline(
    data_dir: DataDir, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"HOTLINE_PORT": "1"})
    assert running.adopt(data_dir)
    assert os.environ == {"HOTLINE_PORT": "1", "HOTLINE_RASA_URL": "http://127.0.0.1:1"}


def test_only_the_owner_reads_the_addresses(data_dir: DataDir, holder: subprocess.Popen[str]) -> None:
    assert (data_dir.run / "processes.json").stat().st_mode & 0o077 == 0
    assert data_dir.run.stat().st_mode & 0o077 == 0


def test_stop_ends_the_holder(data_dir: DataDir, holder: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    assert running.stop(data_dir)
    assert holder.wait(5) == 0
    assert time.monotonic() - began < 5
    assert not running.stop(data_dir)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        environment = {
            **os.environ, "HOTLINE_DATA_DIR": str(tmp_path / "var"), "HOTLINE_ENV_FILE": os.devnull, "HOTLINE_PORT": str(port)
        }  # fmt: skip
        command = [sys.executable, "-m", "sms_gateway.cli", "run"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(f"✗ 端口 {port} 已被别的程序占用")
    assert len(done.stdout.strip().splitlines()) == 1


def test_reset_asks_and_leaves_all_when_the_answer_is_no(data_dir: DataDir) -> None:
    environment = {**os.environ, "HOTLINE_DATA_DIR": str(data_dir.path), "HOTLINE_ENV_FILE": os.devnull}
    command = [sys.executable, "-m", "sms_gateway.cli", "reset"]
    no = subprocess.run(command, cwd=ROOT, env=environment, input="不\n", capture_output=True, text=True, check=False)
    assert no.returncode == 1
    assert data_dir.logs.exists()
    yes = subprocess.run(
        command, cwd=ROOT, env=environment, input="删除\n", capture_output=True, text=True, check=False
    )
    assert yes.returncode == 0
    assert not data_dir.path.exists()


def test_reset_never_deletes_a_folder_that_had_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    environment = {**os.environ, "HOTLINE_DATA_DIR": str(tmp_path), "HOTLINE_ENV_FILE": os.devnull}
    command = [sys.executable, "-m", "sms_gateway.cli", "reset", "--yes"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (tmp_path / "thesis.txt").exists()


def test_a_secret_is_made_once_and_for_its_owner_only(data_dir: DataDir) -> None:
    first = data_dir.secret("data_key")
    assert data_dir.secret("data_key") == first
    assert data_dir.secret("session_key") != first
    assert (data_dir.secrets / "data_key").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in data_dir.secrets.iterdir()) == ["data_key", "session_key"]


def test_free_ports_differ() -> None:
    ports = free_ports(8)
    assert len(set(ports)) == 8
    assert all(map(port_is_free, ports))


def test_a_full_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    with log.open("ab", buffering=0) as writer:
        for round_ in range(4):
            writer.write(f"round {round_}\n".encode() * 10)
            assert rotate(log, full_at=50, kept=2)
        writer.write(b"after\n")
    assert log.read_text() == "after\n"
    assert (tmp_path / "gateway.log.1").read_text().startswith("round 3")
    assert (tmp_path / "gateway.log.2").read_text().startswith("round 2")
    assert not (tmp_path / "gateway.log.3").exists()
    assert not rotate(log, full_at=50)


def test_every_setting_is_in_the_example_file() -> None:
    said = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"HOTLINE_{name.upper()}=" not in said]
    assert missing == []


def test_the_example_file_names_no_setting_that_is_not_there() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {line.lstrip("#").split("=")[0] for line in lines if line.lstrip("#").startswith("HOTLINE_")}
    assert named == {f"HOTLINE_{name.upper()}" for name in Settings.model_fields}


def test_lock_files_name_no_host() -> None:
    locks = [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]
    assert len(locks) >= 5
    for lock in locks:
        assert "://" not in lock.read_text(encoding="utf-8"), lock.name
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
