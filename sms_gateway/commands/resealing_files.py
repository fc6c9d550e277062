"""The sealed files beside the database: texts that wait in the spool of this machine, and their marks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sealing import Keyring, SealBroken, version_of
from sms_gateway.messages import spool_files as files
from sms_gateway.messages import spool_texts as texts


def standing() -> Counter[int]:
    """Files by the version of the key they are sealed with."""
    found: Counter[int] = Counter()
    for path in files.everything(texts.folder()):
        try:
            found[version_of(path.read_bytes()[:2])] += 1
        except FileNotFoundError:
            continue
    return found


def reseal(ring: Keyring) -> int:
    """Reseal what lies under an older key; how many files. A text somebody has in hand is left to the next round."""
    done = 0
    for path in files.in_order(texts.folder()):
        if (held := files.take(path)) is None:
            continue
        try:
            done += sum(_reseal(ring, held, part) for part in files.parts_of(path))
        finally:
            held.release()
    return done


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
