"""The day's anchor: one row that says what every chain said, so that a tail cut off later is missed. Made once a day.

An anchor covers events by id, not by time: a row that comes late falls into the next one and changes no old day. The
root also stands in the audit (its first 28 hex digits), a second place to look.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.clock import SHANGHAI, shanghai
from sms_gateway.database import transaction
from sms_gateway.operators import presence

from . import chain
from .models import TicketAnchor, TicketEvent

GRACE = timedelta(hours=1)
"""No transaction is open for so long: what has an id from before is there."""
AUDITED_AS = "ticket_anchor"
NO_ROOT = bytes(32)
"""What stands before the first anchor."""
_LOCK = 12345_01


async def sweep() -> int:
    """Anchor every Shanghai day that is over and has none yet; returns how many. Any number of processes may try."""
    made = 0
    while True:
        async with transaction() as session:
            if await anchor_next_day(session) is None:
                return made
        made += 1


async def anchor_next_day(session: AsyncSession) -> TicketAnchor | None:
    """The anchor of the oldest day that can have one and has none; None when there is no such day."""
    last = await session.scalar(select(TicketAnchor).order_by(TicketAnchor.day.desc()).limit(1))
    day = await _first_day(session) if last is None else date.fromisoformat(last.day) + timedelta(days=1)
    if day is None or clock.now() < _end(day) + GRACE:
        return None
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return None
    if await session.get(TicketAnchor, day.isoformat()) is not None:  # somebody was quicker
        return None
    after = last.last_event_id if last else 0
    of_day = TicketEvent.id > after, TicketEvent.at < _end(day)
    up_to = await session.scalar(select(func.max(TicketEvent.id)).where(*of_day)) or after
    events, root = await root_of(session, last.root if last else NO_ROOT, after, up_to)
    anchor = TicketAnchor(day=day.isoformat(), events=events, last_event_id=up_to, root=root, at=clock.now())
    session.add(anchor)
    await presence.note(session, operator_id=None, what=AUDITED_AS, subject=audit_subject(anchor.day, root))
    await session.flush()
    return anchor


async def root_of(session: AsyncSession, before: bytes, after: int, up_to: int) -> tuple[int, bytes]:
    """How many events have an id in (after, up_to], and the root over them."""
    wanted = select(TicketEvent.chain_hash).where(TicketEvent.id > after, TicketEvent.id <= up_to)
    heads: list[bytes] = []  # 32 bytes each: a day of a whole province fits many times
    async for head in await session.stream_scalars(wanted.order_by(TicketEvent.id).execution_options(yield_per=5_000)):
        heads.append(head)  # noqa: PERF401 - an async stream is no list
    return len(heads), chain.root(before, heads)


def audit_subject(day: str, root: bytes) -> str:
    """As the audit row names an anchor."""
    return f"{day} {root.hex()[:28]}"


async def _first_day(session: AsyncSession) -> date | None:
    first = await session.scalar(select(TicketEvent.at).order_by(TicketEvent.id).limit(1))
    return shanghai(first).date() if first else None


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
