"""Somebody with the database but not with our key changes something: `hotline audit verify` names it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.audit_verify import Finding
from sms_gateway.operators.models import AuditRow
from sms_gateway.tickets import anchors, chain, erasing, handling, moves
from sms_gateway.tickets.erasing import NothingToErase
from sms_gateway.tickets.lifecycle import EvidenceIsMissing, NotYoursToMove
from sms_gateway.tickets.models import TicketAnchor, TicketEvent
from sms_gateway.tickets.verify import verify
from tests.tickets.making import DESK, LEAD, UNIT, at, dispatched, events_of, open_one, read, signed


@pytest.fixture
async def replied(database: str, clock: HeldClock) -> int:
    """A ticket with five events, two of them with words, on Tuesday 24 November 2026."""
    clock.advance(at("2026-11-24") - clock.now())
    ticket_id = await open_one()
    await dispatched(ticket_id)
    await signed(ticket_id)
    async with transaction() as session:
        await handling.reply(session, await moves.lock(session, ticket_id), actor=UNIT, words="已上门看过")
    async with transaction() as session:
        await handling.send_back(session, await moves.lock(session, ticket_id), actor=DESK, why="请写清谁去的")
    await open_one()
    return ticket_id


async def findings() -> list[Finding]:
    async with transaction() as session:
        return (await verify(session)).findings


def behind(url: str, *statements: str, **values: Any) -> None:
    """Somebody at the database itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement, values)


async def named(ticket_id: int) -> tuple[str, set[int | None]]:
    """The one ticket that is named, and which of its events."""
    found = await findings()
    assert found and {finding.where for finding in found} == {(await read(ticket_id)).number}
    return " ".join(finding.what for finding in found), {finding.seq for finding in found}


async def test_nothing_is_found_where_nothing_was_done(replied: int) -> None:
    assert await findings() == []
    async with transaction() as session:
        report = await verify(session)
    assert (report.tickets, report.events) == (2, 6)


@pytest.mark.parametrize(
    "change",
    [
        "who = 'operator:99'",
        "what = 'note'",
        "at = at - interval '1 day'",
        "from_status = 'handling'",
        "to_status = NULL",
        """detail = '{"unit": "civil@530627"}'""",
        "uid = gen_random_uuid()",
        "why_digest = sha256('x')",
    ],
)
async def test_a_changed_column_is_found(replied: int, database: str, change: str) -> None:
    behind(database, f"UPDATE ticket_events SET {change} WHERE ticket_id = %(id)s AND seq = 2", id=replied)
    what, seqs = await named(replied)
    assert "内容被改过" in what and seqs == {2}


async def test_a_change_with_its_hashes_worked_out_anew_is_found(replied: int, database: str) -> None:
    """The chain is not keyed: whoever reads our code can make a whole one. The seal of its end they cannot."""
    ticket, events = await read(replied), await events_of(replied)
    head = chain.start(ticket.uid)
    for event in events:
        who = "operator:99" if event.seq == 2 else event.who
        content = chain.content_hash(
            uid=event.uid, seq=event.seq, what=event.what, who=who, at=event.at, from_status=event.from_status,
            to_status=event.to_status, why_digest=event.why_digest, detail=event.detail,
        )  # fmt: skip
        head = chain.link(head, content)
        behind(
            database, "UPDATE ticket_events SET who = %(who)s, content_hash = %(content)s, chain_hash = %(head)s WHERE id = %(id)s",
            who=who, content=content, head=head, id=event.id,
        )  # fmt: skip
    behind(database, "UPDATE tickets SET head = %(head)s WHERE id = %(id)s", head=head, id=replied)
    what, _ = await named(replied)
    assert "封印" in what


async def test_a_deleted_event_is_found(replied: int, database: str) -> None:
    behind(database, "DELETE FROM ticket_events WHERE ticket_id = %(id)s AND seq = 3", id=replied)
    what, seqs = await named(replied)
    assert "少了第 3 条" in what and seqs == {4}


