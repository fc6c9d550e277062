"""Wrong tries as all processes count them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators import tries
from sms_gateway.operators.models import SignInTry
from sms_gateway.operators.tasks import sweep


async def _take(login: str = "li", address: str = "10.0.0.7", device: str | None = None) -> bool:
    try:
        async with transaction() as session:
            await tries.take(session, tries.budgets("password", login=login, address=address, device=device))
    except tries.TooManyTries:
        return False
    return True


async def test_five_tries_are_free_then_each_waits_longer(database: str, clock: HeldClock) -> None:
    assert [await _take() for _ in range(6)] == [True] * 5 + [False]
    clock.advance(timedelta(seconds=29))
    assert not await _take()
    clock.advance(timedelta(seconds=1))
    assert await _take() and not await _take()
    clock.advance(timedelta(seconds=59))
    assert not await _take()
    clock.advance(timedelta(seconds=1))
    assert await _take()


async def test_nobody_elsewhere_pays_for_a_strangers_tries(database: str, clock: HeldClock) -> None:
    while await _take(address="203.0.113.5"):
        pass
    assert await _take(address="10.0.0.7")  # the operator, from a browser nobody knows yet
    assert await _take(address="203.0.113.5", device="abc")  # their own browser, even from that address


async def test_one_address_cannot_go_through_all_accounts(database: str, clock: HeldClock) -> None:
    taken = [await _take(login=f"someone{number}") for number in range(70)]
    assert sum(taken) == 60


async def test_a_hundred_at_once_are_no_more_than_a_hundred_in_turn(database: str, clock: HeldClock) -> None:
    assert sum(await asyncio.gather(*(_take() for _ in range(40)))) == 5


async def test_the_right_password_fills_the_budget_and_what_is_old_is_forgotten(
    database: str, clock: HeldClock
) -> None:
    for _ in range(4):
        await _take()
    async with transaction() as session:
        await tries.give_back(session, tries.budgets("password", login="li", address="10.0.0.7", device=None))
    assert [await _take() for _ in range(6)] == [True] * 5 + [False]
    clock.advance(timedelta(minutes=61))
    assert [await _take() for _ in range(6)] == [True] * 5 + [False]
    clock.advance(timedelta(minutes=61))
    await sweep()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(SignInTry)) == 0


async def test_what_is_said_names_the_wait_and_another_way_in(database: str, clock: HeldClock) -> None:
    while await _take():
        pass
    with pytest.raises(tries.TooManyTries) as caught:
        async with transaction() as session:
            await tries.take(session, tries.budgets("password", login="li", address="10.0.0.7", device=None))
    assert caught.value.status_code == 429
    assert "30 秒" in caught.value.sentence and "一次性登录链接" in caught.value.sentence


async def _take_code(address: str, *, device: str | None = None, app_code: bool = True) -> bool:
    try:
        async with transaction() as session:
            wanted = tries.budgets("code", login="li", address=address, device=device, app_code=app_code)
            await tries.take(session, wanted)
    except tries.TooManyTries:
        return False
    return True


async def test_codes_are_counted_for_the_account_from_wherever_they_come_and_lock_nobody_out(
    database: str, clock: HeldClock
) -> None:
    """Somebody has the password and a thousand addresses."""
    assert sum([await _take_code(f"203.0.113.{number}") for number in range(60)]) == 10
    taken = 0
    for minute in range(60):
        clock.advance(timedelta(minutes=1))
        taken += sum([await _take_code(f"198.51.{minute}.{number}") for number in range(3)])
    assert taken <= 12
    assert await _take_code("10.0.0.7", device="abc")  # the owner's own computer
    assert await _take_code("10.0.0.7", app_code=False)  # or a recovery code
    async with transaction() as session:
        await tries.give_back(
            session, tries.budgets("code", login="li", address="198.51.7.7", device=None, app_code=True)
        )
    assert not await _take_code("198.51.7.8"), "a right code gives one try back, not all"
