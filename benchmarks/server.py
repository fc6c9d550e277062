"""A scratch PostgreSQL that is taken away and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.memory import postgres_pids
from sms_gateway.supervision import postgres
from sms_gateway.supervision.scratch import ScratchPostgres
from sms_gateway.supervision.supervisor import SHIM


class Server:
    """The server of `scratch`, by its port."""

    def __init__(self, scratch: ScratchPostgres) -> None:
        self._scratch = scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, with every backend; returns when none is left."""
        pids = postgres_pids(self._scratch.port)
        for pid in pids if number is signal.SIGKILL else pids[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        for _ in range(200):
            if not postgres_pids(self._scratch.port) and not any(map(_lives, pids)):
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not end")

    def freeze(self) -> None:
        """Neither dead nor answering: connections stay open and are accepted, nothing comes back (SIGSTOP)."""
        pids = postgres_pids(self._scratch.port)
        self._frozen = [pid for pid in pids if _signalled(pid, signal.SIGSTOP)]

    def thaw(self) -> None:
        """It goes on as if nothing had been."""
        for pid in reversed(self._frozen):
            _signalled(pid, signal.SIGCONT)
        self._frozen = []

    def start(self) -> None:
        """The same cluster on the same port; gone with this process."""
        self.close()
        cluster = self._scratch.folder / "server" / "postgres"
        # Its keeper does not ask after a dead server, whose number PostgreSQL then takes for that of a living one.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        user = postgres.server_user(cluster)
        words = [sys.executable, "-I", "-S", str(SHIM), "0", str(int(signal.SIGKILL)), *map(str, user.ids)]
        words += postgres.server_command(cluster, self._scratch.port, scratch=True)
        self._process = subprocess.Popen(
            words, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        """End the one that was started here, if there is one."""
        self.thaw()
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)
            self._process = None


def _signalled(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
