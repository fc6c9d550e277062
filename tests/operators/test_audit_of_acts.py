"""Nobody acts unseen: what is done at a terminal and by a department's system stands in the audit as what is done on a page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner, Result

from sms_gateway.commands import api_key, audit, operator, subscription
from sms_gateway.database import dispose, transaction
from sms_gateway.operators.audit_verify import verify
from sms_gateway.operators.models import AuditRow
from tests.api.matters import EDU, dispatched, give_key
from tests.gateway_client import app, gateway

__all__ = ["app", "gateway"]


@pytest.fixture(autouse=True)
def here(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The test's database, not that of a running hotline."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    for place in (operator, audit):
        monkeypatch.setattr(place, "adopt", lambda _: None)


async def type_in(part: typer.Typer, *words: str) -> Result:
    await dispose()
    done = await asyncio.to_thread(CliRunner().invoke, part, list(words))
    assert done.exit_code == 0, done.output
    return done


async def rows(stream: str) -> list[AuditRow]:
    async with transaction() as session:
        return list(await session.scalars(select(AuditRow).where(AuditRow.stream == stream).order_by(AuditRow.seq)))


async def test_acts_at_the_terminal_are_kept_with_the_account_they_were_done_from() -> None:
    await type_in(operator.app, "add", "yan", "--name", "普艳", "--no-password")
    await type_in(operator.app, "link", "yan")
    await type_in(operator.app, "disable", "yan")
    await type_in(api_key.app, "add", "--unit", EDU, "--name", "镇雄教体局")
    await type_in(api_key.app, "list")
    await type_in(api_key.app, "end", "1")
    await type_in(subscription.app, "add", "--unit", EDU, "--name", "镇雄", "--url", "https://edu.example.cn/in")
    kept = await rows("terminal")
    assert [(row.what, row.subject) for row in kept] == [
        ("add_operator", "operator:1"), ("make_sign_in_link", "operator:1"), ("disable_operator", "operator:1"),
        ("add_api_key", "key:1"), ("list_api_keys", "keys"), ("end_api_key", "key:1"), ("add_subscription", "subscription:1"),
    ]  # fmt: skip
    assert all((row.detail or "").startswith("系统账号 ") for row in kept)
    assert not any("普艳" in (row.detail or "") or "yan" in row.subject for row in kept)


async def test_what_fails_at_the_terminal_leaves_no_row() -> None:
    await dispose()
    done = await asyncio.to_thread(CliRunner().invoke, operator.app, ["disable", "nobody"])
    assert done.exit_code == 1 and await rows("terminal") == []


async def test_checking_the_audit_is_itself_kept() -> None:
    done = await type_in(audit.app, "verify")
    assert "条审计" in done.output and "没有发现改动" in done.output
    assert [row.what for row in await rows("terminal")] == ["verify_audit"]


async def test_a_systems_reads_and_moves_stand_in_its_keys_own_chain(gateway: httpx.AsyncClient) -> None:
    gateway.headers.update(await give_key(EDU))
    ticket_id, number = await dispatched()
    version = (await gateway.get("/api/tickets")).json()["tickets"][0]["version"]
    await gateway.get(f"/api/tickets/{number}")
    await gateway.get(f"/api/tickets/{number}/events")
    await gateway.post(f"/api/tickets/{number}/sign", json={"version": version})
    assert (await gateway.post(f"/api/tickets/{number}/sign", json={"version": version})).status_code == 409
    assert [(row.what, row.subject) for row in await rows("key:1")] == [
        ("api_list_tickets", "key:1"), ("api_open_ticket", f"ticket:{ticket_id}"), ("api_open_events", f"ticket:{ticket_id}"),
        ("api_move_ticket", f"ticket:{ticket_id}"),
    ]  # fmt: skip
    async with transaction() as session:
        assert (await verify(session)).findings == []
