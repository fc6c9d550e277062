"""泄露应急: every way in ends at once, for everybody. Passwords stay; who belongs here signs in again."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import ApiKey, OperatorSession, SignInLink


async def end_sessions(session: AsyncSession) -> int:
    """No open session is left, no one-time link works any more; how many sessions there were."""
    now = clock.now()
    ended = update(OperatorSession).where(OperatorSession.ended_at.is_(None)).values(ended_at=now)
    found = (await session.scalars(ended.returning(OperatorSession.operator_id))).all()
    await session.execute(update(SignInLink).where(SignInLink.used_at.is_(None)).values(used_at=now))
    return len(found)


async def end_keys(session: AsyncSession) -> int:
    """No key of a department's system works any more; how many did."""
    ended = update(ApiKey).where(ApiKey.ended_at.is_(None)).values(ended_at=clock.now())
    return len((await session.scalars(ended.returning(ApiKey.id))).all())


async def count_open(session: AsyncSession) -> tuple[int, int]:
    """Sessions that were not ended, and living keys."""
    sessions = select(func.count()).where(OperatorSession.ended_at.is_(None))
    keys = select(func.count()).where(ApiKey.ended_at.is_(None))
    return await session.scalar(sessions) or 0, await session.scalar(keys) or 0
