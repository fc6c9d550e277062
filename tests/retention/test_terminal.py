"""`hotline retention`, and the way up and down on tables that hold something."""

from __future__ import annotations

import psycopg
import pytest
from alembic import command
from typer.testing import CliRunner

from sms_gateway.clock import HeldClock
from sms_gateway.commands import retention
from sms_gateway.database import transaction
from sms_gateway.migrations import config, upgrade
from sms_gateway.retention import holds, requests
from sms_gateway.retention.request_rules import Asker, Checked, Wants
from tests.tickets import making

from . import lives

PERIODS = "HOTLINE_RETENTION_PERIODS"


def test_the_status_names_every_kind_with_its_source_and_runs_are_listed(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_adopt", lambda: None)
    shown = CliRunner().invoke(retention.app, ["status"])
    assert shown.exit_code == 0 and "还没有清理过" in shown.output
    for word in ("侵害", "21 年", "民法典", "个人信息保护法第五十六条", "我们定的"):
        assert word in shown.output
    assert "没有到期的" in CliRunner().invoke(retention.app, ["run", "--dry-run"]).output
    assert "还没有清理过" in CliRunner().invoke(retention.app, ["status"]).output
    assert CliRunner().invoke(retention.app, ["run"]).exit_code == 0
    assert "做完" in CliRunner().invoke(retention.app, ["status"]).output


def test_after_days_without_a_purge_a_person_says_that_the_date_is_right(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_adopt", lambda: None)
    with psycopg.connect(database, autocommit=True) as rows:
        rows.execute(
            "INSERT INTO retention_runs (day, started_at, ended_at, seconds, cut, step, counts)"
            " VALUES (current_date - 5, now(), now(), 0, false, 0, '{}')"
        )
    refused = CliRunner().invoke(retention.app, ["run"])
    assert refused.exit_code != 0 and "--confirm" in str(refused.exception)
    assert CliRunner().invoke(retention.app, ["run", "--confirm"]).exit_code == 0
    assert CliRunner().invoke(retention.app, ["run"]).exit_code == 0, "once a gap"


def test_a_period_shorter_than_law_demands_purges_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sms_gateway.settings import get_settings

    def adopt() -> None:
        monkeypatch.setenv(PERIODS, '{"audit": "1y"}')
        get_settings.cache_clear()

    monkeypatch.setattr(retention, "_adopt", adopt)
    refused = CliRunner().invoke(retention.app, ["run"])
    assert refused.exit_code != 0 and "不能短于 3 年" in str(refused.exception or refused.output)


async def test_tables_that_hold_something_go_down_and_up_again(database: str, clock: HeldClock) -> None:
    await making.the_desk()
    (lead,) = await lives.supervisors("he")
    ticket_id = await making.open_one()
    async with transaction() as session:
        contact_id = (await lives.ticket(ticket_id)).contact_id
        await holds.set_hold(session, contact_id=contact_id, ticket_id=ticket_id, by=lead, reason="公安已立案，等调取")
        await requests.record(
            session, number="+8613800000077", wants=Wants.ERASURE, asker=Asker.SUBJECT, checked=Checked.IN_PERSON, asker_name="王小林",
            words="本人带身份证来", by=lead,
        )  # fmt: skip
    await lives.purge()
    command.downgrade(config(database), "0008")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('evidence_holds')").fetchone() == (None,)
    upgrade(database)
    assert await lives.bodies((await lives.ticket(ticket_id)).thread_id) == ["孩子在学校被欺负"]
