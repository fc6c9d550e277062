"""The files of the spool: written whole or not at all, locked while somebody cares for them, counted against a quota.

One file a text, `<contact>-<text>.sealed`: both are blind indexes, so the same text twice finds its name taken, and whose texts
wait is known without opening one. Its time is the moment it was received, which is the order of replay. A mark beside it, `.red`
or `.calm`, says what was judged. A file is born locked and stays so until its text is judged and answered; a lock ends with its
process, whatever ends that, so any number of gateways may share the folder.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

TEXT, RED, CALM, MAKING, RESERVE = ".sealed", ".red", ".calm", ".making", "reserve"
LEFT_BEHIND_AFTER = 60.0
"""Seconds after which a file that is still being made belongs to nobody: its writer was killed, and nobody was told 200."""
BLOCK = 4096
MEASURED_FOR = 1.0
"""Seconds for which the folder's size is believed, with what this process has written since."""
FREED_AT_ONCE = 16 * BLOCK


@dataclass(frozen=True)
class Held:
    """A text's file, locked by us until `release`."""

    path: Path
    handle: int

    def release(self) -> None:
        """Let others have it."""
        os.close(self.handle)


def write_new(place: Path, name: str, sealed: bytes, *, at: datetime) -> Held | None:
    """A new text, on the disk with its folder when this returns, and locked; None when it is there already. Raises OSError."""
    making = place / f"{name}.{secrets.token_hex(6)}{MAKING}"
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _write_all(handle, sealed)
        nanoseconds = round(at.timestamp() * 1e6) * 1000
        os.utime(handle, ns=(nanoseconds, nanoseconds))
        os.fsync(handle)
        os.link(making, place / name)  # fails where the name is taken, also by another process at this moment
        sync_folder(place)  # if this fails it lies there unlocked: `care` and `replay` see to it
    except BaseException as error:
        os.close(handle)
        if isinstance(error, FileExistsError):
            sync_folder(place)
            return None
        raise
    finally:
        making.unlink(missing_ok=True)
    return Held(place / name, handle)


def write_mark(path: Path, ending: str, sealed: bytes) -> None:
    """The mark of a text, in place of an earlier one; on the disk when this returns. Raises OSError."""
    making = path.with_name(f"{path.stem}.{secrets.token_hex(6)}{MAKING}")
    try:
        with making.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path.with_suffix(ending))
    finally:
        making.unlink(missing_ok=True)
    sync_folder(path.parent)


def take(path: Path) -> Held | None:
    """Lock a text; None when somebody else has it, or it is gone. Raises OSError for one that we may not or cannot open."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:
            return Held(path, handle)
    except BlockingIOError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def everything(place: Path) -> list[Path]:
    """Every text that waits, in order, each followed by its mark."""
    return [one for text in in_order(place) for one in parts_of(text) if one.exists()]


def parts_of(path: Path) -> tuple[Path, ...]:
    """A text and where its marks may lie."""
    return tuple(path.with_suffix(ending) for ending in (TEXT, RED, CALM))


def renew(held: Held, part: Path, sealed: bytes) -> None:
    """Other bytes in a text or its mark, its time kept; whoever has opened the old file finds it gone (`take`). Raises OSError."""
    making, at = part.with_name(f"{part.stem}.{secrets.token_hex(6)}{MAKING}"), part.stat().st_mtime_ns
    try:
        with making.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.utime(file.fileno(), ns=(at, at))
            os.fsync(file.fileno())
        making.replace(part)
    finally:
        making.unlink(missing_ok=True)
    sync_folder(held.path.parent)


def remove(path: Path) -> None:
    """A text that is in the database; its mark first, so that none is left behind."""
    for ending in (RED, CALM, TEXT):
        path.with_suffix(ending).unlink(missing_ok=True)


def holds_any(place: Path) -> bool:
    """Whether any text waits."""
    with os.scandir(place) as found:
        return any(entry.name.endswith(TEXT) for entry in found)


def in_order(place: Path, *, contact: str = "") -> list[Path]:
    """Texts that wait (of one contact), as they were received."""
    with os.scandir(place) as found:
        texts = [entry for entry in found if entry.name.endswith(TEXT) and entry.name.startswith(contact)]
    timed = []
    for entry in texts:
        with suppress(FileNotFoundError):
            timed.append((entry.stat().st_mtime_ns, entry.name))
    return [place / name for _at, name in sorted(timed)]


def danger_first(place: Path, *, contact: str = "") -> list[Path]:
    """The same, but first everything of those who wrote of danger: it must ring before a long outage is worked off."""
    found = in_order(place, contact=contact)
    urgent = {path.name.partition("-")[0] for path in found if path.with_suffix(RED).exists()}
    return sorted(found, key=lambda path: path.name.partition("-")[0] not in urgent)  # stable: the order of each stays


def count(place: Path) -> tuple[int, int]:
    """How many texts wait, and how many of them are danger. Names tell, nothing is opened."""
    names = {path.name for path in place.iterdir()}
    texts = [name for name in names if name.endswith(TEXT)]
    return len(texts), sum(name.removesuffix(TEXT) + RED in names for name in texts)


def sweep_left_behind(place: Path) -> None:
    """Remove what a killed writer has left half made."""
    for making in place.glob(f"*{MAKING}"):
        with suppress(FileNotFoundError):
            if time.time() - making.stat().st_ctime > LEFT_BEHIND_AFTER:
                making.unlink()


class Room:
    """How much of its quota the folder has taken."""

    def __init__(self) -> None:
        self._measured_at = -MEASURED_FOR
        self._taken = 0
        self._place: Path | None = None

    def taken(self, place: Path) -> int:
        """Bytes on the disk, without the reserve."""
        if place != self._place or time.monotonic() - self._measured_at >= MEASURED_FOR:
            self._place, self._measured_at, self._taken = place, time.monotonic(), _size(place)
        return self._taken

    def note(self, size: int) -> None:
        """So many bytes were written just now, and a mark will follow."""
        self._taken += (-(-size // BLOCK) + 1) * BLOCK


def _size(place: Path) -> int:
    total = 0
    with os.scandir(place) as found:
        for entry in found:
            with suppress(FileNotFoundError):
                if entry.name != RESERVE:
                    total += -(-entry.stat().st_size // BLOCK) * BLOCK
    return total


def fill_reserve(place: Path, size: int) -> None:
    """Hold `size` bytes of the disk for danger, as far as there is room."""
    with suppress(OSError):
        handle = os.open(place / RESERVE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size != size:
                os.ftruncate(handle, min(size, os.fstat(handle).st_size))
                os.posix_fallocate(handle, 0, size)
        finally:
            os.close(handle)


def free_some(place: Path) -> bool:
    """Give back a little of the reserve, for a text of danger on a full disk; False when nothing is left of it."""
    try:
        left = (place / RESERVE).stat().st_size
        os.truncate(place / RESERVE, max(0, left - FREED_AT_ONCE))
    except OSError:
        return False
    return left > 0


def sync_folder(place: Path) -> None:
    """Names in the folder are on the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]
