"""How far each run has come, event by event, in a small file that outlives the process.

The database learns it four times a second and after each batch; a mark there for every event halves the speed of pushing
(measured: DECISIONS). When a worker is killed, whoever takes its subscriber over on this machine reads the file, so only
the event that was being sent is sent again. When the machine is lost, up to a quarter of a second's events are, under the
same `webhook-id`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sms_gateway.settings import get_settings


def _path(holder: UUID) -> Path:
    folder = get_settings().data_dir / "pushes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / holder.hex


class Progress:
    """The position and status of the last event that arrived; 0 and None before the first."""

    def __init__(self, holder: UUID) -> None:
        self.position, self.status = 0, ""
        self._holder = holder
        self._file = os.open(_path(holder), os.O_CREAT | os.O_WRONLY, 0o600)

    def note(self, position: int, status: str) -> None:
        """Everything up to `position` has arrived."""
        os.pwrite(self._file, b"%020d" % position, 0)
        self.position, self.status = position, status

    def close(self, *, written: bool) -> None:
        """The run is over. `written`: the database knows it all, and the file goes."""
        os.close(self._file)
        if written:
            forget(self._holder)


def left_by(holder: UUID | None) -> int:
    """How far a run came that did not end by itself; 0 when that is not known here."""
    if holder is None:
        return 0
    with suppress(OSError, ValueError):
        return int(_path(holder).read_bytes() or b"0")
    return 0


def forget(holder: UUID | None) -> None:
    """The database knows how far it came."""
    if holder is not None:
        _path(holder).unlink(missing_ok=True)
