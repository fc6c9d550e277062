"""Accounts: made, disabled, given a new password."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import BadInput, Conflict, NotFound

from . import password_policy
from .models import Operator, OperatorSession, Role
from .presence import note as audit
from .reach import check_unit

_hasher = PasswordHasher()  # argon2id with the library's current defaults


class OperatorNotFound(NotFound):
    sentence = "没有这个账号。"


class SamePassword(BadInput):
    sentence = "新密码和原来的一样，请换一个。"


async def add(
    session: AsyncSession, *, login: str, name: str, role: Role, password: str | None, unit: str | None = None,
    trained: bool = False, woman: bool | None = None, phone: str | None = None, must_change: bool = False,
) -> Operator:  # fmt: skip
    """A new account; without a password it can only sign in by a one-time link. `must_change`: somebody else chose the password.

    `unit`: a department's unit, or the region a desk account is kept to. Raises what `reach.check_unit` raises.
    `trained`: a child-protection seat, the only kind that takes red and orange. `phone`: the on-duty phone, E.164.
    """
    check_unit(role, unit)
    if not login.isascii() or not login.replace("-", "").replace("_", "").isalnum() or not 2 <= len(login) <= 40:
        raise BadInput("账号只能用 2 到 40 个英文字母、数字、- 和 _。")
    if await find(session, login) is not None:
        raise Conflict("这个账号已经有了。")
    badge = f"{(await session.scalar(select(func.count()).select_from(Operator)) or 0) + 1:02d}"
    hashed = hash_password(password, login=login, name=name) if password else None
    operator = Operator(
        login=login, name=name, badge=badge, role=role, unit=unit, password_hash=hashed, created_at=clock.now(),
        trained=trained, woman=woman, phone=phone, must_change_password=must_change,
    )  # fmt: skip
    session.add(operator)
    await session.flush()
    return operator


def hash_password(password: str, *, login: str, name: str) -> str:
    """Argon2id; raises `PasswordIsWeak`."""
    password_policy.check(password, login=login, name=name)
    return _hasher.hash(password)


def is_password(operator: Operator | None, password: str) -> bool:
    """Whether the password is right; takes as long when there is no such account."""
    hashed = operator.password_hash if operator is not None else None
    try:
        return _hasher.verify(hashed or _NOBODY, password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


_NOBODY = _hasher.hash("nobody has this password")


async def find(session: AsyncSession, login: str) -> Operator | None:
    """The account of that login."""
    return await session.scalar(select(Operator).where(Operator.login == login))


async def get(session: AsyncSession, login: str) -> Operator:
    """The account of that login; raises `OperatorNotFound`."""
    operator = await find(session, login)
    if operator is None:
        raise OperatorNotFound
    return operator


async def disable(session: AsyncSession, *, login: str) -> None:
    """No more sign-ins; every open session ends now."""
    operator = await get(session, login)
    operator.disabled_at = operator.disabled_at or clock.now()
    operator.on_duty = False
    await end_sessions(session, operator_id=operator.id)


async def reset(session: AsyncSession, *, login: str, password: str, must_change: bool = True) -> None:
    """A new password chosen by somebody else; every open session ends, a disabled account works again."""
    operator = await get(session, login)
    operator.password_hash = hash_password(password, login=operator.login, name=operator.name)
    operator.disabled_at, operator.must_change_password = None, must_change
    await end_sessions(session, operator_id=operator.id)


def fresh_hash(operator: Operator, password: str) -> str:
    """What is kept of a password the operator chose anew; argon2, so run it in a thread with no transaction open.

    Raises `PasswordIsWeak`, `SamePassword`.
    """
    password_policy.check(password, login=operator.login, name=operator.name)
    if is_password(operator, password):
        raise SamePassword
    return _hasher.hash(password)


async def set_own_password(session: AsyncSession, operator_id: int, *, hashed: str) -> None:
    """The operator's own choice (`fresh_hash`). Whether they gave the old one is the door's to ask."""
    operator = await session.get_one(Operator, operator_id)
    operator.password_hash, operator.must_change_password = hashed, False
    await audit(session, operator_id=operator_id, what="change_password", subject=f"operator:{operator_id}")


async def change_role(session: AsyncSession, *, login: str, role: Role, unit: str | None) -> None:
    """Another role or unit; every open session ends now. Raises what `reach.check_unit` raises."""
    check_unit(role, unit)
    operator = await get(session, login)
    operator.role, operator.unit, operator.on_duty = role, unit, False
    await end_sessions(session, operator_id=operator.id)
    await audit(session, operator_id=None, what="change_role", subject=f"operator:{operator.id}")


async def end_sessions(session: AsyncSession, *, operator_id: int) -> None:
    """Sign this operator out everywhere."""
    open_ones = OperatorSession.operator_id == operator_id, OperatorSession.ended_at.is_(None)
    await session.execute(update(OperatorSession).where(*open_ones).values(ended_at=clock.now()))