async def test_a_deleted_tail_is_found(replied: int, database: str) -> None:
    behind(database, "DELETE FROM ticket_events WHERE ticket_id = %(id)s AND seq = 5", id=replied)
    what, seqs = await named(replied)
    assert "记着 5 条，实有 4 条" in what and seqs == {4}


async def test_a_deleted_tail_with_the_ticket_mended_is_found(replied: int, database: str) -> None:
    behind(
        database,
        "DELETE FROM ticket_events WHERE ticket_id = %(id)s AND seq = 5",
        "UPDATE tickets SET events = 4, status = 'replied', head = (SELECT chain_hash FROM ticket_events"
        " WHERE ticket_id = %(id)s AND seq = 4) WHERE id = %(id)s",
        id=replied,
    )
    what, seqs = await named(replied)
    assert "第 4 条之后的记录可能被删过" in what and seqs == {4}


async def test_a_ticket_put_back_from_an_old_copy_is_missed_by_the_anchor(
    replied: int, database: str, clock: HeldClock
) -> None:
    old = await read(replied)
    async with transaction() as session:
        await handling.reply(session, await moves.lock(session, replied), actor=UNIT, words="王老师去的")
    clock.advance(timedelta(days=2))
    await anchors.sweep()
    assert await findings() == []
    behind(
        database,
        "DELETE FROM ticket_events WHERE ticket_id = %(id)s AND seq = 6",
        "UPDATE tickets SET events = 5, head = %(head)s, head_seal = %(seal)s WHERE id = %(id)s",
        id=replied, head=old.head, seal=old.head_seal,
    )  # fmt: skip
    (first, *_) = await findings()
    assert first.where == "2026-11-24 的存证" and "记着 7 条，实有 6 条" in first.what


async def test_reordered_events_are_found(replied: int, database: str) -> None:
    behind(
        database,
        "UPDATE ticket_events SET seq = -seq WHERE ticket_id = %(id)s AND seq IN (2, 3)",
        "UPDATE ticket_events SET seq = 5 + seq WHERE ticket_id = %(id)s AND seq < 0",
        id=replied,
    )
    what, seqs = await named(replied)
    assert "内容被改过" in what and {2, 3} <= seqs


async def test_words_erased_without_an_event_are_found(replied: int, database: str) -> None:
    behind(
        database,
        "UPDATE ticket_events SET why_sealed = NULL, erased_at = now() WHERE ticket_id = %(id)s AND seq = 4",
        id=replied,
    )
    what, seqs = await named(replied)
    assert "没有抹去的记录" in what and seqs == {4}


async def test_words_exchanged_are_found(replied: int, database: str) -> None:
    behind(
        database,
        "UPDATE ticket_events SET why_sealed = (SELECT why_sealed FROM ticket_events WHERE ticket_id = %(id)s AND seq = 5)"
        " WHERE ticket_id = %(id)s AND seq = 4",
        id=replied,
    )
    what, seqs = await named(replied)
    assert "打不开" in what and seqs == {4}


async def test_a_ticket_without_any_event_is_found(replied: int, database: str) -> None:
    behind(database, "DELETE FROM ticket_events WHERE ticket_id = %(id)s", id=replied)
    what, _ = await named(replied)
    assert "一条记录也没有" in what


# --- erasing


async def test_erased_words_are_gone_and_the_chain_stays_whole(replied: int) -> None:
    async with transaction() as session:
        ticket = await moves.lock(session, replied)
        await erasing.erase_why(session, ticket, [4], actor=LEAD, reason="本人要求")
    events = await events_of(replied)
    assert events[3].why is None and events[3].erased_at is not None and events[3].what == "replied"
    assert (events[-1].what, events[-1].detail, events[-1].why) == ("erased", {"seqs": [4]}, "本人要求")
    assert await findings() == []


