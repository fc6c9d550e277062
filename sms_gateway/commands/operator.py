"""`hotline operator …`: accounts at the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import regions
from sms_gateway.database import dispose, transaction
from sms_gateway.departments.units import get_unit
from sms_gateway.errors import HotlineError
from sms_gateway.operators import accounts, password_policy, second_factor, signin
from sms_gateway.operators.models import Role
from sms_gateway.operators.reach import check_unit, region_of
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt

from . import terminal

app = typer.Typer(help="值班员账号", no_args_is_help=True, pretty_exceptions_enable=False)
Login = Annotated[str, typer.Argument(help="账号（英文字母、数字、-、_）")]


def in_transaction(work: Callable[[AsyncSession], Awaitable[str]]) -> None:
    """Do `work` in one transaction and print what it says; one clear sentence and exit code 1 when it cannot be done."""

    async def inside() -> str:
        try:
            async with transaction() as session:
                return await work(session)
        finally:
            await dispose()

    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    try:
        typer.echo(asyncio.run(inside()))
    except HotlineError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(1) from None


async def _note(session: AsyncSession, what: str, login: str) -> None:
    await terminal.note(session, what, f"operator:{(await accounts.get(session, login)).id}")


def _asked_password() -> str:
    entered: str = typer.prompt(
        f"密码（至少 {password_policy.SHORTEST} 位）", hide_input=True, confirmation_prompt="再输一次"
    )
    return entered


def _reach_of(role: Role, unit: str | None) -> str:
    """Whose matters the account will see, in words; one clear sentence and exit code 1 for a unit or region that is none."""
    try:
        check_unit(role, unit)
        if role is Role.DEPARTMENT and unit is not None:
            return f"，单位是{get_unit(unit).name}"
        region = region_of(unit)
        return f"，只看{regions.full_name(region)}的工单" if region is not None else ""
    except HotlineError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(1) from None


@app.command(help="新建账号；会问密码")
def add(
    login: Login,
    *,
    name: Annotated[str, typer.Option(help="姓名，只给值班台看")],
    role: Annotated[
        Role,
        typer.Option(
            help="operator 值班员，supervisor 值班长，editor 手册编辑，department 承办单位，quality 质检员，follower 个案跟进人"
        ),
    ] = Role.OPERATOR,
    unit: Annotated[
        str | None,
        typer.Option(help="承办单位写单位代码，如 edu@530627；只管一个地区的值班员、值班长写 12345@行政区划代码"),
    ] = None,
    trained: Annotated[bool, typer.Option("--trained", help="未保专席：受过训，只有他们接红色、橙色")] = False,
    woman: Annotated[
        bool | None, typer.Option("--woman/--man", help="女值班员、男值班员；每班至少一名女值班员")
    ] = None,
    phone: Annotated[
        str | None,
        typer.Option(help="值班手机，红色叫到值班长这一步时打过去，橙色一直没人看时发短信，如 +8613800000001"),
    ] = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="不设密码，只用一次性链接登录")] = False,
) -> None:
    whose = _reach_of(role, unit)  # before the password is asked for
    password = None if no_password else _asked_password()

    async def work(session: AsyncSession) -> str:
        operator = await accounts.add(
            session, login=login, name=name, role=role, password=password, unit=unit, trained=trained, woman=woman, phone=phone,
            must_change=True,
        )  # fmt: skip
        await terminal.note(
            session, "add_operator", f"operator:{operator.id}", detail=f"岗位 {role.value}，范围 {unit or '全省'}"
        )
        told = "" if no_password else "第一次登录时要换成自己的密码。"
        return f"已建好账号 {login}，工号 {operator.badge}{whose}。{told}"

    in_transaction(work)


@app.command(help="停用账号，立刻退出所有登录")
def disable(login: Login) -> None:
    async def work(session: AsyncSession) -> str:
        await accounts.disable(session, login=login)
        await _note(session, "disable_operator", login)
        return f"账号 {login} 已停用。"

    in_transaction(work)


@app.command(help="改岗位或单位，立刻退出所有登录")
def role(
    login: Login,
    new: Annotated[Role, typer.Argument(help="operator、supervisor、editor、department、quality、follower")],
    unit: Annotated[str | None, typer.Option(help="单位或地区，写法同 add")] = None,
) -> None:
    whose = _reach_of(new, unit)

    async def work(session: AsyncSession) -> str:
        await accounts.change_role(session, login=login, role=new, unit=unit)
        return f"账号 {login} 的岗位已改{whose}，原来的登录都已退出。"

    in_transaction(work)


@app.command("reset-totp", help="重设动态码：原来的手机和备用码作废，下次登录时重新绑定")
def reset_totp(login: Login) -> None:
    async def work(session: AsyncSession) -> str:
        operator = await accounts.get(session, login)
        had = await second_factor.reset(session, operator_id=operator.id, by=None)
        await accounts.end_sessions(session, operator_id=operator.id)
        return f"账号 {login} {'的动态码已重设，登录都已退出' if had else '本来就没有绑定'}；下次登录时重新绑定。"

    in_transaction(work)


@app.command(help="改密码，重新启用")
def reset(login: Login) -> None:
    password = _asked_password()

    async def work(session: AsyncSession) -> str:
        await accounts.reset(session, login=login, password=password)
        await _note(session, "reset_operator", login)
        return f"账号 {login} 的密码已改，原来的登录都已退出，下次登录时要换成自己的密码。"

    in_transaction(work)


@app.command(help="打印一次性登录链接（30 分钟内有效，用一次）")
def link(login: Login) -> None:
    async def work(session: AsyncSession) -> str:
        token = await signin.one_time_link(session, login=login)
        await _note(session, "make_sign_in_link", login)
        return f"{get_settings().desk_url}/sign-in/{token}"

    in_transaction(work)
