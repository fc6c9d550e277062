"""Pages of a list of tickets, however many there are: the order is an index's, a page is cut by where the last one ended.

Counts stop at `COUNT_TO`: nobody reads the difference between 500 and 40,000, and a page must not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from . import filters
from .filters import Filter
from .models import Ticket

PAGE = 50
COUNT_TO = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """Tickets with their contacts loaded. `after`: what the next page is asked with; empty on the last one."""

    rows: Sequence[Ticket]
    after: str


async def list_page(
    session: AsyncSession, wanted: Filter, *, within: ColumnElement[bool], after: str = "", limit: int = PAGE
) -> Page:
    """One page: open ones by lane (red first) and term, closed and mixed ones newest first. A forged `after` is the start."""
    query = select(Ticket).where(within, filters.where(wanted)).options(joinedload(Ticket.contact))
    rows = list((await session.scalars(_cut(query, wanted, after).limit(limit + 1))).all())
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, mark_of(rows[-1], wanted) if more else "")


def is_by_term(wanted: Filter) -> bool:
    """Whether the list is ordered by lane and term (open matters), or newest first."""
    return wanted.show in ("open", "danger", "late")


def _cut(query: Select[Ticket], wanted: Filter, after: str) -> Select[Ticket]:
    """`red` > `orange` > `blue` also by the letter, so that one index gives the order."""
    if is_by_term(wanted):
        place = _read_mark(after)
        if place is not None:
            lane, due, last = place
            later = tuple_(Ticket.due_at, Ticket.id) > (due, last)
            query = query.where((Ticket.lane < lane) | ((Ticket.lane == lane) & later))
        return query.order_by(Ticket.lane.desc(), Ticket.due_at, Ticket.id)
    if after.isascii() and after.isdigit() and len(after) < 19:
        query = query.where(Ticket.id < int(after))
    return query.order_by(Ticket.id.desc())


def mark_of(row: Ticket, wanted: Filter) -> str:
    """What the page after this row is asked with."""
    if is_by_term(wanted):
        return f"{row.lane}_{(row.due_at - EPOCH) // timedelta(microseconds=1)}_{row.id}"
    return str(row.id)


def _read_mark(after: str) -> tuple[str, datetime, int] | None:
    lane, _, rest = after.partition("_")
    due, _, last = rest.partition("_")
    if lane not in filters.LANES or not (due + last).isascii() or not (due.isdigit() and last.isdigit()):
        return None
    if len(due) > 17 or len(last) > 18:
        return None
    return lane, EPOCH + timedelta(microseconds=int(due)), int(last)


async def count(
    session: AsyncSession, wanted: Filter, *, within: ColumnElement[bool], up_to: int = COUNT_TO, now: datetime | None = None
) -> int:  # fmt: skip
    """How many there are; `up_to` + 1 stands for "more than `up_to`"."""
    some = select(Ticket.id).where(within, filters.where(wanted, now=now)).limit(up_to + 1).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0