async def test_what_has_no_words_is_not_erased_and_not_everybody_erases(replied: int) -> None:
    async with transaction() as session:
        ticket = await moves.lock(session, replied)
        for seqs in ([1], [4, 99], []):
            with pytest.raises(NothingToErase):
                await erasing.erase_why(session, ticket, seqs, actor=LEAD, reason="本人要求")
        with pytest.raises(NotYoursToMove):
            await erasing.erase_why(session, ticket, [4], actor=DESK, reason="本人要求")
        with pytest.raises(EvidenceIsMissing):
            await erasing.erase_why(session, ticket, [4], actor=LEAD, reason=" ")
    assert (await events_of(replied))[3].why == "已上门看过"


# --- anchors


async def days() -> list[tuple[str, int]]:
    async with transaction() as session:
        rows = await session.scalars(select(TicketAnchor).order_by(TicketAnchor.day))
        return [(row.day, row.events) for row in rows]


async def test_each_finished_day_is_anchored_once_an_hour_after_it(replied: int, clock: HeldClock) -> None:
    clock.advance(at("2026-11-25", 0, 59) - clock.now())
    assert await anchors.sweep() == 0
    clock.advance(timedelta(minutes=1))
    assert await anchors.sweep() == 1 and await anchors.sweep() == 0
    assert await days() == [("2026-11-24", 6)]
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "ticket_anchor"))
    assert row.subject.startswith("2026-11-24 ") and row.operator_id is None


async def test_days_without_a_worker_and_days_without_events_are_caught_up(replied: int, clock: HeldClock) -> None:
    clock.advance(timedelta(days=2))
    await signed_again(replied)
    clock.advance(timedelta(days=2))
    assert await anchors.sweep() == 4
    assert await days() == [("2026-11-24", 6), ("2026-11-25", 0), ("2026-11-26", 1), ("2026-11-27", 0)]
    assert await findings() == []


async def signed_again(ticket_id: int) -> None:
    async with transaction() as session:
        await handling.reply(session, await moves.lock(session, ticket_id), actor=UNIT, words="王老师去的")


async def test_an_anchor_mended_or_taken_away_is_found(replied: int, database: str, clock: HeldClock) -> None:
    clock.advance(timedelta(days=4))
    await anchors.sweep()
    behind(database, "DELETE FROM ticket_anchors WHERE day = '2026-11-26'")
    assert any(finding.where == "2026-11-25 之后的存证" for finding in await findings())
    behind(database, "UPDATE ticket_anchors SET root = sha256('x') WHERE day = '2026-11-25'")
    assert any("审计里没有" in finding.what for finding in await findings())


async def test_a_new_event_with_an_old_time_changes_no_anchor(replied: int, clock: HeldClock) -> None:
    clock.advance(timedelta(days=1))
    await anchors.sweep()
    async with transaction() as session:
        ticket = await moves.lock(session, replied)
        from sms_gateway.tickets.record import record_event

        await record_event(session, ticket, "note", who="system", at=at("2026-11-24", 12))
    clock.advance(timedelta(days=1))
    await anchors.sweep()
    assert await findings() == []


# --- the command


async def test_the_command_says_so_in_chinese_and_exits_with_1(
    replied: int, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from sms_gateway import database as ground
    from sms_gateway.commands import audit

    monkeypatch.setattr(audit, "adopt", lambda _: None)  # the test's database, not that of a running hotline
    await ground.dispose()
    run = CliRunner()
    whole = await asyncio.to_thread(run.invoke, audit.app, ["verify"])
    assert whole.exit_code == 0 and "2 张工单、6 条记录" in whole.output and "没有发现改动" in whole.output
    behind(database, "UPDATE ticket_events SET who = 'system' WHERE ticket_id = %(id)s AND seq = 2", id=replied)
    changed = await asyncio.to_thread(run.invoke, audit.app, ["verify"])
    assert changed.exit_code == 1
    assert f"{(await read(replied)).number} 第 2 条：内容被改过" in changed.output
    assert TicketEvent.__tablename__ not in changed.output and "已上门看过" not in changed.output
