"""The sealed files beside the database: texts that wait in the spool of this machine, and their marks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sealing import Keyring, SealBroken, version_of
from sms_gateway.messages import spool_files as files
from sms_gateway.messages import spool_texts as texts

UNREADABLE = 0
"""Stands for the version of a file that cannot be read: it may be under any key, so none may be dropped."""


def standing() -> Counter[int]:
    """Files by the version of the key they are sealed with."""
    found: Counter[int] = Counter()
    for path in files.everything(texts.folder()):
        try:
            found[version_of(path.read_bytes()[:2])] += 1
        except FileNotFoundError:
            continue
        except OSError:
            found[UNREADABLE] += 1
    return found


def reseal(ring: Keyring) -> int:
    """Reseal what lies under an older key; how many files. A text somebody has in hand is left to the next round."""
    done = 0
    for path in files.in_order(texts.folder()):
        if (held := _take(path)) is None:
            continue
        try:
            # The text last: its lock goes with the old file, and whoever takes the new one finds its marks done.
            done += sum(_reseal(ring, held, part) for part in reversed(files.parts_of(path)))
        finally:
            held.release()
    return done


def _take(path: Path) -> files.Held | None:
    try:
        return files.take(path)
    except OSError:
        return None  # it cannot be opened; `standing` goes on counting it


def _reseal(ring: Keyring, held: files.Held, part: Path) -> bool:
    place = texts.PLACE if part.suffix == files.TEXT else texts.MARK_PLACE
    try:
        was = part.read_bytes()
        if version_of(was) == ring.current:
            return False
        fresh = ring.seal(ring.open(was, place), place)
    except (FileNotFoundError, SealBroken):
        return False
    files.renew(held, part, fresh)
    return True
