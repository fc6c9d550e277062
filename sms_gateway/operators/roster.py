"""Who is who, for pages that show a colleague: names and badges, presence, what was written into the audit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from .models import AuditRow, Operator
from .presence import seen_since


async def list_operators(session: AsyncSession) -> Sequence[Operator]:
    """Every account that works, by badge."""
    return (
        await session.scalars(select(Operator).where(Operator.disabled_at.is_(None)).order_by(Operator.badge))
    ).all()


async def name_operators(session: AsyncSession, ids: Collection[int]) -> dict[int, Operator]:
    """The accounts of these ids, disabled ones too."""
    if not ids:
        return {}
    return {row.id: row for row in await session.scalars(select(Operator).where(Operator.id.in_(ids)))}


def is_there(operator: Operator, now: datetime | None = None) -> bool:
    """Whether this operator has an open console right now."""
    seen = operator.last_seen_at
    return seen is not None and seen >= seen_since(now)


async def list_audit(
    session: AsyncSession, *, within: ColumnElement[bool] | None = None, limit: int = 60
) -> Sequence[AuditRow]:
    """The newest audit rows; `within`: which of them the reader may see."""
    wanted = select(AuditRow).where(within if within is not None else true())
    return (await session.scalars(wanted.order_by(AuditRow.id.desc()).limit(limit))).all()
