"""Passwords and codes as they come in: a try is taken first, what is right gives it back. Argon2 runs with no row locked and no
transaction open, or whoever knows a login could hold up its owner's heartbeats by guessing."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

from fastapi import Request

from sms_gateway.database import transaction
from sms_gateway.operators import accounts, second_factor, tries
from sms_gateway.operators.models import Operator
from sms_gateway.operators.patience import Budget
from sms_gateway.seeing import refusals

from . import cookies

LONGEST_LOGIN, LONGEST_PASSWORD, LONGEST_CODE = 40, 200, 40
AT_ONCE = 4
"""Passwords looked at side by side in one process: 64 MB each (argon2's default)."""


@functools.cache
def _room() -> asyncio.Semaphore:
    return asyncio.Semaphore(AT_ONCE)


def address_of(request: Request) -> str:
    """Where the request came from. Behind a proxy of `HOTLINE_TRUSTED_PROXIES` uvicorn has put its client here; nobody else's
    `X-Forwarded-For` is read."""
    return request.client.host if request.client is not None else ""


async def by_password(request: Request, login: str, password: str) -> Operator | None:
    """Whose login and password this is; None when it is wrong, after the same work for a login that does not exist.

    Raises `TooManyTries`.
    """
    login, password = login.strip()[:LONGEST_LOGIN], password[:LONGEST_PASSWORD]
    budgets = _budgets(request, "password", login)
    await _take(budgets, "password", None)
    async with transaction() as session:
        operator = await accounts.find(session, login)
    async with _room():
        right = await asyncio.to_thread(accounts.is_password, operator, password)
    if not right or operator is None or operator.disabled_at is not None:
        refusals.note("password", operator=operator.id if operator is not None else None)
        return None
    async with transaction() as session:
        await tries.give_back(session, budgets)
    return operator


async def by_code(request: Request, operator: Operator, code: str) -> str | None:
    """`app` or `recovery` for a good code of this account, None for a wrong one. Raises `TooManyCodes`."""
    code = code[:LONGEST_CODE]  # first: what is looked at is what is counted
    budgets = _budgets(request, "code", operator.login, app_code=second_factor.is_app_code(code))
    try:
        await _take(budgets, "code", operator.id)
    except tries.TooManyTries as error:
        raise tries.TooManyCodes(error.until) from None
    async with transaction() as session:
        how = await second_factor.check(session, operator.id, code=code)
        if how is not None:
            await tries.give_back(session, budgets)
    if how is None:
        refusals.note("code", operator=operator.id)
    return how


async def _take(budgets: Sequence[Budget], what: str, operator_id: int | None) -> None:
    try:
        async with transaction() as session:
            await tries.take(session, budgets)
    except tries.TooManyTries:
        refusals.note("too_many_tries", what=what, operator=operator_id)
        raise


def _budgets(request: Request, what: str, login: str, *, app_code: bool = False) -> Sequence[Budget]:
    device = cookies.device(request, login)
    return tries.budgets(what, login=login, address=address_of(request), device=device, app_code=app_code)
