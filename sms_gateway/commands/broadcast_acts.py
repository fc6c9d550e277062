"""`hotline broadcast run|status|pause|resume|cancel`: what the pages do, for whoever has a terminal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import jobs
from sms_gateway.broadcasts import acts, completing, governing, overview, sending
from sms_gateway.broadcasts.lifecycle import ENDED, Status
from sms_gateway.console.rules import Act, is_allowed
from sms_gateway.database import dispose, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import accounts
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.running import adopt

from . import broadcast_progress as shown
from . import terminal
from .operator import in_transaction

Number = Annotated[int, typer.Argument(help="群发的编号")]
As = Annotated[str, typer.Option("--as", help="谁让做的：账号（编辑或值班长）")]
LOOK_SECONDS = 0.5


class NotTheirs(HotlineError):
    status_code = 403
    sentence = "只有编辑和值班长能放行群发。"


class DangerIsUnseen(HotlineError):
    """A terminal shows no replies: whoever lets it go on says how many they have seen on the pages."""

    status_code = 409


def run(
    broadcast_id: Number,
    on_behalf: Annotated[str | None, typer.Option("--as", help="批准了还没开始的，由谁开始：账号")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="只看，不帮着发")] = False,
) -> None:
    """帮着发：这个窗口也当一个发送进程，直到发完。Ctrl-C 只停这个窗口，别的进程还在发。"""
    _here()
    try:
        asyncio.run(_run(broadcast_id, on_behalf, watch=watch))
    except HotlineError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("这个窗口停了，别的进程还在发。要停掉群发：hotline broadcast pause")


def status(broadcast_id: Number) -> None:
    """看一条群发到哪里了：各个状态、各地、回信。"""

    async def work(session: AsyncSession) -> str:
        await terminal.note(session, "look_at_broadcast", f"broadcast:{broadcast_id}")
        console = Console()
        with console.capture() as caught:
            shown.print_status(console, await overview.look(session, broadcast_id))
        return caught.get().rstrip()

    in_transaction(work)


def pause(broadcast_id: Number) -> None:
    """两秒内停下。谁都可以停，不用账号。"""

    async def work(session: AsyncSession) -> str:
        await acts.pause(session, broadcast_id, operator_id=None, reason="line")
        await terminal.note(session, "pause_broadcast", f"broadcast:{broadcast_id}")
        return "停了。继续发：hotline broadcast resume"

    in_transaction(work)


def resume(
    broadcast_id: Number,
    on_behalf: As,
    seen: Annotated[int, typer.Option("--seen", help="看过的红色、橙色回信一共几条")] = 0,
) -> None:
    """看过以后继续发；一波发完在等的，就放下一波。"""

    async def work(session: AsyncSession) -> str:
        who = await _editor(session, on_behalf)
        one = await acts.get(session, broadcast_id)
        danger = await governing.count_danger(session, broadcast_id)
        if max(seen, one.danger_seen) < danger:
            raise DangerIsUnseen(
                f"红色、橙色的回信一共 {danger} 条，还没有都看过。先看有没有人接，再加上 --seen {danger}。"
            )
        go_on = acts.next_wave if one.pause_reason == "wave" else acts.resume
        await go_on(session, broadcast_id, version=one.version, operator_id=who, danger_seen=danger)
        what = "next_wave_broadcast" if go_on is acts.next_wave else "resume_broadcast"
        await terminal.note(session, what, f"broadcast:{broadcast_id}", operator_id=who)
        return "继续发。"

    in_transaction(work)


def cancel(broadcast_id: Number, sure: Annotated[bool, typer.Option("--yes", help="不问，直接取消")] = False) -> None:
    """取消：还没发的都不发了，不能再恢复。"""
    if not sure:
        typer.confirm("取消以后不能恢复。还没发到的人都不发了，确定吗？", abort=True)

    async def work(session: AsyncSession) -> str:
        await acts.cancel(session, broadcast_id, operator_id=None)
        await terminal.note(session, "cancel_broadcast", f"broadcast:{broadcast_id}")
        return "取消了。还没发的号码正在记成“已取消”。"

    in_transaction(work)


def _here() -> None:
    """The database of the hotline that runs here, where none is set."""
    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()


async def _editor(session: AsyncSession, login: str) -> int:
    operator = await accounts.get(session, login)
    if not is_allowed(operator.role, Act.RELEASE_OUTREACH) or operator.disabled_at is not None:
        raise NotTheirs
    return operator.id


async def _run(broadcast_id: int, on_behalf: str | None, *, watch: bool) -> None:
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        if one.status == Status.APPROVED and on_behalf is not None:
            who = await _editor(session, on_behalf)
            await acts.start(session, one.id, version=one.version, operator_id=who)
            await terminal.note(session, "start_broadcast", f"broadcast:{one.id}", operator_id=who)
    sender = sending.Sender()
    beside: list[asyncio.Task[None]] = []
    if not watch:
        chores = [("govern", governing.govern), ("complete_ended", completing.complete_ended)]
        beside = [asyncio.create_task(sender.run())]
        beside += [asyncio.create_task(jobs.each_second(chore, name)) for name, chore in chores]
    try:
        await _show_until_over(broadcast_id)
    finally:
        sender.stop.set()
        for task in beside[1:]:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*beside, return_exceptions=True)
        await sending.close()
        await dispose()


async def _show_until_over(broadcast_id: int) -> None:
    made, task = shown.bar()
    with Live(refresh_per_second=4, console=Console()) as live:
        while True:
            with suppress(*jobs.PASSING):
                async with transaction() as session:
                    seen = await overview.look(session, broadcast_id)
                live.update(shown.show(made, task, seen))
                if seen.broadcast.status in ENDED and seen.done == seen.total:
                    return
            await asyncio.sleep(LOOK_SECONDS)
