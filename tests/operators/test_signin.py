"""Signing in, and what keeps others out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.operators import accounts, presence, signin
from sms_gateway.operators.models import Operator, Role

PASSWORD = "一二三四五六七八九十百千"


async def _account(login: str = "zhangsan", password: str | None = PASSWORD) -> Operator:
    async with transaction() as session:
        return await accounts.add(session, login=login, name="张三", role=Role.OPERATOR, password=password)


async def _try(password: str, login: str = "zhangsan") -> signin.SignedIn | None:
    async with transaction() as session:
        operator = await accounts.find(session, login)
        if operator is None or not accounts.is_password(operator, password):
            return None
        return await signin.with_password(session, operator)


async def test_the_right_password_opens_a_session_and_the_wrong_one_does_not(database: str, clock: HeldClock) -> None:
    await _account()
    assert await _try("不是这个密码对不对") is None
    assert await _try(PASSWORD, login="lisi") is None
    signed = await _try(PASSWORD)
    assert signed is not None
    async with transaction() as session:
        found = await signin.find_session(session, signed.token)
        assert found is not None
        assert found.operator.name == "张三"
        assert await signin.find_session(session, signed.token + "x") is None


async def test_a_link_signs_in_once(database: str, clock: HeldClock) -> None:
    await _account(password=None)
    async with transaction() as session:
        token = await signin.one_time_link(session, login="zhangsan")
    async with transaction() as session:
        await signin.with_link(session, token=token)
    with pytest.raises(signin.LinkIsUsed):
        async with transaction() as session:
            await signin.with_link(session, token=token)


async def test_a_link_that_is_too_old_or_of_a_disabled_account_does_not_sign_in(
    database: str, clock: HeldClock
) -> None:
    await _account()
    async with transaction() as session:
        old, other = (
            await signin.one_time_link(session, login="zhangsan"),
            await signin.one_time_link(session, login="zhangsan"),
        )
        await accounts.disable(session, login="zhangsan")
    with pytest.raises(signin.LinkIsUsed):
        async with transaction() as session:
            await signin.with_link(session, token=other)
    clock.advance(timedelta(minutes=31))
    with pytest.raises(signin.LinkIsUsed):
        async with transaction() as session:
            await signin.with_link(session, token=old)


async def test_sessions_end_when_idle_when_disabled_and_when_the_password_changes(
    database: str, clock: HeldClock
) -> None:
    await _account()
    idle, reset = await _try(PASSWORD), await _try(PASSWORD)
    assert idle is not None
    assert reset is not None
    async with transaction() as session:
        await accounts.reset(session, login="zhangsan", password=PASSWORD + "新", must_change=False)
        assert await signin.find_session(session, reset.token) is None
    fresh = await _try(PASSWORD + "新")
    assert fresh is not None
    async with transaction() as session:
        assert await signin.find_session(session, fresh.token) is not None
    clock.advance(timedelta(hours=2, seconds=1))
    async with transaction() as session:
        assert await signin.find_session(session, fresh.token) is None
    awake = await _try(PASSWORD + "新")
    assert awake is not None
    async with transaction() as session:
        link = await signin.one_time_link(session, login="zhangsan")
        assert await signin.find_session(session, awake.token) is not None
        await accounts.disable(session, login="zhangsan")
        assert await signin.find_session(session, awake.token) is None
        with pytest.raises(signin.LinkIsUsed):
            await signin.with_link(session, token=link)
    with pytest.raises(signin.SignInRefused):
        await _try(PASSWORD + "新")


async def test_bad_accounts_are_refused_with_a_sentence(database: str) -> None:
    await _account()
    for login, password, error in [
        ("zhangsan", PASSWORD, Conflict),
        ("张三", PASSWORD, BadInput),
        ("lisi", "短", BadInput),
    ]:
        with pytest.raises(error):
            async with transaction() as session:
                await accounts.add(session, login=login, name="x", role=Role.OPERATOR, password=password)


async def test_who_is_silent_for_twenty_seconds_is_away(database: str, clock: HeldClock) -> None:
    operator = await _account()
    async with transaction() as session:
        assert not await presence.is_anyone_on_duty(session)
        await presence.set_duty(session, operator_id=operator.id, on_duty=True)
        assert await presence.is_anyone_on_duty(session)
    clock.advance(timedelta(seconds=21))
    async with transaction() as session:
        assert not await presence.is_anyone_on_duty(session)


async def test_a_quiet_night_on_duty_signs_nobody_out(database: str, clock: HeldClock) -> None:
    operator = await _account()
    signed = await _try(PASSWORD)
    assert signed is not None
    clock.advance(timedelta(hours=5))
    async with transaction() as session:
        assert await signin.find_session(session, signed.token) is None
        await presence.set_duty(session, operator_id=operator.id, on_duty=True)
        assert await signin.find_session(session, signed.token) is not None
    clock.advance(timedelta(minutes=3))  # the console was closed
    async with transaction() as session:
        assert await signin.find_session(session, signed.token) is None
