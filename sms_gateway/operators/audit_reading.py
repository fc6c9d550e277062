"""Reading the audit: filtered, paged, and a year from end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.clock import SHANGHAI
from sms_gateway.database import transaction

from . import audit_chain
from .audit_anchors import end_of
from .models import AuditAnchor, AuditRow

PAGE = 50
BATCH = 2_000
KEYS = "key"
"""As a filter: all systems of departments, whose chains are `key:1`, `key:2`…"""


@dataclass(frozen=True)
class Wanted:
    """What a page of the audit is narrowed to; None is everything. Days are Shanghai's."""

    operator_id: int | None = None
    writer: str | None = None
    """`key`, `terminal` or `system`, where no person is meant."""
    what: str | None = None
    subject: str | None = None
    """`ticket:12`."""
    since: date | None = None
    until: date | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """Conditions over `AuditRow`."""
        found: list[ColumnElement[bool]] = []
        if self.operator_id is not None:
            found.append(AuditRow.operator_id == self.operator_id)
        if self.writer is not None:
            found.append(AuditRow.stream.startswith("key:") if self.writer == KEYS else AuditRow.stream == self.writer)
        if self.what is not None:
            found.append(AuditRow.what == self.what)
        if self.subject is not None:
            found.append(AuditRow.subject == self.subject)
        if self.since is not None:
            found.append(AuditRow.at >= datetime.combine(self.since, time(), SHANGHAI))
        if self.until is not None:
            found.append(AuditRow.at < end_of(self.until))
        return found


WRITERS = (KEYS, audit_chain.TERMINAL, audit_chain.SYSTEM)


async def list_rows(
    session: AsyncSession, wanted: Wanted, *, within: ColumnElement[bool] | None = None, before: int | None = None, limit: int = PAGE
) -> Sequence[AuditRow]:  # fmt: skip
    """The newest rows first, below the id `before`; `within`: which of them the reader may see."""
    rows = select(AuditRow).where(*wanted.where(), within if within is not None else true())
    if before is not None:
        rows = rows.where(AuditRow.id < before)
    return (await session.scalars(rows.order_by(AuditRow.id.desc()).limit(limit))).all()


async def read_year(year: int) -> AsyncIterator[Sequence[AuditRow]]:
    """All rows of a year by Shanghai's calendar, oldest first, in batches; a transaction each, so that nothing is held open."""
    span = Wanted(since=date(year, 1, 1), until=date(year, 12, 31)).where()
    after = 0
    while True:
        async with transaction() as session:
            rows = select(AuditRow).where(*span, AuditRow.id > after).order_by(AuditRow.id).limit(BATCH)
            found = (await session.scalars(rows)).all()
        if not found:
            return
        yield found
        after = found[-1].id


async def list_anchors(session: AsyncSession, year: int) -> Sequence[AuditAnchor]:
    """A year's anchors, oldest first."""
    days = select(AuditAnchor).where(AuditAnchor.day >= f"{year}-01-01", AuditAnchor.day <= f"{year}-12-31")
    return (await session.scalars(days.order_by(AuditAnchor.day))).all()
