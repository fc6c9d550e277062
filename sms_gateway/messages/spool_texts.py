"""What lies in the spool: a text and its mark, sealed, under names that say whose they are and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sms_gateway import clock, logs, tracing
from sms_gateway.contacts.models import Channel
from sms_gateway.crypto import blind_index, keyring
from sms_gateway.settings import get_settings

from . import spool_files as files
from .inbox import Inbound

log = logs.get("spool")

MB = 1_000_000
PLACE, MARK_PLACE = b"spool", b"spool-mark"
"""What a text and its mark are sealed for."""
FIRST_REFERENCE, REFERENCES = 10**16, 9 * 10**16
"""References of safe replies that leave from the spool: above every message's id, below those of outreach."""

_room = files.Room()


class Reply(StrEnum):
    """What became of a text's safe reply."""

    NONE = "none"
    """None is due from here: no danger, or the judge gives it once the text is in the database."""
    WAITING = "waiting"
    """The carrier was busy: tried again."""
    HANDING = "handing"
    """Given to the carrier; nobody knows yet whether it took it."""
    SENT = "sent"
    JOINED = "joined"
    """An earlier text of the same person has just got the same reply."""


@dataclass(frozen=True)
class Mark:
    """What was judged of a kept text, and what became of its safe reply. `at`: when that was handed over."""

    red: bool
    reply: Reply = Reply.NONE
    key: str | None = None
    carrier_id: str | None = None
    at: datetime | None = None


def folder() -> Path:
    """Where the files lie; made on first use, closed to others."""
    place = get_settings().data_dir / "spool"
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def write(inbound: Inbound, *, red: bool) -> files.Held | None:
    """Raises OSError where disk or quota is full."""
    settings, place = get_settings(), folder()
    sealed = keyring().seal(_plain(inbound), PLACE)
    allowed = settings.spool_mb - (0 if red else settings.spool_reserved_mb)
    if _room.taken(place) + len(sealed) > allowed * MB:
        raise OSError("the quota is used up")
    held = files.write_new(place, name_of(inbound), sealed, at=inbound.received_at)
    _room.note(len(sealed))
    return held


set_aside: set[str] = set()
"""Names of texts the database will not take, or that do not open: they stay, are counted, and hold nobody back."""


def take(path: Path) -> files.Held | None:
    """The text, locked; None when somebody else has it, it is gone, or it cannot be opened, and then it is set aside."""
    try:
        return files.take(path)
    except OSError as error:
        if path.name not in set_aside:  # said once, and not each second
            log.error("spool_file_not_opened", file=path.name, error=type(error).__name__)
        set_aside.add(path.name)
        return None


def remove(path: Path) -> None:
    """A text that is in the database; one that stays for want of a right is set aside: brought again, it is one text there."""
    try:
        files.remove(path)
    except OSError as error:
        if path.name not in set_aside:
            log.error("spool_file_not_removed", file=path.name, error=type(error).__name__)
        set_aside.add(path.name)


def is_joined(path: Path, inbound: Inbound, key: str) -> bool:
    """Whether a text of the same person that waits here got the same reply within the joining window."""
    for other in files.in_order(path.parent, contact=contact_of(inbound)):
        mark = read_mark(other) if other != path else None
        if mark is None or mark.key != key or mark.at is None or mark.reply not in (Reply.SENT, Reply.HANDING):
            continue
        if (clock.now() - mark.at).total_seconds() <= get_settings().joining_seconds:
            return True
    return False


def seal_mark(mark: Mark) -> bytes:
    """A mark as it lies on the disk."""
    plain = {"red": mark.red, "reply": mark.reply, "key": mark.key, "carrier_id": mark.carrier_id,
             "at": mark.at.isoformat() if mark.at else None}  # fmt: skip
    return keyring().seal(json.dumps(plain).encode(), MARK_PLACE)


def read_mark(path: Path) -> Mark | None:
    """The mark of a text; None while it has none, or where it is torn: then its judge answers it."""
    try:
        plain = json.loads(keyring().open(path.with_suffix(files.RED).read_bytes(), MARK_PLACE))
        at = datetime.fromisoformat(plain["at"]) if plain["at"] else None
        return Mark(plain["red"], Reply(plain["reply"]), plain["key"], plain["carrier_id"], at)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        log.error("spool_mark_unreadable", file=path.name, error=type(error).__name__)
        return None


def read(path: Path) -> Inbound | None:
    """A kept text; None for one that does not open."""
    try:
        plain = json.loads(keyring().open(path.read_bytes(), PLACE))
        return Inbound(
            Channel(plain["channel"]), plain["address"], plain["body"], plain["carrier"], plain["carrier_id"],
            datetime.fromisoformat(plain["received_at"]), plain.get("extension"),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, OSError) as error:
        log.error("spool_file_unreadable", file=path.name, error=type(error).__name__)
        return None


def read_trace(path: Path) -> str | None:
    """The id a kept text goes by in the logs."""
    try:
        trace = json.loads(keyring().open(path.read_bytes(), PLACE)).get(tracing.NAME)
    except (ValueError, OSError):
        return None
    return str(trace) if trace else None


def _plain(found: Inbound) -> bytes:
    plain = {
        "channel": found.channel, "address": found.address, "body": found.body, "carrier": found.carrier, "carrier_id": found.carrier_id,
        "received_at": found.received_at.isoformat(), "extension": found.extension, tracing.NAME: tracing.current(),
    }  # fmt: skip
    return json.dumps(plain, ensure_ascii=False).encode()


def contact_of(inbound: Inbound) -> str:
    return blind_index(f"{inbound.channel}:{inbound.address}", "spool.contact").hex()[:16]


def _identity(inbound: Inbound) -> str:
    return blind_index(f"{inbound.carrier}:{inbound.carrier_id}", "spool").hex()[:24]


def name_of(inbound: Inbound) -> str:
    return f"{contact_of(inbound)}-{_identity(inbound)}{files.TEXT}"


def reference_of(inbound: Inbound) -> int:
    return FIRST_REFERENCE + int(_identity(inbound), 16) % REFERENCES
