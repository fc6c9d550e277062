"""Signing in: by password or by a link that works once, then whatever `stepping` asks; sessions are rows, tokens are kept only as hashes.

A token is made anew at each step and at the end, so none that somebody knew before is ever signed in with.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings

from . import accounts, second_factor
from .models import Operator, OperatorSession, SignInLink
from .stepping import Knock, Step, next_step

IDLE_ENDS_AFTER = timedelta(hours=2)
SESSION_ENDS_AFTER = timedelta(hours=14)
"""A shift and its hand-over."""
STEPS_WITHIN = timedelta(minutes=10)
"""From the right password to the last step."""
HALF_WAY_FOR = timedelta(days=1)
"""Rows of sign-ins that stopped half way; an engineering default."""
WATCHING_WITHIN = timedelta(minutes=2)
LINK_WORKS_FOR = timedelta(minutes=30)


class SignInRefused(HotlineError):
    status_code = 401
    sentence = "账号或密码不对。"


class LinkIsUsed(HotlineError):
    status_code = 401
    sentence = "这个登录链接用过了或者过期了，请重新要一个。"


class StepsAreOver(HotlineError):
    status_code = 401
    sentence = "停得太久了，请从头再登录一次。"


@dataclass(frozen=True)
class SignedIn:
    """A new session: `token` goes into the cookie and nowhere else. `waits_for`: what is asked first; None: they are in."""

    token: str
    operator_id: int
    waits_for: Step | None = None


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def with_password(session: AsyncSession, operator: Operator) -> SignedIn:
    """A session for whoever just gave the right password; raises `SignInRefused` where it was changed or the account disabled
    meanwhile. Tries are counted by the door, before (`tries`)."""
    fresh = await session.get(Operator, operator.id)
    if fresh is None or fresh.disabled_at is not None or fresh.password_hash != operator.password_hash:
        raise SignInRefused
    return await _begin(session, fresh, "password")


async def one_time_link(session: AsyncSession, *, login: str) -> str:
    """The token of a link that signs `login` in once, within half an hour."""
    operator = await accounts.get(session, login)
    token = secrets.token_urlsafe(32)
    expires_at = clock.now() + LINK_WORKS_FOR
    session.add(SignInLink(token_hash=hashed(token), operator_id=operator.id, expires_at=expires_at))
    return token


async def with_link(session: AsyncSession, *, token: str) -> SignedIn:
    """A session for a link's token, once, however often a password was guessed wrong; raises `LinkIsUsed`."""
    now = clock.now()
    good = SignInLink.token_hash == hashed(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now
    used = update(SignInLink).where(*good).values(used_at=now).returning(SignInLink.operator_id)
    operator_id = await session.scalar(used)
    operator = await session.get(Operator, operator_id) if operator_id is not None else None
    if operator is None or operator.disabled_at is not None:
        raise LinkIsUsed
    return await _begin(session, operator, "link")


async def _begin(session: AsyncSession, operator: Operator, how: str, *, proved: bool = False) -> SignedIn:
    knock = Knock(
        role=operator.role, how=how, enrolled=await second_factor.is_enrolled(session, operator.id),
        must_change=operator.must_change_password, strict=get_settings().production, proved=proved,
    )  # fmt: skip
    return await _open(session, operator, how, next_step(knock))


async def _open(session: AsyncSession, operator: Operator, how: str, waits_for: Step | None) -> SignedIn:
    token, now = secrets.token_urlsafe(32), clock.now()
    session.add(
        OperatorSession(
            token_hash=hashed(token), operator_id=operator.id, csrf=secrets.token_urlsafe(24), role=operator.role,
            how=how, waits_for=waits_for, created_at=now, last_seen_at=now,
        )
    )  # fmt: skip
    return SignedIn(token, operator.id, waits_for)


async def find_waiting(session: AsyncSession, token: str) -> OperatorSession | None:
    """The sign-in of that token that still waits for a step, with its operator."""
    wanted = select(OperatorSession).join(Operator).where(
        OperatorSession.token_hash == hashed(token), OperatorSession.ended_at.is_(None), OperatorSession.waits_for.is_not(None),
        OperatorSession.created_at > clock.now() - STEPS_WITHIN, *_is_able(),
    )  # fmt: skip
    return await session.scalar(wanted.options(joinedload(OperatorSession.operator)))


async def go_on(session: AsyncSession, token: str, passed: Step) -> SignedIn:
    """That step is done: the next one, or a session, under a new token. Raises `StepsAreOver`, also where it was done already."""
    before = await find_waiting(session, token)
    ending = update(OperatorSession).where(
        OperatorSession.token_hash == hashed(token), OperatorSession.ended_at.is_(None), OperatorSession.waits_for == passed
    )  # fmt: skip
    ended = ending.values(ended_at=clock.now()).returning(OperatorSession.operator_id)
    if before is None or await session.scalar(ended) is None:
        raise StepsAreOver
    return await _begin(session, before.operator, before.how, proved=True)


async def renew(session: AsyncSession, token: str) -> SignedIn:
    """The same session under a new token: after the password was changed in it."""
    found = await find_session(session, token)
    if found is None:
        raise StepsAreOver
    await sign_out(session, token)
    return await _open(session, found.operator, found.how, None)


async def find_session(session: AsyncSession, token: str) -> OperatorSession | None:
    """The open session of that token with its operator; None when it ended, is idle for too long, or the account is disabled."""
    wanted = select(OperatorSession).join(Operator).where(OperatorSession.token_hash == hashed(token), *_is_open())
    return await session.scalar(wanted.options(joinedload(OperatorSession.operator)))


def _is_able() -> tuple[ColumnElement[bool], ...]:
    """Of a session joined with its operator: the account works, and is what it was when the session began."""
    return Operator.disabled_at.is_(None), Operator.role == OperatorSession.role


def _is_open() -> tuple[ColumnElement[bool], ...]:
    now = clock.now()
    # On duty with an open console nobody is idle, however quiet the night: the ringing must reach them.
    in_use = OperatorSession.last_seen_at > now - IDLE_ENDS_AFTER
    watching = and_(Operator.on_duty, Operator.last_seen_at > now - WATCHING_WITHIN)
    return (
        *_is_able(),
        OperatorSession.ended_at.is_(None),
        OperatorSession.waits_for.is_(None),
        OperatorSession.created_at > now - SESSION_ENDS_AFTER,
        or_(in_use, watching),
    )


async def list_open(session: AsyncSession) -> dict[bytes, bool]:
    """Every open session by the hash of its token (`hashed`), and whether its operator is on duty."""
    wanted = select(OperatorSession.token_hash, Operator.on_duty).join(Operator)
    rows = await session.execute(wanted.where(*_is_open()))
    return {bytes(row.token_hash): row.on_duty for row in rows}


async def list_own(session: AsyncSession, operator_id: int) -> Sequence[OperatorSession]:
    """Where this operator is signed in right now, newest first."""
    wanted = select(OperatorSession).join(Operator).where(OperatorSession.operator_id == operator_id, *_is_open())
    return (await session.scalars(wanted.order_by(OperatorSession.created_at.desc()))).all()


async def end_others(session: AsyncSession, *, operator_id: int, token: str) -> int:
    """Sign this operator out everywhere but here; how many sessions."""
    others = OperatorSession.operator_id == operator_id, OperatorSession.token_hash != hashed(token)
    ended = update(OperatorSession).where(*others, OperatorSession.ended_at.is_(None)).values(ended_at=clock.now())
    return len((await session.execute(ended.returning(OperatorSession.token_hash))).all())


async def forget_old(session: AsyncSession) -> None:
    """Remove sign-ins that stopped half way: nobody was in. Sessions and links go with their periods (`retention`)."""
    half_way = OperatorSession.waits_for.is_not(None), OperatorSession.created_at < clock.now() - HALF_WAY_FOR
    await session.execute(delete(OperatorSession).where(*half_way))


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
