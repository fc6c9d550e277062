"""Codes of an authenticator app (TOTP, RFC 6238: six digits, 30 s) and ten recovery codes, each good once."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index
from sms_gateway.errors import Conflict, HotlineError

from .models import Operator, RecoveryCode, SecondFactor
from .presence import note as audit

ISSUER = "12345值班台"
STEP_SECONDS = 30
DIGITS = 6
STEPS_AROUND = (-1, 0, 1)
"""A phone's clock may be half a minute off (RFC 6238 section 5.2: at most one step)."""
RECOVERY_CODES = 10
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""None that is taken for another when it was written by hand."""


class CodeIsWrong(HotlineError):
    status_code = 401
    sentence = "动态码不对，或者刚刚用过。请等手机上换一个新的再试。"


class IsEnrolled(Conflict):
    sentence = "这个账号已经绑好了。"


async def is_enrolled(session: AsyncSession, operator_id: int) -> bool:
    """Whether this account's sign-in asks for a code."""
    return await bound_at(session, operator_id) is not None


async def bound_at(session: AsyncSession, operator_id: int) -> datetime | None:
    """When this account's app was bound; None: there is none."""
    found = await session.get(SecondFactor, operator_id)
    return found.confirmed_at if found is not None else None


async def begin(session: AsyncSession, operator: Operator, *, sign_in: bytes) -> pyotp.TOTP:
    """What their app is to scan: the same for one `sign_in` (the hash of its token), and another for every other.

    Whoever once knew the password saw the secret of their own sign-in, never the one that is bound later. Raises `IsEnrolled`.
    """
    if await is_enrolled(session, operator.id):
        raise IsEnrolled
    return pyotp.TOTP(_offered(operator.id, sign_in), name=operator.login, issuer=ISSUER)


def _offered(operator_id: int, sign_in: bytes) -> str:
    """160 bits in base32 (RFC 4226 section 4), drawn from our key: nothing is kept before a first code was right."""
    return base64.b32encode(blind_index(f"{operator_id}|{sign_in.hex()}", "offered second factor")[:20]).decode()


async def enrol(session: AsyncSession, operator: Operator, *, sign_in: bytes, code: str) -> list[str]:
    """The first right code binds the app; the recovery codes, told here and never again. Raises `CodeIsWrong`, `IsEnrolled`."""
    await session.get_one(Operator, operator.id, with_for_update=True)  # two tabs: one of them binds
    found = await session.get(SecondFactor, operator.id, populate_existing=True)
    if found is not None and found.confirmed_at is not None:
        raise IsEnrolled
    secret = _offered(operator.id, sign_in)
    step = _step_of(secret, code)
    if step is None:
        raise CodeIsWrong
    await session.execute(delete(SecondFactor).where(SecondFactor.operator_id == operator.id))
    now = clock.now()
    session.add(SecondFactor(operator_id=operator.id, secret=secret, made_at=now, confirmed_at=now, last_step=step))
    await session.flush()
    await audit(session, operator_id=operator.id, what="enrol_second_factor", subject=f"operator:{operator.id}")
    return await _make_codes(session, operator.id)


def is_app_code(code: str) -> bool:
    """Whether it has the form of an app's code: six digits."""
    digits = "".join(code.split())
    return digits.isascii() and digits.isdecimal() and len(digits) == DIGITS


def _step_of(secret: str, code: str) -> int | None:
    """The time step that `code` belongs to, among those near now."""
    digits, now = "".join(code.split()), int(clock.now().timestamp()) // STEP_SECONDS
    totp, right = pyotp.TOTP(secret), None
    for step in (now + around for around in STEPS_AROUND):  # all three, however soon one fits
        if digits.isascii() and secrets.compare_digest(totp.generate_otp(step), digits):
            right = step
    return right


async def _make_codes(session: AsyncSession, operator_id: int) -> list[str]:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))
    made = ["".join(secrets.choice(_SIGNS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(code_hash=_hashed(operator_id, one), operator_id=operator_id) for one in made)
    return [f"{one[:5]}-{one[5:]}" for one in made]


def _hashed(operator_id: int, code: str) -> bytes:
    """Keyed, so that a copy of the database alone does not let the 50 bits be tried through."""
    return blind_index(f"{operator_id}|{code}", "recovery code")


async def check(session: AsyncSession, operator_id: int, *, code: str) -> str | None:
    """Take a code of the app or a recovery code, once; `app`, `recovery`, or None when it is wrong or was used."""
    factor = await session.get(SecondFactor, operator_id)
    if factor is None or factor.confirmed_at is None:
        return None
    step = _step_of(factor.secret, code)
    if step is not None:
        newer = or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step)
        taken = update(SecondFactor).where(SecondFactor.operator_id == operator_id, newer).values(last_step=step)
        return "app" if await session.scalar(taken.returning(SecondFactor.operator_id)) is not None else None
    written = "".join(sign for sign in code.lower() if sign in _SIGNS)
    mine = RecoveryCode.code_hash == _hashed(operator_id, written), RecoveryCode.used_at.is_(None)
    used = update(RecoveryCode).where(*mine).values(used_at=clock.now()).returning(RecoveryCode.operator_id)
    return "recovery" if await session.scalar(used) is not None else None


async def count_codes(session: AsyncSession, operator_id: int) -> int:
    """How many recovery codes are left."""
    left = RecoveryCode.operator_id == operator_id, RecoveryCode.used_at.is_(None)
    return await session.scalar(select(func.count()).select_from(RecoveryCode).where(*left)) or 0


async def reset(session: AsyncSession, *, operator_id: int, by: int | None, why: str | None = None) -> bool:
    """Forget app and recovery codes: the next sign-in binds anew. `by`: the supervisor, None at the command line. Whether there was one."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))
    gone = delete(SecondFactor).where(SecondFactor.operator_id == operator_id).returning(SecondFactor.operator_id)
    found = await session.scalar(gone) is not None
    await audit(session, operator_id=by, what="reset_second_factor", subject=f"operator:{operator_id}", detail=why)
    return found


async def list_enrolled(session: AsyncSession) -> frozenset[int]:
    """Ids of the accounts whose sign-in asks for a code."""
    return frozenset(
        await session.scalars(select(SecondFactor.operator_id).where(SecondFactor.confirmed_at.is_not(None)))
    )
