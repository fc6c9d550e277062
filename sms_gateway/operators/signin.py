"""Signing in: by password or by a link that works once; sessions are rows, tokens are kept only as hashes."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.errors import HotlineError

from . import accounts
from .models import Operator, OperatorSession, SignInLink

IDLE_ENDS_AFTER = timedelta(hours=2)
SESSION_ENDS_AFTER = timedelta(hours=14)
"""A shift and its hand-over."""
WATCHING_WITHIN = timedelta(minutes=2)
LINK_WORKS_FOR = timedelta(minutes=30)
TRIES = 5
LOCKED_FOR = timedelta(minutes=5)


class SignInRefused(HotlineError):
    status_code = 401
    sentence = "账号或密码不对，或者账号暂时锁住了。"


class LinkIsUsed(HotlineError):
    status_code = 401
    sentence = "这个登录链接用过了或者过期了，请重新要一个。"


@dataclass(frozen=True)
class SignedIn:
    """A new session: `token` goes into the cookie and nowhere else."""

    token: str
    operator_id: int


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def with_password(session: AsyncSession, *, login: str, password: str) -> SignedIn | None:
    """A session for the right password; None when refused (the failed try is noted, so commit either way)."""
    operator = await session.scalar(select(Operator).where(Operator.login == login).with_for_update())
    right = await asyncio.to_thread(accounts.is_password, operator, password)
    if operator is None or operator.disabled_at is not None:
        return None
    now = clock.now()
    if operator.locked_until is not None and operator.locked_until > now:
        return None
    if not right:
        operator.failed_sign_ins += 1
        if operator.failed_sign_ins >= TRIES:
            operator.failed_sign_ins, operator.locked_until = 0, now + LOCKED_FOR
        return None
    operator.failed_sign_ins, operator.locked_until = 0, None
    return await _open(session, operator)


async def one_time_link(session: AsyncSession, *, login: str) -> str:
    """The token of a link that signs `login` in once, within half an hour."""
    operator = await accounts.get(session, login)
    token = secrets.token_urlsafe(32)
    expires_at = clock.now() + LINK_WORKS_FOR
    session.add(SignInLink(token_hash=hashed(token), operator_id=operator.id, expires_at=expires_at))
    return token


async def with_link(session: AsyncSession, *, token: str) -> SignedIn:
    """A session for a link's token, once; raises `LinkIsUsed`."""
    now = clock.now()
    good = SignInLink.token_hash == hashed(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now
    used = update(SignInLink).where(*good).values(used_at=now).returning(SignInLink.operator_id)
    operator_id = await session.scalar(used)
    operator = await session.get(Operator, operator_id) if operator_id is not None else None
    if operator is None or operator.disabled_at is not None:
        raise LinkIsUsed
    return await _open(session, operator)


async def _open(session: AsyncSession, operator: Operator) -> SignedIn:
    token, now = secrets.token_urlsafe(32), clock.now()
    session.add(
        OperatorSession(
            token_hash=hashed(token),
            operator_id=operator.id,
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            last_seen_at=now,
        )
    )
    return SignedIn(token, operator.id)


async def find_session(session: AsyncSession, token: str) -> OperatorSession | None:
    """The open session of that token with its operator; None when it ended, is idle for too long, or the account is disabled."""
    wanted = select(OperatorSession).join(Operator).where(OperatorSession.token_hash == hashed(token), *_is_open())
    found = await session.scalar(wanted.options(joinedload(OperatorSession.operator)))
    return found if found is not None and found.operator.disabled_at is None else None


def _is_open() -> tuple[ColumnElement[bool], ...]:
    now = clock.now()
    # On duty with an open console nobody is idle, however quiet the night: the ringing must reach them.
    in_use = OperatorSession.last_seen_at > now - IDLE_ENDS_AFTER
    watching = and_(Operator.on_duty, Operator.last_seen_at > now - WATCHING_WITHIN)
    return (
        OperatorSession.ended_at.is_(None),
        OperatorSession.created_at > now - SESSION_ENDS_AFTER,
        or_(in_use, watching),
    )


async def list_open(session: AsyncSession) -> dict[bytes, bool]:
    """Every open session by the hash of its token (`hashed`), and whether its operator is on duty."""
    wanted = select(OperatorSession.token_hash, Operator.on_duty).join(Operator)
    rows = await session.execute(wanted.where(Operator.disabled_at.is_(None), *_is_open()))
    return {bytes(row.token_hash): row.on_duty for row in rows}


async def sign_out(session: AsyncSession, token: str) -> None:
    """End the session of that token."""
    await session.execute(
        update(OperatorSession).where(OperatorSession.token_hash == hashed(token)).values(ended_at=clock.now())
    )


async def touch(session: AsyncSession, token: str) -> None:
    """The session is in use (a click, not a heartbeat)."""
    await session.execute(
        update(OperatorSession).where(OperatorSession.token_hash == hashed(token)).values(last_seen_at=clock.now())
    )
