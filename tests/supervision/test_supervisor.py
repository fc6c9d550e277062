"""The supervisor, with dummy children: order, restarts with a growing pause, stop in reverse, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sms_gateway.supervision import supervisor as module
from sms_gateway.supervision.supervisor import Child, ChildDidNotStart, Supervisor

ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
SLEEPS = (sys.executable, "-S", "-c", "import time; time.sleep(600)")


class Notes(list[tuple[str, str]]):
    def __call__(self, event: str, **ids: Any) -> None:
        self.append((event, ids["child"]))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def supervisor(tmp_path: Path, notes: Notes) -> AsyncIterator[Supervisor]:
    made = Supervisor(tmp_path, note=notes)
    yield made
    await made.stop()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(check: Any, within: float = 10.0) -> None:
    end = time.monotonic() + within
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_children_start_in_order_and_stop_in_reverse(supervisor: Supervisor, notes: Notes) -> None:
    for name in ("database", "bot", "gateway"):
        await supervisor.start(Child(name, SLEEPS, ENV))
    await supervisor.stop()
    assert [child for event, child in notes if event == "started"] == ["database", "bot", "gateway"]
    assert [child for event, child in notes if event == "stopped"] == ["gateway", "bot", "database"]


async def test_a_child_that_dies_is_started_again(supervisor: Supervisor) -> None:
    await supervisor.start(Child("bot", SLEEPS, ENV))
    first = supervisor.kept["bot"].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.kept["bot"].pid not in {None, first})
    assert supervisor.kept["bot"].restarts == 1


async def test_the_pause_before_a_restart_doubles_up_to_its_limit(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pauses: list[float] = []
    supervisor._note = lambda event, **ids: pauses.append(ids["pause"]) if event == "died" else None
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.05)
    await supervisor.start(Child("ends", ("/bin/true",), ENV), wait=False)
    await until(lambda: len(pauses) >= 5)
    assert pauses[:5] == [0.01, 0.02, 0.04, 0.05, 0.05]


async def test_a_child_that_lived_long_is_started_again_quickly(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    supervisor._note = lambda event, **ids: pauses.append(ids["pause"]) if event == "died" else None
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "HEALTHY_AFTER", 0.0)
    await supervisor.start(Child("ends", ("/bin/true",), ENV), wait=False)
    await until(lambda: len(pauses) >= 3)
    assert set(pauses) == {0.01}


async def test_a_step_that_fails_stops_the_start(supervisor: Supervisor) -> None:
    with pytest.raises(ChildDidNotStart) as caught:
        await supervisor.start(Child("migrate", ("/bin/false",), ENV, once=True))
    assert caught.value.name == "migrate"


async def test_a_step_that_hangs_is_ended(supervisor: Supervisor) -> None:
    with pytest.raises(ChildDidNotStart):
        await supervisor.start(Child("migrate", SLEEPS, ENV, once=True), within=0.3)
    assert supervisor.kept["migrate"].pid is None


async def test_a_child_that_never_answers_is_named(supervisor: Supervisor) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ChildDidNotStart) as caught:
        await supervisor.start(Child("gateway", SLEEPS, ENV, ready=never), within=0.3)
    assert caught.value.name == "gateway"


async def test_a_child_that_keeps_dying_is_not_waited_for_long(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    began = time.monotonic()
    with pytest.raises(ChildDidNotStart):
        await supervisor.start(Child("actions", ("/bin/false",), ENV, ready=lambda: asyncio.sleep(0, False)), within=60)
    assert time.monotonic() - began < 10


async def test_a_child_deaf_to_its_signal_is_killed_with_its_own_children(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    deaf = "trap '' TERM; sleep 600 & echo $! > grandchild; wait; wait"
    kept = Supervisor(tmp_path, cwd=tmp_path)
    await kept.start(Child("deaf", ("/bin/sh", "-c", deaf), ENV, stop_within=0.3))
    await until(lambda: (tmp_path / "grandchild").exists() and (tmp_path / "grandchild").read_text().strip())
    grandchild = int((tmp_path / "grandchild").read_text())
    await kept.stop()
    await until(lambda: not is_alive(grandchild))
    await supervisor.stop()


async def test_what_a_child_prints_goes_to_its_own_log(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(Child("talks", ("/bin/sh", "-c", "echo out; echo err >&2"), ENV, once=True))
    assert (tmp_path / "talks.log").read_text() == "out\nerr\n"
    assert (tmp_path / "talks.log").stat().st_mode & 0o077 == 0


SUPERVISES = """
import asyncio, sys
from pathlib import Path
from sms_gateway.supervision.supervisor import Child, Supervisor

async def main():
    supervisor = Supervisor(Path(sys.argv[1]))
    for name in ("one", "two"):
        await supervisor.start(Child(name, ("/bin/sleep", "600")))
    print(*(kept.pid for kept in supervisor.kept.values()), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_killed_supervisor_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISES, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=ENV
    )
    try:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
    finally:
        process.kill()
        process.wait()
    await until(lambda: not any(map(is_alive, pids)), within=5)


def test_the_supervisor_stays_small() -> None:
    with contextlib.closing(Path(module.__file__).open(encoding="utf-8")) as source:
        assert len(source.readlines()) <= 150
