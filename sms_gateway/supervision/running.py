"""Who holds a DATA_DIR just now, and what other commands need to know of it: pid, pages, addresses."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from .places import DataDir

STOP_WITHIN = 60.0
"""Seconds the whole hotline gets to stop."""


@dataclass(frozen=True)
class Holder:
    """The `hotline run` that holds the folder."""

    pid: int
    since: str
    """Shanghai time, as people read it."""
    pages: str


class FolderIsHeld(Exception):
    """Another `hotline run` holds the folder; None: it has only just begun."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__("held")
        self.holder = holder


@contextmanager
def hold(data_dir: DataDir, holder: Holder) -> Iterator[None]:
    """Hold the folder; the kernel lets it go with the process. Raises FolderIsHeld."""
    with (data_dir.run / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderIsHeld(_read_holder(lock.name)) from None
        lock.truncate(0)
        lock.write(json.dumps(asdict(holder)))
        lock.flush()
        yield
        (data_dir.run / "processes.json").unlink(missing_ok=True)


def find_holder(data_dir: DataDir) -> Holder | None:
    """Who holds the folder, if anyone does."""
    with (data_dir.run / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_holder(lock.name)
    return None


def _read_holder(path: str) -> Holder | None:
    try:
        with open(path, encoding="utf-8") as lock:  # noqa: PTH123 - the name of an open file
            return Holder(**json.load(lock))
    except (OSError, ValueError, TypeError):
        return None


def write_processes(
    data_dir: DataDir, *, processes: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
) -> None:
    """Tell other commands of this machine who runs and how to reach it (0600: the database's password is in it)."""
    place = data_dir.run / "processes.json"
    fresh = place.with_suffix(".new")
    fresh.touch(mode=0o600)
    ours = {name: value for name, value in environment.items() if name.startswith("HOTLINE_")}
    fresh.write_text(
        json.dumps({"pid": os.getpid(), "processes": processes, "environment": ours}, indent=1), encoding="utf-8"
    )
    fresh.replace(place)


def read_processes(data_dir: DataDir) -> dict[str, Any] | None:
    """What `write_processes` wrote, while that hotline runs."""
    if find_holder(data_dir) is None:
        return None
    try:
        found: dict[str, Any] = json.loads((data_dir.run / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def adopt(data_dir: DataDir) -> bool:
    """Take over the running hotline's addresses and secrets into our own environment, where it has none of its own.

    For commands typed beside it (`hotline operator add`). Whether there was one.
    """
    found = read_processes(data_dir)
    for name, value in (found or {}).get("environment", {}).items():
        os.environ.setdefault(name, value)
    return found is not None


def stop(data_dir: DataDir) -> bool:
    """Stop the hotline that holds the folder and wait for its end. False when there is none, or it does not end."""
    holder = find_holder(data_dir)
    if holder is None:
        return False
    os.kill(holder.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_WITHIN
    while time.monotonic() < until:
        if find_holder(data_dir) is None:
            return True
        time.sleep(0.1)
    return False
