"""Texts that come while the database is away: kept sealed on disk, judged at once, answered if red, replayed in order.

200 is said only after the file and its folder are on the disk. One file a text; a text the carrier brings twice finds
its file already there. The clock of everything runs from `received_at`, which the file keeps.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs, triage
from sms_gateway.carriers.carrier import SendError
from sms_gateway.carriers.registry import carrier
from sms_gateway.contacts.models import Channel
from sms_gateway.crypto import blind_index, keyring
from sms_gateway.database import transaction
from sms_gateway.settings import get_settings
from sms_gateway.triage.judgement import Judgement, Lane
from sms_gateway.wording import SIGNATURE, say

from . import inbox, outbox
from .inbox import Inbound

log = logs.get("spool")

DATABASE_IS_AWAY = (OperationalError, InterfaceError, NoConnectionFree, ConnectionError)
"""What SQLAlchemy raises when PostgreSQL cannot be reached, is shutting down, or gives no connection in time."""
ENDING = ".sealed"
PLACE = b"spool"
"""What a file is sealed for."""
_in_hand: set[str] = set()
"""Names of texts that `keep` is still judging and answering: not to be replayed meanwhile, or they are answered twice."""


@dataclass(frozen=True)
class Kept:
    """A text on disk. `red`: judged so; `answered`: the key of the safe reply that left, None when none did."""

    inbound: Inbound
    red: bool
    answered: str | None


@dataclass(frozen=True)
class Counts:
    """Texts waiting on disk, and how many of them are danger."""

    spooled: int
    spooled_red: int


def folder() -> Path:
    """Where the files lie; made on first use, closed to others."""
    place = get_settings().data_dir / "spool"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def counts() -> Counts:
    """For `/healthz` and the console's banner: names tell, nothing is opened."""
    names = [path.name for path in folder().glob(f"*{ENDING}")]
    return Counts(len(names), sum(".red" in name for name in names))


async def keep(inbound: Inbound) -> None:
    """Put a text on disk; in red send the safe reply through the carrier and note that."""
    name = _name(Kept(inbound, red=False, answered=None))
    _in_hand.add(name)
    try:
        await _keep(inbound)
    finally:
        _in_hand.discard(name)


async def _keep(inbound: Inbound) -> None:
    path = await asyncio.to_thread(_write_new, Kept(inbound, red=False, answered=None))
    if path is None:
        return
    judged = await asyncio.to_thread(triage.load().judge, inbound.body)
    log.warning("text_spooled", lane=str(judged.lane))
    if judged.lane is Lane.RED:
        kept = Kept(inbound, red=True, answered=await _answer(inbound, judged))
        await asyncio.to_thread(_rewrite, path, kept)


async def _answer(inbound: Inbound, judged: Judgement) -> str | None:
    if judged.reply_key is None or inbound.channel != Channel.SMS:
        return None
    try:
        edge = carrier(inbound.carrier)
        await edge.send(to=inbound.address, body=SIGNATURE + say(judged.reply_key), reference=0)
    except SendError as error:
        log.warning("spool_reply_failed", error=type(error).__name__)
        return None
    return judged.reply_key


def _name(kept: Kept) -> str:
    identity = blind_index(f"{kept.inbound.carrier}:{kept.inbound.carrier_id}", "spool").hex()[:24]
    return f"{kept.inbound.received_at.timestamp():017.6f}-{identity}{'.red' if kept.red else ''}{ENDING}"


def _write_new(kept: Kept) -> Path | None:
    place, name = folder(), _name(kept)
    if next(place.glob(f"*-{name.split('-')[1].split('.')[0]}*{ENDING}"), None) is not None:
        return None
    return _write(place / name, kept)


def _write(path: Path, kept: Kept) -> Path:
    found = kept.inbound
    plain = {
        "channel": found.channel, "address": found.address, "body": found.body, "carrier": found.carrier, "carrier_id": found.carrier_id,
        "received_at": found.received_at.isoformat(), "red": kept.red, "answered": kept.answered,
    }  # fmt: skip
    sealed = keyring().seal(json.dumps(plain, ensure_ascii=False).encode(), PLACE)
    making = path.with_suffix(".making")
    with making.open("wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
    _sync_folder(path.parent)
    return path


def _sync_folder(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rewrite(path: Path, kept: Kept) -> None:
    _write(path.with_name(_name(kept)), kept)
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _kept_texts() -> Iterator[tuple[Path, Kept]]:
    for path in sorted(folder().glob(f"*{ENDING}")):
        try:
            plain = json.loads(keyring().open(path.read_bytes(), PLACE))
            inbound = Inbound(
                Channel(plain["channel"]), plain["address"], plain["body"], plain["carrier"], plain["carrier_id"],
                datetime.fromisoformat(plain["received_at"]),
            )  # fmt: skip
            yield path, Kept(inbound, plain["red"], plain["answered"])
        except (ValueError, KeyError, OSError) as error:
            log.error("spool_file_unreadable", file=path.name, error=type(error).__name__)


async def replay() -> int:
    """Bring what is on disk into the database, in the order it came; returns how many. Stops where the database is away."""
    done = 0
    for path, kept in await asyncio.to_thread(lambda: list(_kept_texts())):
        if path.name in _in_hand or not path.exists():
            continue
        try:
            async with transaction() as session:
                await _bring_in(session, kept)
        except DATABASE_IS_AWAY:
            break
        except Exception:  # one that will not go in must not keep back those behind it; it stays on disk and is counted
            log.exception("spool_file_not_taken", file=path.name)
            continue
        path.unlink(missing_ok=True)
        done += 1
    if done:
        log.info("spool_replayed", texts=done)
    return done


async def _bring_in(session: AsyncSession, kept: Kept) -> None:
    recorded = await inbox.receive(session, replace(kept.inbound))
    if recorded is None or kept.answered is None:
        return
    await inbox.mark_answered(session, recorded.message_id, "spool")  # judged again, alarm raised, not answered again
    await outbox.note_sent_from_spool(
        session, recorded=recorded, key=kept.answered, carrier=kept.inbound.carrier, at=clock.now()
    )
