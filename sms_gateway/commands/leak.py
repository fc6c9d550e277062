"""`hotline leak …`: the emergency switch (泄露应急开关). What children need goes on: texts in, danger, replies, ringing."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.broadcasts import acts
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.errors import BadInput
from sms_gateway.events import overview, subscriptions
from sms_gateway.operators import cutting_off, presence

from .operator import in_transaction

app = typer.Typer(help="泄露应急开关", no_args_is_help=True, pretty_exceptions_enable=False)

CONSEQUENCES = (
    "要做的事：所有人退出值班台（一次性登录链接也作废）、所有部门接口密钥停用、所有推送暂停、正在发的群发暂停。\n"
    "不停的事：来信照收，危险照判、照回、照响铃、照打值班手机。值班员请马上重新登录。"
)
LONGEST_REASON = 200


class ReasonIsMissing(BadInput):
    sentence = f"请写明为什么（1 到 {LONGEST_REASON} 个字），会记进审计。"


@app.command("stop-everything", help="马上切断所有向外的口子：登录、接口密钥、推送、群发")
def stop_everything(
    reason: Annotated[str, typer.Option(help="为什么，如 发现导出文件外传；加密记进审计")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="不再问一遍")] = False,
) -> None:
    typer.echo(CONSEQUENCES)
    if not yes:
        typer.confirm("现在就切断吗", abort=True)

    async def work(session: AsyncSession) -> str:
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise ReasonIsMissing
        sessions, keys, pushes, broadcasts = await cut_off(session, reason.strip())
        return (
            f"已切断：{sessions} 个登录、{keys} 个接口密钥、{pushes} 个推送、{broadcasts} 条群发。\n"
            "接着做：按 SECURITY.md “泄露演练”往下走；密钥可能外泄的，用 hotline keys rotate 换掉。"
        )

    in_transaction(work)


async def cut_off(session: AsyncSession, reason: str) -> tuple[int, int, int, int]:
    """All of it in one transaction, with an audit row; how many sessions, keys, subscriptions and broadcasts it was."""
    done = (
        await cutting_off.end_sessions(session),
        await cutting_off.end_keys(session),
        len(await subscriptions.pause_all(session, reason="leak")),
        len(await acts.pause_all(session, operator_id=None)),
    )
    await presence.note(session, operator_id=None, what="leak_stop", subject="hotline", detail=reason)
    return done


@app.command(help="现在还开着哪些口子")
def status() -> None:
    async def work(session: AsyncSession) -> str:
        sessions, keys = await cutting_off.count_open(session)
        active = sum(one.active for one in await overview.list_standings(session))
        running = len(list(await session.scalars(select(Broadcast.id).where(Broadcast.status == "running"))))
        return (
            f"没结束的登录 {sessions} 个，在用的接口密钥 {keys} 个，在推的订阅 {active} 个，正在发的群发 {running} 条。"
        )

    in_transaction(work)
