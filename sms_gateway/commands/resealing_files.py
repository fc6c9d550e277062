"""The sealed files beside the database: texts that wait in the spool of this machine."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from sealing import Keyring, SealBroken, version_of
from sms_gateway.messages import spool

FRESH = ".resealing"


def standing() -> Counter[int]:
    """Files by the version of the key they are sealed with."""
    found: Counter[int] = Counter()
    for path in _files():
        try:
            found[version_of(path.read_bytes()[:2])] += 1
        except FileNotFoundError:
            continue
    return found


def reseal(ring: Keyring) -> int:
    """Reseal what lies under an older key; how many files. A text that is taken in meanwhile is left alone.

    Should its file come back by the narrowest chance, it is a text the carrier brought twice, which is one message.
    """
    done = 0
    for path in _files():
        try:
            was = path.read_bytes()
            if version_of(was) == ring.current:
                continue
            fresh = ring.seal(ring.open(was, spool.PLACE), spool.PLACE)
        except (FileNotFoundError, SealBroken):
            continue
        done += _replace(path, was, fresh)
    return done


def _replace(path: Path, was: bytes, fresh: bytes) -> bool:
    making = path.with_suffix(FRESH)
    with making.open("wb") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    try:
        same = path.read_bytes() == was
    except FileNotFoundError:
        same = False
    if not same:
        making.unlink()
        return False
    making.replace(path)
    return True


def _files() -> list[Path]:
    return sorted(spool.folder().glob(f"*{spool.ENDING}"))
