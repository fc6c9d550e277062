"""Whose matters an account may see is written down when it is made, and what cannot be is refused in one sentence."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner, Result

from sms_gateway.commands.operator import app
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.operators.reach import check_unit, region_of


@pytest.mark.parametrize(
    ("unit", "region"),
    [(None, None), ("12345@530000", None), ("12345@530600", "530600"), ("12345@530627", "530627"), ("edu@530627", None)],
)  # fmt: skip
def test_a_desk_account_is_kept_to_its_region(unit: str | None, region: str | None) -> None:
    assert region_of(unit) == region


@pytest.mark.parametrize(
    ("role", "unit", "status"),
    [
        (Role.DEPARTMENT, None, 422), (Role.DEPARTMENT, "edu", 422), (Role.DEPARTMENT, "12345@530600", 422),
        (Role.SUPERVISOR, "edu@530627", 422), (Role.OPERATOR, "12345@53060", 422), (Role.SUPERVISOR, "12345@539999", 404),
        (Role.EDITOR, "edu@530627", 422), (Role.FOLLOWER, None, 422), (Role.QUALITY, "12345@530627", 422),
    ],
)  # fmt: skip
def test_an_account_of_the_wrong_reach_is_refused(role: Role, unit: str | None, status: int) -> None:
    with pytest.raises(HotlineError) as raised:
        check_unit(role, unit)
    assert raised.value.status_code == status


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--role", "department"], "承办单位的账号要写是哪个单位"),
        (["--role", "department", "--unit", "edu@999999"], "没有这个行政区划代码"),
        (["--role", "department", "--unit", "nobody@530627"], "没有这个单位"),
        (["--role", "department", "--unit", "telecom@530627"], "这一级没有单设"),
        (["--role", "supervisor", "--unit", "edu@530627"], "12345@530600"),
    ],
)
def test_the_command_says_what_is_wrong_before_it_asks_for_a_password(words: list[str], sentence: str) -> None:
    ran = CliRunner().invoke(app, ["add", "jiaoyu", "--name", "王芳", *words])
    assert ran.exit_code == 1 and sentence in ran.output and "密码" not in ran.output


async def test_the_command_makes_accounts_of_departments_and_regions(
    database: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))

    async def make(login: str, *words: str) -> Result:
        line = ["add", login, "--name", "王芳", "--no-password", *words]
        return await asyncio.to_thread(CliRunner().invoke, app, line)

    made = await make("jiaoyu", "--role", "department", "--unit", "edu@530627")
    assert made.exit_code == 0 and "单位是镇雄县教育体育局" in made.output
    made = await make("zhaotong", "--role", "supervisor", "--unit", "12345@530600")
    assert made.exit_code == 0 and "只看昭通市的工单" in made.output
    async with transaction() as session:
        assert (await accounts.get(session, "jiaoyu")).unit == "edu@530627"
        assert (await accounts.get(session, "zhaotong")).unit == "12345@530600"
