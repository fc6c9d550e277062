"""CPU seconds of processes, read from /proc (`memory` has what they hold)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int, *, with_ended_children: bool = False) -> float:
    """User and system time of a process so far; 0 for one that is gone. `with_ended_children`: also of those it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11 : 15 if with_ended_children else 13]) / TICK


def cpu_of_server(pids: Iterable[int]) -> float:
    """Of a PostgreSQL server: `pids` are the server itself and its living backends; those that ended are in its own account."""
    server, *backends = pids
    return cpu_seconds(server, with_ended_children=True) + sum(map(cpu_seconds, backends))
