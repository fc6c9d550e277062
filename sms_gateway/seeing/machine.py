"""What this machine tells without the database: disk, texts on disk."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass

from sms_gateway import clock
from sms_gateway.messages import spool, spool_texts
from sms_gateway.settings import get_settings


@dataclass(frozen=True)
class Machine:
    """Bytes of the disk under DATA_DIR; texts that wait on it, and for how many seconds the oldest does."""

    disk_free: int
    disk_total: int
    spooled: int
    spooled_red: int
    spool_age: float

    @property
    def disk_used_percent(self) -> int:
        return round(100 * (1 - self.disk_free / self.disk_total)) if self.disk_total else 0


def look() -> Machine:
    """Blocking, but a matter of microseconds while nothing waits."""
    place = get_settings().data_dir
    place.mkdir(parents=True, exist_ok=True)
    disk, waiting = shutil.disk_usage(place), spool.counts()
    return Machine(disk.free, disk.total, waiting.spooled, waiting.spooled_red, _spool_age())


def _spool_age() -> float:
    """By the time of the oldest file: a text is written as soon as it is read."""
    began = []
    for path in spool_texts.folder().glob("*.sealed"):
        with suppress(FileNotFoundError):  # just brought in
            began.append(path.stat().st_mtime)
    return max(0.0, clock.now().timestamp() - min(began)) if began else 0.0
