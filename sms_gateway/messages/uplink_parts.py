"""Long texts that come in parts: each part is stored before it is acknowledged, and they are put together in any order.

Whoever stores the last part takes all of them, in the same transaction that stores the text. What never comes whole is taken
with what is there after a time-out. A part that was taken leaves a mark for a while, by which it is known when it comes again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index, sealed_for

from .models import UplinkPart

KNOWN_FOR = timedelta(minutes=15)
"""Gateways bring a part again within minutes when its acknowledgement was lost."""
MOST_AT_ONCE = 100

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 14))")
"""Two parts of one text at the same moment: the second sees the first."""


@dataclass(frozen=True)
class PartIn:
    """A part as it came: the carrier's id of it, whose, to which number, and what its header says (from 1). `data`: without the header."""

    carrier: str
    carrier_id: str
    sender: str = field(repr=False)
    dest_id: str
    reference: int
    total: int
    number: int
    coding: int
    data: bytes = field(repr=False)

    @property
    def whole_index(self) -> bytes:
        """Of the text it belongs to."""
        words = f"{self.carrier}\n{self.sender}\n{self.dest_id}\n{self.reference}\n{self.total}"
        return blind_index(words, "uplink_parts.whole")

    @property
    def part_index(self) -> bytes:
        """Of this very part: a reference comes again under other words."""
        return blind_index(f"{self.whole_index.hex()}\n{self.number}\n{self.data.hex()}", "uplink_parts.part")


async def put(session: AsyncSession, part: PartIn) -> list[PartIn]:
    """Store a part; all parts of its text in their order once they are there, else none. A part that came before is stored once."""
    await session.execute(_LOCK, {"name": part.whole_index.hex()})
    uid, plain = uuid4(), _plain(part)
    row = insert(UplinkPart).values(
        uid=uid, carrier=part.carrier, part_index=part.part_index, whole_index=part.whole_index, reference=part.reference,
        total=part.total, number=part.number, part_sealed=sealed_for("uplink_parts", "part_sealed", uid, plain), at=clock.now(),
    )  # fmt: skip
    new = await session.scalar(row.on_conflict_do_nothing().returning(UplinkPart.id))
    if new is None:
        return []
    return await _take(session, part.whole_index, only_whole=True)


async def list_overdue(session: AsyncSession, carrier: str, *, older_than: timedelta) -> list[bytes]:
    """Texts (`whole_index`) whose first part has waited so long. Old marks are forgotten."""
    now, row = clock.now(), UplinkPart
    await session.execute(delete(row).where(row.carrier == carrier, row.taken_at < now - KNOWN_FOR))
    overdue = select(row.whole_index).where(row.carrier == carrier, row.taken_at.is_(None), row.at <= now - older_than)
    return sorted(set(await session.scalars(overdue.order_by(row.at).limit(MOST_AT_ONCE))))


async def take(session: AsyncSession, whole_index: bytes) -> list[PartIn]:
    """What is there of a text, in order; none where somebody else has taken it meanwhile. Raises `sealing.SealBroken`."""
    await session.execute(_LOCK, {"name": whole_index.hex()})
    return await _take(session, whole_index, only_whole=False)


async def _take(session: AsyncSession, whole_index: bytes, *, only_whole: bool) -> list[PartIn]:
    waiting = select(UplinkPart).where(UplinkPart.whole_index == whole_index, UplinkPart.taken_at.is_(None))
    rows: Sequence[UplinkPart] = (await session.scalars(waiting.order_by(UplinkPart.id).with_for_update())).all()
    newest = {row.number: row for row in rows}  # an old reference under new words: the new ones are the text
    if not rows or (only_whole and len(newest) < rows[0].total):
        return []
    parts = [_opened(newest[number]) for number in sorted(newest)]
    for row in newest.values():
        row.part_sealed, row.taken_at = None, clock.now()
    await session.flush()
    return parts


def _plain(part: PartIn) -> list[object]:
    return [part.carrier_id, part.sender, part.dest_id, part.coding, b64encode(part.data).decode()]


def _opened(row: UplinkPart) -> PartIn:
    carrier_id, sender, dest_id, coding, data = row.part or ["", "", "", 0, ""]
    return PartIn(
        row.carrier, str(carrier_id), str(sender), str(dest_id), row.reference, row.total, row.number, int(str(coding)),
        b64decode(str(data)),
    )  # fmt: skip
