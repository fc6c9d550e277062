"""`hotline api-key …`: keys for the systems of departments."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments import units
from sms_gateway.operators import api_keys

from . import terminal
from .operator import in_transaction

app = typer.Typer(help="部门系统的接口密钥", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command(help="新建密钥；令牌只显示这一次")
def add(
    unit: Annotated[str, typer.Option(help="单位代码，如 edu@530627")],
    name: Annotated[str, typer.Option(help="给谁用，如 镇雄教体局工单系统")],
) -> None:
    async def work(session: AsyncSession) -> str:
        of = units.get_unit(unit)
        key, token = await api_keys.make(session, unit=of.code, name=name)
        await terminal.note(session, "add_api_key", f"key:{key.id}", detail=f"单位 {of.code}")
        return f"密钥 {key.id}（{of.name}）：{token}\n请马上存好，这里不会再显示。"

    in_transaction(work)


@app.command("list", help="有哪些密钥")
def list_them() -> None:
    async def work(session: AsyncSession) -> str:
        rows = []
        for key in await api_keys.list_keys(session):
            used = f"{clock.shanghai(key.last_used_at):%Y-%m-%d %H:%M}" if key.last_used_at else "没用过"
            rows.append(f"{key.id}\t{key.unit}\t{key.name}\t{'已停用' if key.ended_at else '在用'}\t最近 {used}")
        await terminal.note(session, "list_api_keys", "keys")
        return "\n".join(rows) or "还没有密钥。"

    in_transaction(work)


@app.command(help="停用一个密钥")
def end(key_id: Annotated[int, typer.Argument(help="密钥的编号")]) -> None:
    async def work(session: AsyncSession) -> str:
        key = await api_keys.end(session, key_id=key_id)
        await terminal.note(session, "end_api_key", f"key:{key.id}")
        return f"密钥 {key.id} 已停用。"

    in_transaction(work)
