"""Starts children in order, keeps them up with a growing pause, stops them in reverse. At most 150 lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHIM = Path(__file__).with_name("shim.py")
FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.2, 30.0, 60.0
"""Seconds: before the first restart, at most, and the life after which the pause is the first one again."""
DEATHS = 5  # in a row while it is waited for


@dataclass(frozen=True)
class Child:
    """One process: what it runs, how to see that it is ready, how it is told to stop."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    once: bool = False
    """Runs to its end, which must be 0, and is not started again (migrations)."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    orphan_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor itself is killed."""
    user: tuple[int, int] = (0, 0)
    """uid and gid to run as; (0, 0) is whoever runs the supervisor."""


class ChildDidNotStart(Exception):
    """A child ended when it should not, or was not ready in time. Holds its name only."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Kept:
    child: Child
    process: asyncio.subprocess.Process | None = None
    keeper: asyncio.Task[None] | None = None
    restarts: int = 0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None


class Supervisor:
    """Keeps `Child`ren. `logs` receives `<name>.log`; `note(event, child=…)` is told of every start and end."""

    def __init__(self, logs: Path, *, note: Callable[..., None] | None = None, cwd: Path | None = None) -> None:
        self._logs, self._cwd = logs, cwd
        self._note: Callable[..., None] = (lambda *_, **__: None) if note is None else note
        self.kept: dict[str, Kept] = {}
        self._stopping = False

    async def start(self, child: Child, *, within: float = 60.0, wait: bool = True) -> None:
        """Start `child` and keep it; with `wait`, return when it is ready. Raises ChildDidNotStart."""
        kept = self.kept[child.name] = Kept(child)
        if child.once:
            await self._run_once(kept, within)
            return
        kept.keeper = asyncio.create_task(self._keep(kept))
        if wait:
            await self.wait_ready(child.name, within=within)

    async def wait_ready(self, name: str, *, within: float) -> None:
        """Return once the child answers. Raises ChildDidNotStart after `within` seconds, or `DEATHS` more deaths."""
        kept, until = self.kept[name], time.monotonic() + within
        last = kept.restarts + DEATHS
        while time.monotonic() < until and kept.restarts < last and not self._stopping:
            if kept.pid is not None and (kept.child.ready is None or await kept.child.ready()):
                return
            await asyncio.sleep(0.05)
        raise ChildDidNotStart(name)

    async def stop(self) -> None:
        """Stop every child, the last started first; returns when none is left."""
        self._stopping = True
        for kept in reversed(self.kept.values()):
            if kept.keeper is not None:
                kept.keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await kept.keeper
            await self._end(kept)

    async def _run_once(self, kept: Kept, within: float) -> None:
        process = await self._spawn(kept)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), within)
        code = process.returncode
        await self._end(kept)
        self._note("ended", child=kept.child.name, code=code)
        if code != 0:
            raise ChildDidNotStart(kept.child.name)

    async def _keep(self, kept: Kept) -> None:
        pause = FIRST_PAUSE
        while True:
            process, began = await self._spawn(kept), time.monotonic()
            code = await process.wait()
            _kill_group(process.pid)
            kept.restarts += 1
            if time.monotonic() - began >= HEALTHY_AFTER:
                pause = FIRST_PAUSE
            self._note("died", child=kept.child.name, code=code, pause=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _spawn(self, kept: Kept) -> asyncio.subprocess.Process:
        child = kept.child
        words = (os.getpid(), int(child.orphan_signal), *child.user)
        log = os.open(self._logs / f"{child.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:  # a session of its own: Ctrl-C reaches the supervisor only. Cancelled while starting, asyncio ends it
            kept.process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", str(SHIM), *map(str, words), *child.command, env=dict(child.env), cwd=self._cwd,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(log)
        self._note("started", child=child.name, pid=kept.process.pid)
        return kept.process

    async def _end(self, kept: Kept) -> None:
        process = kept.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(kept.child.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), kept.child.stop_within)
        _kill_group(process.pid)
        await process.wait()
        self._note("stopped", child=kept.child.name, code=process.returncode)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
