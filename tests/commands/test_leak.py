"""泄露应急开关: one command, and every way out is shut; danger is still heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.commands import operator as commands
from sms_gateway.commands.leak import app
from sms_gateway.database import dispose, transaction
from sms_gateway.events import subscriptions
from sms_gateway.events.models import Subscription
from sms_gateway.operators import accounts, api_keys, signin
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.wording import say
from tests.broadcasts.making import make_broadcast
from tests.telling import Person

PASSWORD = "a-long-pass-phrase-of-a-test"
Hotline = Callable[..., Awaitable[Result]]


@pytest.fixture
async def hotline(database: str, monkeypatch: pytest.MonkeyPatch) -> Hotline:
    monkeypatch.setattr(commands, "adopt", lambda _: None)

    async def run(*words: str, answer: str = "") -> Result:
        await dispose()
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), input=answer)

    return run


async def _ways_in() -> tuple[str, str, str, int, int]:
    """A session, a one-time link, a key, a subscription and a broadcast that runs."""
    async with transaction() as session:
        operator = await accounts.add(session, login="zhiban", name="值班员", role=Role.OPERATOR, password=PASSWORD)
        signed_in = await signin.with_password(session, operator)
        link = await signin.one_time_link(session, login="zhiban")
        _key, token = await api_keys.make(session, unit="edu@530627", name="测试系统")
        pushed, _secret = await subscriptions.add(
            session, unit="edu@530627", name="镇雄", url="https://push.example.cn/"
        )
    return signed_in.token, link, token, pushed.id, await make_broadcast()


async def test_one_command_shuts_every_way_out(hotline: Hotline) -> None:
    session_token, link, key, pushed, broadcast = await _ways_in()
    before = await hotline("status")
    assert "没结束的登录 1 个，在用的接口密钥 1 个，在推的订阅 1 个，正在发的群发 1 条" in before.output
    done = await hotline("stop-everything", "--reason", "导出文件被人发到群里", "--yes")
    assert done.exit_code == 0 and "1 个登录、1 个接口密钥、1 个推送、1 条群发" in done.output, done.output
    async with transaction() as session:
        assert await signin.find_session(session, session_token) is None
        with pytest.raises(signin.LinkIsUsed):
            await signin.with_link(session, token=link)
        with pytest.raises(api_keys.KeyIsMissing):
            await api_keys.find(session, key)
        subscription = await session.get_one(Subscription, pushed)
        assert (subscription.active, subscription.paused_reason) == (False, "leak")
        assert (await session.get_one(Broadcast, broadcast)).status == "paused"
        note = (await session.scalars(select(AuditRow).where(AuditRow.what == "leak_stop"))).one()
        assert note.detail == "导出文件被人发到群里"
    assert (
        "没结束的登录 0 个，在用的接口密钥 0 个，在推的订阅 0 个，正在发的群发 0 条" in (await hotline("status")).output
    )


async def test_who_belongs_here_signs_in_again_and_danger_is_answered_meanwhile(
    hotline: Hotline, person: Person
) -> None:
    await _ways_in()
    assert (await hotline("stop-everything", "--reason", "演练", "--yes")).exit_code == 0
    assert await person.texts("有个叔叔一直在踹我家门 就我和弟弟在") == [say("red.violence")]
    async with transaction() as session:
        operator = await accounts.find(session, "zhiban")
        assert accounts.is_password(operator, PASSWORD) and operator is not None
        signed_in = await signin.with_password(session, operator)
        assert await signin.find_session(session, signed_in.token) is not None


async def test_it_asks_first_and_wants_a_reason(hotline: Hotline) -> None:
    session_token, *_ = await _ways_in()
    assert (await hotline("stop-everything", "--reason", "试试", answer="n\n")).exit_code == 1
    refused = await hotline("stop-everything", "--reason", "  ", "--yes")
    assert refused.exit_code == 1 and "为什么" in refused.output
    async with transaction() as session:
        assert await signin.find_session(session, session_token) is not None
