"""Supervisors' figures: counted anew every minute by one process, kept as one row for each region.

A page reads one row, however many tickets there are. Counting is a handful of GROUP BYs over the open tickets and the last
three months; rolling up is `figures.make`.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date as SqlDate
from sqlalchemy import Float, and_, case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction

from . import figures, filters
from .figures import Came, Counts, OpenCount, Took, UnitCount
from .lifecycle import Status
from .models import PROVINCE, Dashboard, Dispatch, Ticket, TicketEvent

EVERY = timedelta(minutes=1)
LOCK = 54_2026_01
"""PostgreSQL's advisory lock that the counting process holds."""
SETTLED = (Status.CONCLUDED.value, Status.FOLLOWED_UP.value, Status.EVALUATED.value)


async def load(session: AsyncSession, scope: str) -> Dashboard | None:
    """The figures of a region as they were counted last; None before the first time."""
    return await session.get(Dashboard, scope)


async def sweep() -> bool:
    """Count anew when the last time is a minute ago; False when it is not, or another process is at it."""
    async with transaction() as session:
        at = await session.scalar(select(Dashboard.at).where(Dashboard.scope == PROVINCE))
        if at is not None and clock.now() - at < EVERY:
            return False
        if not await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
            return False
        await count_all(session)
    return True


async def count_all(session: AsyncSession) -> int:
    """Count and store the figures of every region; returns how many."""
    now = clock.now()
    counts = await _count(session, now)
    made = await asyncio.to_thread(figures.make, counts)
    row = insert(Dashboard)
    keep = row.on_conflict_do_update(
        index_elements=["scope"], set_={"at": row.excluded.at, "figures": row.excluded.figures}
    )
    await session.execute(keep, [{"scope": scope, "at": now, "figures": made[scope]} for scope in made])
    return len(made)


async def _count(session: AsyncSession, now: datetime) -> Counts:
    await session.execute(text("SET LOCAL work_mem = '32MB'"))
    today = clock.shanghai(now).date()
    first = await session.scalar(select(func.min(Ticket.received_at)))
    counts = Counts(today, clock.shanghai(first).date() if first is not None else None)
    counts.open = await _open(session, now)
    counts.units = [*await _units_now(session, now), *await _units_lately(session, figures.window_from(today))]
    counts.came = await _came(session, figures.first_day(today))
    counts.took = await _took(session, figures.window_from(today))
    return counts


def _age(now: datetime) -> Any:
    """The key of `filters.AGES`, in SQL."""
    oldest_first = reversed([(name, bounds[0]) for name, bounds in filters.AGES.items()])
    return case(*((Ticket.received_at <= now - timedelta(days=days), name) for name, days in oldest_first), else_="0-1")


async def _open(session: AsyncSession, now: datetime) -> list[OpenCount]:
    alike = (
        Ticket.place, Ticket.status, Ticket.lane, _age(now), filters.is_late(now), Ticket.supervised > 0, Ticket.returns > 0,
    )  # fmt: skip
    rows = await session.execute(
        select(*alike, func.count()).where(Ticket.closed_at.is_(None)).group_by(*(text(str(n)) for n in range(1, 8)))
    )
    return [OpenCount(*row) for row in rows]


async def _units_now(session: AsyncSession, now: datetime) -> list[UnitCount]:
    late = func.count().filter(filters.is_late(now))
    rows = await session.execute(
        select(Ticket.place, Ticket.unit, func.count(), late)
        .where(Ticket.closed_at.is_(None))
        .group_by(Ticket.place, Ticket.unit)
    )
    return [UnitCount(place, unit, open=open_, late=late_) for place, unit, open_, late_ in rows]


async def _units_lately(session: AsyncSession, since: date) -> list[UnitCount]:
    start = filters.start_of(since)
    back = (
        select(TicketEvent.ticket_id)
        .where(TicketEvent.what == Status.REWORKED.value, TicketEvent.who == "person", TicketEvent.at >= start)
        .distinct()
        .subquery()
    )
    unsolved = back.c.ticket_id.is_not(None)
    marks = [func.count().filter(Ticket.evaluated == mark) for mark in range(1, 6)]
    rows = await session.execute(
        select(
            Ticket.place, Ticket.unit, func.count(), func.count().filter(Ticket.returns > 0), func.count().filter(unsolved),
            func.count().filter(unsolved | Ticket.evaluated.is_not(None)), *marks,
        )
        .outerjoin(back, back.c.ticket_id == Ticket.id)
        .where(Ticket.received_at >= start)
        .group_by(Ticket.place, Ticket.unit)
    )  # fmt: skip
    return [
        UnitCount(
            place, unit, came=came, returned=returned, unsolved=not_solved, answered=answered, marks=(one, two, three, four, five),
        )
        for place, unit, came, returned, not_solved, answered, one, two, three, four, five in rows
    ]  # fmt: skip


async def _came(session: AsyncSession, since: date) -> list[Came]:
    day = cast(func.timezone("Asia/Shanghai", Ticket.received_at), SqlDate)
    rows = await session.execute(
        select(Ticket.place, Ticket.category, day, func.count())
        .where(Ticket.received_at >= filters.start_of(since))
        .group_by(text("1"), text("2"), text("3"))
    )
    return [Came(*row) for row in rows]


async def _took(session: AsyncSession, since: date) -> list[Took]:
    """Medians and ninetieth percentiles, exact at every level: a median cannot be rolled up."""
    start = filters.start_of(since)
    came = Ticket.received_at >= start
    main = and_(came, Dispatch.role == "main", Dispatch.ticket_id == Ticket.id)
    sources = (
        ("sign", Dispatch.signed_at - Dispatch.dispatched_at, and_(main, Dispatch.signed_at.is_not(None))),
        ("reply", Dispatch.replied_at - Dispatch.dispatched_at, and_(main, Dispatch.replied_at.is_not(None))),
        ("conclude", Ticket.closed_at - Ticket.received_at, and_(came, Ticket.status.in_(SETTLED))),
    )
    found = []
    for what, interval, condition in sources:
        hours = cast(func.extract("epoch", interval), Float) / 3600
        known = and_(condition, hours >= 0)
        each = select(func.unnest(_scopes()).label("scope"), hours.label("hours")).where(known).subquery()
        spread = func.percentile_cont([0.5, 0.9]).within_group(each.c.hours)
        rows = await session.execute(select(each.c.scope, func.count(), spread).group_by(each.c.scope))
        found += [Took(scope, what, count, *middle) for scope, count, middle in rows]
    return found


def _scopes() -> Any:
    """`figures.scopes_of`, in SQL."""
    prefecture = func.concat(func.left(Ticket.place, 4), "00")
    return case(
        (Ticket.place == PROVINCE, array([literal(PROVINCE)])),
        (Ticket.place.like("%00"), array([Ticket.place, literal(PROVINCE)])),
        else_=array([Ticket.place, prefecture, literal(PROVINCE)]),
    )
