"""Codes of the phone: who needs one, once only, a step off at most, recovery codes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import product

import pyotp
import pytest
from sqlalchemy import select

from sms_gateway import clock as clocks
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators import accounts, second_factor
from sms_gateway.operators.audit import NEW_STREAM
from sms_gateway.operators.models import AuditRow, Operator, RecoveryCode, Role, SecondFactor
from sms_gateway.operators.stepping import NEEDS_SECOND_FACTOR, Knock, Step, next_step

MINE = b"the hash of my sign-in's token.."


async def _account() -> Operator:
    async with transaction() as session:
        return await accounts.add(session, login="lead", name="杨丽萍", role=Role.SUPERVISOR, password=None)


def _code(totp: pyotp.TOTP, *, seconds: int = 0) -> str:
    return totp.at(clocks.now() + timedelta(seconds=seconds))


async def _enrol(operator: Operator) -> tuple[pyotp.TOTP, list[str]]:
    async with transaction() as session:
        totp = await second_factor.begin(session, operator, sign_in=MINE)
        return totp, await second_factor.enrol(session, operator, sign_in=MINE, code=_code(totp))


async def _check(operator: Operator, code: str) -> str | None:
    async with transaction() as session:
        return await second_factor.check(session, operator.id, code=code)


def test_the_table_says_for_every_role_whether_it_needs_a_code() -> None:
    assert set(NEEDS_SECOND_FACTOR) == set(Role)
    assert {role for role, needs in NEEDS_SECOND_FACTOR.items() if needs} == {Role.SUPERVISOR, Role.EDITOR}


@pytest.mark.parametrize(("role", "how"), list(product([*Role, "unheard-of"], ["password", "link"])))
def test_in_production_nobody_who_needs_a_code_comes_in_without(role: str, how: str) -> None:
    needs = NEEDS_SECOND_FACTOR.get(role, True)
    fresh = Knock(role=role, how=how, enrolled=False, must_change=False, strict=True)
    assert next_step(fresh) is (Step.ENROL if needs else None)
    bound = Knock(role=role, how=how, enrolled=True, must_change=False, strict=True)
    assert next_step(bound) is Step.CODE
    assert next_step(Knock(role=role, how=how, enrolled=True, must_change=False, strict=True, proved=True)) is None


def test_in_development_only_a_link_to_an_account_without_a_phone_is_enough() -> None:
    def asked(how: str, *, enrolled: bool) -> Step | None:
        return next_step(Knock(role=Role.SUPERVISOR, how=how, enrolled=enrolled, must_change=False, strict=False))

    assert asked("link", enrolled=False) is None
    assert asked("link", enrolled=True) is Step.CODE
    assert asked("password", enrolled=False) is Step.ENROL


def test_a_password_somebody_made_is_changed_after_the_code() -> None:
    knock = Knock(role=Role.OPERATOR, how="password", enrolled=False, must_change=True, strict=True)
    assert next_step(knock) is Step.OWN_PASSWORD
    assert next_step(Knock(role=Role.OPERATOR, how="link", enrolled=False, must_change=True, strict=True)) is None


async def test_a_code_works_once_and_so_does_nothing_older(database: str, clock: HeldClock) -> None:
    operator = await _account()
    totp, _codes = await _enrol(operator)
    assert await _check(operator, _code(totp)) is None  # the one that bound it
    clock.advance(timedelta(seconds=60))
    code, earlier = _code(totp), _code(totp, seconds=-30)
    assert await _check(operator, f"{code[:3]} {code[3:]}") == "app"
    assert await _check(operator, code) is None
    assert await _check(operator, earlier) is None
    assert await _check(operator, _code(totp, seconds=30)) == "app"


async def test_the_same_code_sent_twice_at_once_is_taken_once(database: str, clock: HeldClock) -> None:
    operator = await _account()
    totp, codes = await _enrol(operator)
    clock.advance(timedelta(seconds=60))
    for word in (_code(totp), codes[3]):
        taken = await asyncio.gather(*(_check(operator, word) for _ in range(6)))
        assert sum(one is not None for one in taken) == 1


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
async def test_a_phones_clock_may_be_one_step_off(database: str, clock: HeldClock, seconds: int, good: bool) -> None:
    operator = await _account()
    totp, _codes = await _enrol(operator)
    clock.advance(timedelta(minutes=10))
    assert (await _check(operator, _code(totp, seconds=seconds)) == "app") is good


async def test_recovery_codes_work_once_each_for_their_own_account(database: str, clock: HeldClock) -> None:
    operator = await _account()
    _totp, codes = await _enrol(operator)
    async with transaction() as session:
        other = await accounts.add(session, login="other", name="和丽梅", role=Role.EDITOR, password=None)
    await _enrol(other)
    assert len(set(codes)) == 10
    assert await _check(other, codes[0]) is None
    assert await _check(operator, codes[0].upper().replace("-", " ")) == "recovery"
    assert await _check(operator, codes[0]) is None
    async with transaction() as session:
        assert await second_factor.count_codes(session, operator.id) == 9
        kept = [row.code_hash for row in await session.scalars(select(RecoveryCode))]
    assert not any(code.replace("-", "").encode() in one for code in codes for one in kept)


async def test_the_secret_lies_sealed_and_an_unfinished_binding_asks_for_nothing(
    database: str, clock: HeldClock
) -> None:
    operator = await _account()
    async with transaction() as session:
        totp = await second_factor.begin(session, operator, sign_in=MINE)
        assert (
            await second_factor.begin(session, operator, sign_in=MINE)
        ).secret == totp.secret  # the page loaded again
        assert not await second_factor.is_enrolled(session, operator.id)
        assert await session.get(SecondFactor, operator.id) is None
    assert await _check(operator, _code(totp)) is None
    wrong = "000000" if _code(totp) != "000000" else "111111"
    with pytest.raises(second_factor.CodeIsWrong):
        async with transaction() as session:
            await second_factor.enrol(session, operator, sign_in=MINE, code=wrong)
    totp, _codes = await _enrol(operator)
    async with transaction() as session:
        row = await session.get_one(SecondFactor, operator.id)
        assert totp.secret.encode() not in row.secret_sealed and row.secret == totp.secret


async def test_who_knew_the_password_once_knows_nothing_of_the_phone_bound_later(
    database: str, clock: HeldClock
) -> None:
    operator = await _account()
    async with transaction() as session:
        seen_by_somebody_else = await second_factor.begin(session, operator, sign_in=b"theirs" * 5)
    totp, _codes = await _enrol(operator)
    assert totp.secret != seen_by_somebody_else.secret and len(totp.secret) == 32
    clock.advance(timedelta(minutes=1))
    assert await _check(operator, _code(seen_by_somebody_else)) is None
    async with transaction() as session:
        with pytest.raises(second_factor.IsEnrolled):
            await second_factor.enrol(session, operator, sign_in=b"theirs" * 5, code=_code(seen_by_somebody_else))
    assert await _check(operator, _code(totp)) == "app"


async def test_a_reset_forgets_phone_and_recovery_codes_and_is_written_down(database: str, clock: HeldClock) -> None:
    operator = await _account()
    totp, codes = await _enrol(operator)
    clock.advance(timedelta(minutes=1))
    async with transaction() as session:
        assert await second_factor.reset(session, operator_id=operator.id, by=None, why="换手机")
    async with transaction() as session:
        said = select(AuditRow).where(AuditRow.what != NEW_STREAM).order_by(AuditRow.id)
        rows = list(await session.scalars(said))
    assert [row.what for row in rows] == ["enrol_second_factor", "reset_second_factor"] and rows[-1].detail == "换手机"
    assert await _check(operator, _code(totp)) is None and await _check(operator, codes[1]) is None
    async with transaction() as session:
        assert (await second_factor.begin(session, operator, sign_in=b"later" * 6)).secret != totp.secret
