"""Who is there right now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, exists, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.settings import get_settings

from . import audit
from .models import Operator, Role


def seen_since(now: datetime | None = None) -> datetime:
    """An operator whose console has been silent since before then is away (heartbeats come every 5 s)."""
    return (now or clock.now()) - timedelta(seconds=get_settings().seen_within_seconds)


async def is_anyone_on_duty(session: AsyncSession) -> bool:
    """Whether somebody on duty has an open console."""
    there = exists().where(Operator.on_duty, Operator.disabled_at.is_(None), Operator.last_seen_at >= seen_since())
    return bool(await session.scalar(select(there)))


async def is_there(session: AsyncSession, operator_id: int, *, within: timedelta | None = None) -> bool:
    """Whether this operator's console was open within that time; as `seen_since` where none is given."""
    since = clock.now() - within if within is not None else seen_since()
    there = exists().where(Operator.id == operator_id, Operator.disabled_at.is_(None), Operator.last_seen_at >= since)
    return bool(await session.scalar(select(there)))


async def list_on_duty(session: AsyncSession) -> list[Operator]:
    """Everybody on duty with an open console."""
    there = select(Operator).where(
        Operator.on_duty, Operator.disabled_at.is_(None), Operator.last_seen_at >= seen_since()
    )
    return list(await session.scalars(there.order_by(Operator.badge)))


async def beat(session: AsyncSession, *, operator_id: int) -> None:
    """The console of this operator is open."""
    await session.execute(update(Operator).where(Operator.id == operator_id).values(last_seen_at=clock.now()))


async def set_duty(session: AsyncSession, *, operator_id: int, on_duty: bool) -> None:
    """Start or end this operator's duty. Editors and departments are never on duty: nobody would be helped by them."""
    duty = and_(literal(on_duty), Operator.role.in_((Role.OPERATOR, Role.SUPERVISOR)))
    await session.execute(
        update(Operator).where(Operator.id == operator_id).values(on_duty=duty, last_seen_at=clock.now())
    )


async def note(
    session: AsyncSession, *, operator_id: int | None, what: str, subject: str, detail: str | None = None, stream: str | None = None
) -> None:  # fmt: skip
    """Write an audit row: who looked at or changed what (`ticket:12`), and why, if they had to say so (sealed); see `audit.write`."""
    audit.write(session, operator_id=operator_id, what=what, subject=subject, detail=detail, stream=stream)
