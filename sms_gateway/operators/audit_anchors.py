"""The audit's daily anchor, and dropping old days behind one. As the tickets' anchors (`tickets/anchors.py`), but keyed.

An anchor covers rows by their place in a chain, not by time: a row that comes late falls into the next one. Its root also goes
into the log, a place outside the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.clock import SHANGHAI, shanghai
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.errors import Conflict

from . import audit
from . import audit_chain as chain
from .models import AuditAnchor, AuditRow

log = logs.get("audit")
GRACE = timedelta(hours=1)
"""No transaction is open for so long: what was noted before is there."""
NO_ROOT = bytes(32)
"""What stands before the first anchor."""
ROOT_PURPOSE = "audit.anchor"
DROPPED, BLANKED = "drop_audit", "blank_audit"
KEPT_AT_LEAST = timedelta(days=183)
"""Six months: the least a network's logs are kept (网络安全法 21(3))."""
_LOCK = 12345_02
_MAY_DROP = text("SELECT set_config('hotline.audit_drop', :may, true)")
"""What the table's trigger asks, for this transaction only."""


class TooEarlyToDrop(Conflict):
    sentence = "审计记录至少要留六个月，还没有存证的日子也不能清。"


async def sweep() -> int:
    """Anchor every Shanghai day that is over and has none yet; returns how many. Any number of processes may try."""
    made = 0
    while True:
        async with transaction() as session:
            anchor = await anchor_next_day(session)
        if anchor is None:
            return made
        log.info("audit_anchored", day=anchor.day, rows=anchor.rows, root=anchor.root.hex())
        made += 1


async def anchor_next_day(session: AsyncSession) -> AuditAnchor | None:
    """The anchor of the oldest day that can have one and has none; None when there is no such day."""
    last = await session.scalar(select(AuditAnchor).order_by(AuditAnchor.day.desc()).limit(1))
    day = await _first_day(session) if last is None else date.fromisoformat(last.day) + timedelta(days=1)
    if day is None or clock.now() < end_of(day) + GRACE:
        return None
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return None
    if await session.get(AuditAnchor, day.isoformat()) is not None:  # somebody was quicker
        return None
    before = await heads_through(session, None)
    heads = await _heads_at(session, before, end_of(day))
    rows = sum(seq - (before[stream][0] if stream in before else 0) for stream, (seq, _head) in heads.items())
    stood = {stream: [seq, head.hex()] for stream, (seq, head) in heads.items()}
    root = root_of(last.root if last else NO_ROOT, day.isoformat(), rows, heads)
    anchor = AuditAnchor(day=day.isoformat(), rows=rows, heads=stood, root=root, at=clock.now())
    session.add(anchor)
    await session.flush()
    return anchor


def root_of(before: bytes, day: str, rows: int, heads: chain.Heads) -> bytes:
    """A day's anchor, keyed."""
    return blind_index(chain.anchor_text(before, day, rows, heads), ROOT_PURPOSE)


def read_heads(anchor: AuditAnchor) -> dict[str, tuple[int, bytes]]:
    """Where the chains that moved on its day stood."""
    return {stream: (int(seq), bytes.fromhex(head)) for stream, (seq, head) in anchor.heads.items()}


async def heads_through(session: AsyncSession, day: date | None) -> dict[str, tuple[int, bytes]]:
    """Where every chain stood at the end of `day` (None: at the last anchor), by the anchors."""
    wanted = select(AuditAnchor).order_by(AuditAnchor.day)
    if day is not None:
        wanted = wanted.where(AuditAnchor.day <= day.isoformat())
    stood: dict[str, tuple[int, bytes]] = {}
    for anchor in await session.scalars(wanted):
        stood |= read_heads(anchor)
    return stood


async def drop_through(session: AsyncSession, day: date) -> int:
    """Drop all audit rows up to the end of `day` (Shanghai's date); returns how many. For retention, and the only way to drop any.

    What is left still verifies: each chain goes on from where the day's anchor says it stood, and anchors are never dropped.
    Whole days only, the oldest first (there is no leaving a day out in the middle); the dropping is itself an audit row
    (`drop_audit`, `audit:2023-11-30`), by which `verify` knows that the gap is ours. Safe to repeat. Raises
    `TooEarlyToDrop` (409) for a day less than six months ago and for one that has no anchor yet (`sweep` makes them).
    """
    if end_of(day) > clock.now() - KEPT_AT_LEAST or await session.get(AuditAnchor, day.isoformat()) is None:
        raise TooEarlyToDrop
    await session.execute(_MAY_DROP, {"may": "on"})
    dropped = 0
    for stream, (seq, _head) in (await heads_through(session, day)).items():
        gone = delete(AuditRow).where(AuditRow.stream == stream, AuditRow.seq <= seq).returning(AuditRow.id)
        dropped += len((await session.execute(gone.execution_options(synchronize_session=False))).all())
    await session.execute(_MAY_DROP, {"may": "off"})
    if dropped:
        audit.write(session, operator_id=None, what=DROPPED, subject=f"audit:{day}", detail=f"{dropped} 条")
    return dropped


async def blank_through(session: AsyncSession, day: date, *, most: int = 5_000) -> int:
    """Take the reasons (somebody's words) out of the audit rows up to the end of `day`; returns how many. For retention: the rows,
    who, when and what, and every chain stay as they are. At most `most` at a time, so that nothing is held for long: call it until
    it returns 0. The blanking is itself an audit row (`blank_audit`, `audit:2026-05-31`), by which `verify` knows it was ours. Raises
    `TooEarlyToDrop` (409) for a day less than six months ago.
    """
    if end_of(day) > clock.now() - KEPT_AT_LEAST:
        raise TooEarlyToDrop
    worded = select(AuditRow.id).where(AuditRow.at < end_of(day), AuditRow.detail_sealed.is_not(None))
    await session.execute(_MAY_DROP, {"may": "on"})
    gone = update(AuditRow).where(AuditRow.id.in_(worded.order_by(AuditRow.id).limit(most))).values(detail_sealed=None)
    done = gone.returning(AuditRow.id).execution_options(synchronize_session=False)
    blanked = len((await session.execute(done)).all())
    await session.execute(_MAY_DROP, {"may": "off"})
    if blanked:
        audit.write(session, operator_id=None, what=BLANKED, subject=f"audit:{day}")
    return blanked


async def _heads_at(
    session: AsyncSession, before: Mapping[str, tuple[int, bytes]], end: datetime
) -> dict[str, tuple[int, bytes]]:
    """Of the chains that moved since `before`: their last row from before `end`."""
    last = select(AuditRow.stream, func.max(AuditRow.seq)).where(AuditRow.at < end).group_by(AuditRow.stream)
    if before:
        last = last.where(
            AuditRow.at >= end - timedelta(days=8)
        )  # a chain that has not moved for so long has no new row
    found = [(stream, seq) for stream, seq in await session.execute(last)]
    moved = [(stream, seq) for stream, seq in found if stream not in before or seq > before[stream][0]]
    heads = select(AuditRow.stream, AuditRow.seq, AuditRow.chain_hash)
    rows = await session.execute(heads.where(tuple_(AuditRow.stream, AuditRow.seq).in_(moved)))
    return {stream: (seq, head) for stream, seq, head in rows}


async def _first_day(session: AsyncSession) -> date | None:
    first = await session.scalar(select(func.min(AuditRow.at)))
    return shanghai(first).date() if first else None


def end_of(day: date) -> datetime:
    """When a Shanghai day is over."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
