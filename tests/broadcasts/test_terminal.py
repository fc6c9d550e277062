"""`hotline broadcast run|status|pause|resume|cancel`: what a terminal shows and does, and what it does not let anybody do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from sms_gateway.broadcasts import acts
from sms_gateway.commands import broadcast, broadcast_acts, operator
from sms_gateway.database import dispose, transaction
from sms_gateway.operators.models import Role
from tests.broadcasts import making
from tests.broadcasts.test_governing import reply
from tests.broadcasts.test_sending import Remembering, remembering, somebody_on_duty

__all__ = ["remembering"]
Terminal = Callable[..., Awaitable[Result]]


@pytest.fixture
def terminal(remembering: Remembering, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    for place in (operator, broadcast_acts):
        monkeypatch.setattr(place, "adopt", lambda _: None)

    async def run(*words: str) -> Result:
        await dispose()
        return await asyncio.to_thread(CliRunner().invoke, broadcast.app, list(words))

    return run


async def test_run_sends_until_everybody_is_through_and_shows_it(terminal: Terminal, remembering: Remembering) -> None:
    await somebody_on_duty()
    editor = await making.make_operator(login="bianji")
    one = await making.make_broadcast(status="approved", carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 120)
    found = await terminal("run", str(one), "--as", "bianji")
    assert found.exit_code == 0, found.output
    assert "120/120" in found.output and "发完了" in found.output
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 121)})
    async with transaction() as session:
        started = "SELECT who FROM broadcast_events WHERE what = 'started'"
        assert await session.scalar(text(started)) == f"operator:{editor}"


async def test_a_draft_is_not_started_by_a_terminal(terminal: Terminal, remembering: Remembering) -> None:
    await making.make_operator(login="bianji")
    one = await making.make_broadcast(status="draft")
    await making.make_ledger(one, 3)
    async with transaction() as session:
        draft = await acts.get(session, one)
        with pytest.raises(acts.lifecycle.BroadcastCannotMove):
            await acts.start(session, one, version=draft.version, operator_id=None)
    found = await terminal("resume", str(one), "--as", "bianji")
    assert found.exit_code == 1 and "现在做不了" in found.output
    assert remembering.took == []


async def test_anybody_may_stop_it_but_only_an_editor_lets_it_go_on(terminal: Terminal) -> None:
    await making.make_operator(login="bianji")
    await making.make_operator(login="zhiban", role=Role.OPERATOR)
    one = await making.make_broadcast()
    await making.make_ledger(one, 3)
    assert (await terminal("pause", str(one))).exit_code == 0
    shown = await terminal("status", str(one))
    assert (
        "停着：有人在服务器的命令行按了暂停" in shown.output
        and "还没轮到" in shown.output
        and "昭通市镇雄县" in shown.output
    )
    refused = await terminal("resume", str(one), "--as", "zhiban")
    assert refused.exit_code == 1 and "只有编辑和值班长" in refused.output
    assert (await terminal("resume", str(one), "--as", "bianji")).exit_code == 0
    assert (await terminal("cancel", str(one), "--yes")).exit_code == 0
    async with transaction() as session:
        assert (await acts.get(session, one)).status == "cancelled"
        whos = (await session.execute(text("SELECT what, who FROM broadcast_events ORDER BY id"))).all()
    assert [what for what, _ in whos] == ["paused", "resumed", "cancelled"]


async def test_a_terminal_lets_nothing_go_on_over_danger_that_nobody_has_seen(terminal: Terminal) -> None:
    await making.make_operator(login="bianji")
    one = await making.make_broadcast(danger_replies=1)
    await making.make_ledger(one, 3)
    await reply(one, 1, "red")
    await terminal("pause", str(one))
    for seen in ((), ("--seen", "0")):
        refused = await terminal("resume", str(one), "--as", "bianji", *seen)
        assert refused.exit_code == 1 and "--seen 1" in refused.output
    assert (await terminal("resume", str(one), "--as", "bianji", "--seen", "1")).exit_code == 0
    async with transaction() as session:
        assert (await acts.get(session, one)).danger_seen == 1


async def test_what_is_not_there_is_said_in_a_sentence(terminal: Terminal) -> None:
    for word in ("status", "pause"):
        found = await terminal(word, "99")
        assert found.exit_code == 1 and found.output.strip() == "没有这条群发。"
