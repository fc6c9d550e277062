"""What each process held at most, read from the kernel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sms_gateway.supervision.scratch import ScratchHotline

from .results import Row, row

AREA = "understanding"


def _field(pid: int, file: str, field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def peak_mb(pid: int) -> float:
    """VmHWM: the most that this process ever had in memory, MB."""
    return _field(pid, "status", "VmHWM")


def resident_mb(pid: int) -> float:
    """VmRSS: what this process has in memory now, MB."""
    return _field(pid, "status", "VmRSS")


def shared_mb(pids: Sequence[int]) -> float:
    """What these processes hold together now, shared pages counted once (PSS), MB."""
    return sum(_field(pid, "smaps_rollup", "Pss") for pid in pids)


def own_mb(pids: Sequence[int]) -> float:
    """What these processes hold of their own, without files and shared buffers (anonymous PSS), MB."""
    return sum(_field(pid, "smaps_rollup", "Pss_Anon") for pid in pids)


def postgres_pids(port: int) -> list[int]:
    """The server that listens on that port, and its backends."""
    for place in Path("/proc").glob("[0-9]*"):
        words = _words(place)
        if words and words[0].endswith("/postgres") and f"port={port}" in words:
            return [int(place.name), *_children(place)]
    return []


def _words(place: Path) -> list[str]:
    try:
        return (place / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return []  # it has just ended


def _children(place: Path) -> list[int]:
    return [int(pid) for pid in (place / "task" / place.name / "children").read_text(encoding="ascii").split()]


def peak_rows(hotline: ScratchHotline, names: Sequence[str], database_port: int) -> list[Row]:
    """A row for each process after the load."""
    rows = [row(AREA, f"Peak memory under load: {name}", [peak_mb(hotline.pid(name))], "MB") for name in names]
    server = shared_mb(postgres_pids(database_port))
    return [*rows, row(AREA, "Memory after the load: PostgreSQL, all its processes", [server], "MB")]
