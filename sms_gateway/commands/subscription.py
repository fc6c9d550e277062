"""`hotline subscription …`: where departments get their events pushed."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments import units
from sms_gateway.events import overview, subscriptions

from .operator import in_transaction

app = typer.Typer(help="部门的事件推送", no_args_is_help=True, pretty_exceptions_enable=False)
Number = Annotated[int, typer.Argument(help="订阅的编号（list 里第一列）")]
ONCE = "请马上交给对方存好，这里不会再显示。"


@app.command(help="新建订阅；签名密钥只显示这一次")
def add(
    unit: Annotated[str, typer.Option(help="单位代码，如 edu@530627")],
    name: Annotated[str, typer.Option(help="推给谁，如 镇雄教体局工单系统")],
    url: Annotated[str, typer.Option(help="推送地址，https 开头")],
    category: Annotated[list[str] | None, typer.Option(help="只要这类事，如 D20；可写多个，不写就是职责内全部")] = None,
) -> None:
    async def work(session: AsyncSession) -> str:
        made, secret = await subscriptions.add(session, unit=unit, name=name, url=url, categories=category)
        return f"订阅 {made.id}（{units.get_unit(made.unit).name}）的签名密钥：{secret}\n{ONCE}"

    in_transaction(work)


@app.command("list", help="有哪些订阅，推到哪里了")
def list_them() -> None:
    async def work(session: AsyncSession) -> str:
        found = await overview.list_standings(session)
        return "\n".join(_line(each) for each in found) or "还没有订阅。"

    in_transaction(work)


PAUSED = {"asked": "已暂停", "gone": "已暂停：对方说不再接收", "leak": "已暂停：泄露应急"}


def _line(row: overview.Standing) -> str:
    state = "在推" if row.active else PAUSED.get(row.paused_reason or "", "已暂停")
    waiting = (
        f"等着 {row.waiting} 条，最久 {int(row.behind.total_seconds() // 60)} 分钟" if row.waiting else "没有等着的"
    )
    fails = f"连着失败 {row.failures} 次（{row.last_status}）" if row.failures else "正常"
    dead = f"停发 {row.dead} 条" if row.dead else ""
    return "\t".join(filter(None, (str(row.id), row.unit, row.name, row.url, state, waiting, fails, dead)))


@app.command(help="暂停推送；这期间的事件留着，恢复后按次序补推")
def pause(subscription_id: Number) -> None:
    async def work(session: AsyncSession) -> str:
        await subscriptions.pause(session, subscription_id=subscription_id)
        return f"订阅 {subscription_id} 已暂停。"

    in_transaction(work)


@app.command(help="恢复推送，马上接着推")
def resume(subscription_id: Number) -> None:
    async def work(session: AsyncSession) -> str:
        await subscriptions.resume(session, subscription_id=subscription_id)
        return f"订阅 {subscription_id} 已恢复。"

    in_transaction(work)


@app.command(help="换签名密钥；旧的马上作废，对方换好之前的推送会等着")
def secret(subscription_id: Number) -> None:
    async def work(session: AsyncSession) -> str:
        new = await subscriptions.renew_secret(session, subscription_id=subscription_id)
        return f"订阅 {subscription_id} 的新签名密钥：{new}\n{ONCE}"

    in_transaction(work)
