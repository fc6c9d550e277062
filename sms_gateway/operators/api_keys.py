"""Keys for systems of a unit: shown once when made, kept only as a hash."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import BadInput, HotlineError, NotFound

from .models import ApiKey
from .signin import hashed

PREFIX = "hk_"
"""Lets secret scanners know one."""
LONGEST_NAME = 60
TOUCH_AFTER = timedelta(minutes=1)


class KeyIsMissing(HotlineError):
    status_code = 401
    sentence = "没有密钥，或者密钥不对、已停用。"


class KeyNotFound(NotFound):
    sentence = "没有这个密钥。"


async def make(session: AsyncSession, *, unit: str, name: str) -> tuple[ApiKey, str]:
    """A new key and its token, which is told here and never again. The caller has checked that the unit exists."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise BadInput(f"密钥要有名字，最长 {LONGEST_NAME} 个字。")
    token = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(unit=unit, name=name.strip(), token_hash=hashed(token), created_at=clock.now())
    session.add(key)
    await session.flush()
    return key, token


async def find(session: AsyncSession, token: str) -> ApiKey:
    """The living key of that token; raises `KeyIsMissing`."""
    if not token.startswith(PREFIX) or len(token) > 100 or not token.isascii():
        raise KeyIsMissing
    key = await session.scalar(select(ApiKey).where(ApiKey.token_hash == hashed(token), ApiKey.ended_at.is_(None)))
    if key is None:
        raise KeyIsMissing
    if key.last_used_at is None or clock.now() - key.last_used_at > TOUCH_AFTER:
        key.last_used_at = clock.now()
    return key


async def end(session: AsyncSession, *, key_id: int) -> ApiKey:
    """No more calls with it, from now. Raises `KeyNotFound`."""
    key = await session.get(ApiKey, key_id)
    if key is None:
        raise KeyNotFound
    key.ended_at = key.ended_at or clock.now()
    return key


async def list_keys(session: AsyncSession) -> list[ApiKey]:
    """All keys there ever were, the newest first."""
    return list(await session.scalars(select(ApiKey).order_by(ApiKey.id.desc())))
