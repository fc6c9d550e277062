"""The audit in hash chains: whoever changes it behind the system's back is found, and nobody waits for long to write it."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from sms_gateway.clock import SHANGHAI, HeldClock
from sms_gateway.database import transaction
from sms_gateway.migrations import config
from sms_gateway.operators import audit, audit_anchors, audit_chain
from sms_gateway.operators.audit_anchors import TooEarlyToDrop
from sms_gateway.operators.audit_verify import Finding, verify
from sms_gateway.operators.models import AuditAnchor, AuditRow, AuditStream
from sms_gateway.operators.presence import note

YAN, HE = 7, 8


@pytest.fixture
async def noted(database: str, clock: HeldClock) -> None:
    """Two operators' acts on Tuesday 24 November 2026, five of one of them."""
    clock.advance(datetime(2026, 11, 24, 9, 0, tzinfo=SHANGHAI) - clock.now())
    for number in range(1, 6):
        await act(YAN, "open_ticket", f"ticket:{number}", "查进度" if number == 3 else None)
    await act(HE, "open_talk", "thread:1")


async def act(operator_id: int | None, what: str, subject: str, detail: str | None = None, **more: Any) -> None:
    async with transaction() as session:
        await note(session, operator_id=operator_id, what=what, subject=subject, detail=detail, **more)


async def findings() -> list[Finding]:
    async with transaction() as session:
        return (await verify(session)).findings


def behind(url: str, *statements: str, **values: Any) -> None:
    """Somebody who owns the database: the trigger does not hold them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit DISABLE TRIGGER audit_append_only")
        for statement in statements:
            connection.execute(statement, values)
        connection.execute("ALTER TABLE audit ENABLE TRIGGER audit_append_only")


async def said_of(url: str, *statements: str, **values: Any) -> str:
    behind(url, *statements, **values)
    return "\n".join(map(str, await findings()))


async def chain_of(stream: str) -> list[AuditRow]:
    async with transaction() as session:
        return list(await session.scalars(select(AuditRow).where(AuditRow.stream == stream).order_by(AuditRow.seq)))


async def test_each_row_stands_in_its_writers_chain_and_nothing_is_found(noted: None) -> None:
    assert [row.seq for row in await chain_of("operator:7")] == [1, 2, 3, 4, 5]
    assert [row.subject for row in await chain_of("system")] == ["operator:7", "operator:8"]
    async with transaction() as session:
        report = await verify(session)
    assert report.findings == [] and report.rows == 8


async def test_what_is_rolled_back_leaves_no_row(noted: None) -> None:
    async def fail() -> None:
        async with transaction() as session:
            await note(session, operator_id=YAN, what="open_ticket", subject="ticket:9")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert len(await chain_of("operator:7")) == 5


async def test_acts_of_a_system_and_from_a_terminal_have_chains_of_their_own(noted: None) -> None:
    await act(None, "api_open_ticket", "ticket:1", stream="key:3")
    await act(YAN, "resume_broadcast", "broadcast:1", stream="terminal")
    (row,) = await chain_of("terminal")
    assert row.operator_id == YAN and len(await chain_of("key:3")) == 1 and await findings() == []


@pytest.mark.parametrize(
    "change",
    ["operator_id = 9", "what = 'close'", "subject = 'ticket:77'", "at = at - interval '1 day'", "uid = gen_random_uuid()", "has_detail = false"],
)  # fmt: skip
async def test_a_changed_column_is_found(noted: None, database: str, change: str) -> None:
    said = await said_of(database, f"UPDATE audit SET {change} WHERE stream = 'operator:7' AND seq = 3")
    assert "审计 operator:7 第 3 条：内容被改过" in said


async def test_a_reason_taken_away_is_found(noted: None, database: str) -> None:
    said = await said_of(database, "UPDATE audit SET detail_sealed = NULL WHERE stream = 'operator:7' AND seq = 3")
    assert "审计 operator:7 第 3 条：理由没有了" in said


async def test_reasons_go_after_their_time_and_the_chain_stays_whole(
    noted: None, database: str, clock: HeldClock
) -> None:
    clock.advance(timedelta(days=30))
    await act(YAN, "export", "export:csv", "联席会要看")
    async with transaction() as session:
        with pytest.raises(TooEarlyToDrop):
            await audit_anchors.blank_through(session, date(2026, 11, 24))
    clock.advance(timedelta(days=190))
    async with transaction() as session:
        assert await audit_anchors.blank_through(session, date(2026, 11, 30)) == 1
        assert await audit_anchors.blank_through(session, date(2026, 11, 30)) == 0
    assert [row.detail for row in await chain_of("operator:7")] == [None, None, None, None, None, "联席会要看"]
    assert await findings() == []
    said = await said_of(database, "UPDATE audit SET detail_sealed = NULL WHERE stream = 'operator:7' AND seq = 6")
    assert "审计 operator:7 第 6 条：理由没有了" in said


async def test_an_exchanged_reason_is_found(noted: None, database: str) -> None:
    await act(YAN, "export", "export:csv", "联席会要看")
    said = await said_of(
        database,
        "UPDATE audit SET detail_sealed = (SELECT detail_sealed FROM audit WHERE stream = 'operator:7' AND seq = 6)"
        " WHERE stream = 'operator:7' AND seq = 3",
    )
    assert "审计 operator:7 第 3 条：理由打不开" in said


async def test_a_removed_row_is_found(noted: None, database: str) -> None:
    said = await said_of(database, "DELETE FROM audit WHERE stream = 'operator:7' AND seq = 3")
    assert "第 4 条：前面少了 1 条" in said


async def test_a_removed_tail_is_found_also_with_the_end_mended(noted: None, database: str) -> None:
    last = "DELETE FROM audit WHERE stream = 'operator:7' AND seq = 5"
    assert "记着 5 条，实有 4 条" in await said_of(database, last)
    said = await said_of(
        database,
        "UPDATE audit_streams SET length = 4, head = (SELECT chain_hash FROM audit WHERE stream = 'operator:7' AND seq = 4)"
        " WHERE stream = 'operator:7'",
    )
    assert "末尾的封印不对" in said


async def test_writing_on_does_not_wash_a_mended_end_clean(noted: None, database: str) -> None:
    behind(
        database,
        "DELETE FROM audit WHERE stream = 'operator:7' AND seq = 5",
        "UPDATE audit_streams SET length = 4, head = (SELECT chain_hash FROM audit WHERE stream = 'operator:7' AND seq = 4)"
        " WHERE stream = 'operator:7'",
    )
    await act(YAN, "open_ticket", "ticket:6")
    assert len(await chain_of("operator:7")) == 5  # nobody's work is held up
    assert any("末尾的封印不对" in finding.what for finding in await findings())


async def test_reordered_rows_are_found(noted: None, database: str) -> None:
    said = await said_of(
        database,
        "UPDATE audit SET seq = -seq WHERE stream = 'operator:7' AND seq IN (2, 3)",
        "UPDATE audit SET seq = 5 + seq WHERE stream = 'operator:7' AND seq < 0",
    )
    assert "第 2 条" in said and "第 3 条" in said


async def test_an_inserted_row_is_found(noted: None, database: str) -> None:
    """With hashes as ours: they need no key."""
    (*_, last) = await chain_of("operator:7")
    forged = audit.Noted("operator:7", YAN, "open_ticket", "ticket:99")
    row, _head = audit._row(forged, 6, last.chain_hash)
    said = await said_of(
        database,
        "INSERT INTO audit (uid, at, operator_id, what, subject, has_detail, stream, seq, content_hash, chain_hash) VALUES"
        " (%(uid)s, %(at)s, %(operator_id)s, %(what)s, %(subject)s, %(has_detail)s, %(stream)s, %(seq)s, %(content_hash)s, %(chain_hash)s)",
        **row,
    )
    assert "记着 5 条，实有 6 条" in said


async def _work_out_anew(url: str, stream: str, **changed: Any) -> None:
    """Row 2 changed, and every hash after it made right, as anybody can who has read our code."""
    head = audit_chain.start(stream)
    for row in await chain_of(stream):
        subject = changed.get("subject", row.subject) if row.seq == 2 else row.subject
        content = audit_chain.content_hash(
            uid=row.uid, stream=stream, seq=row.seq, at=row.at, operator_id=row.operator_id, what=row.what, subject=subject,
            has_detail=row.has_detail,
        )  # fmt: skip
        head = audit_chain.link(head, content)
        behind(
            url, "UPDATE audit SET subject = %(subject)s, content_hash = %(content)s, chain_hash = %(head)s WHERE id = %(id)s",
            subject=subject, content=content, head=head, id=row.id,
        )  # fmt: skip
    behind(url, "UPDATE audit_streams SET head = %(head)s WHERE stream = %(stream)s", head=head, stream=stream)


async def test_later_hashes_worked_out_anew_are_found_by_the_ends_seal(noted: None, database: str) -> None:
    await _work_out_anew(database, "operator:7", subject="ticket:77")
    assert ["末尾的封印不对" in finding.what for finding in await findings()] == [True]


async def test_a_chain_put_back_from_an_old_copy_is_missed_by_the_anchor(
    noted: None, database: str, clock: HeldClock
) -> None:
    async with transaction() as session:
        old = await session.get_one(AuditStream, "operator:7")
    await act(YAN, "show_number", "thread:1")
    clock.advance(timedelta(days=2))
    await audit_anchors.sweep()
    assert await findings() == []
    said = await said_of(
        database,
        "DELETE FROM audit WHERE stream = 'operator:7' AND seq = 6",
        "UPDATE audit_streams SET length = 5, head = %(head)s, seal = %(seal)s WHERE stream = 'operator:7'",
        head=old.head, seal=old.seal,
    )  # fmt: skip
    assert "审计 operator:7：2026-11-24 的存证里有的，现在没有了" in said


async def test_a_whole_chain_taken_away_is_missed(noted: None, database: str) -> None:
    said = await said_of(
        database,
        "DELETE FROM audit WHERE stream = 'operator:8'",
        "DELETE FROM audit_streams WHERE stream = 'operator:8'",
    )
    assert "审计 operator:8：整条链的末尾没有了" in said


async def test_an_anchor_mended_or_taken_away_is_found(noted: None, database: str, clock: HeldClock) -> None:
    clock.advance(timedelta(days=4))
    assert await audit_anchors.sweep() == 4 and await audit_anchors.sweep() == 0
    said = await said_of(database, "UPDATE audit_anchors SET heads = '{}' WHERE day = '2026-11-24'")
    assert "2026-11-24 的审计存证：改过" in said
    said = await said_of(database, "DELETE FROM audit_anchors WHERE day = '2026-11-25'")
    assert "2026-11-24 之后的审计存证：少了" in said


async def test_the_table_itself_refuses_changes_that_are_not_a_new_seal(noted: None, database: str) -> None:
    for change in ("UPDATE audit SET what = 'x'", "UPDATE audit SET detail_sealed = NULL", "DELETE FROM audit"):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RaiseException):
            connection.execute(change)
    async with transaction() as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.seq == 3))).one()
        row.detail = "查进度"  # sealed anew, as under another key
    assert await findings() == []


async def test_old_days_are_dropped_and_the_rest_still_verifies(noted: None, database: str, clock: HeldClock) -> None:
    clock.advance(timedelta(days=1))
    await act(YAN, "open_ticket", "ticket:6")
    clock.advance(timedelta(days=200))
    await audit_anchors.sweep()
    async with transaction() as session:
        assert await audit_anchors.drop_through(session, date(2026, 11, 24)) == 8
    assert [row.seq for row in await chain_of("operator:7")] == [6] and await chain_of("operator:8") == []
    assert await findings() == []
    async with transaction() as session:
        assert await audit_anchors.drop_through(session, date(2026, 11, 24)) == 0  # twice is as good as once
    assert "前面少了" in await said_of(
        database, "UPDATE audit SET subject = 'audit:2026-11-20' WHERE what = 'drop_audit'"
    )


async def test_after_a_drop_a_further_row_taken_away_is_found(noted: None, database: str, clock: HeldClock) -> None:
    clock.advance(timedelta(days=1))
    await act(YAN, "open_ticket", "ticket:6")
    await act(YAN, "open_ticket", "ticket:7")
    clock.advance(timedelta(days=200))
    await audit_anchors.sweep()
    async with transaction() as session:
        await audit_anchors.drop_through(session, date(2026, 11, 24))
    said = await said_of(database, "DELETE FROM audit WHERE stream = 'operator:7' AND seq = 6")
    assert "审计 operator:7 第 7 条：前面少了 1 条" in said


async def test_young_days_and_days_without_an_anchor_are_not_dropped(noted: None, clock: HeldClock) -> None:
    clock.advance(timedelta(days=100))
    await audit_anchors.sweep()
    async with transaction() as session:
        with pytest.raises(TooEarlyToDrop):
            await audit_anchors.drop_through(session, date(2026, 11, 24))
    clock.advance(timedelta(days=400))
    async with transaction() as session:
        with pytest.raises(TooEarlyToDrop):
            await audit_anchors.drop_through(session, date(2027, 6, 1))  # no anchor yet
    assert len(await chain_of("operator:7")) == 5


async def test_writers_of_different_chains_do_not_wait_for_each_other_and_of_one_chain_only_for_the_commit(
    noted: None,
) -> None:
    """A long transaction of one's own that has noted something holds nobody up."""
    async with transaction() as slow:
        await note(slow, operator_id=YAN, what="open_ticket", subject="ticket:50")
        await slow.execute(select(1))
        async with asyncio.timeout(60):  # who waited for the slow one would wait for ever: it ends after them
            await asyncio.gather(*(act(who, "open_ticket", f"ticket:{n}") for n in range(20) for who in (YAN, HE)))
    rows = await chain_of("operator:7")
    assert [row.seq for row in rows] == list(range(1, 27)) and rows[-1].subject == "ticket:50"
    assert await findings() == []


async def test_rows_from_before_the_chain_are_put_into_it_in_their_order(database: str) -> None:
    from sms_gateway import database as ground

    await act(None, "asked_for_rework", "ticket:1")
    await ground.dispose()
    command.downgrade(config(database), "0008")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO operators (id, uid, login, name_sealed, badge, role, created_at, on_duty, failed_sign_ins, trained, severe_in_a_row)"
            " VALUES (7, gen_random_uuid(), 'yan', 'x', '0007', 'operator', now(), false, 0, false, 0)"
        )
        for number in range(1, 8):
            connection.execute(
                "INSERT INTO audit (uid, at, operator_id, what, subject) VALUES (gen_random_uuid(), now(), %s, 'open_ticket', %s)",
                (7 if number % 2 else None, f"ticket:{number}"),
            )
    command.upgrade(config(database), "head")
    assert [row.subject for row in await chain_of("operator:7")] == [f"ticket:{number}" for number in (1, 3, 5, 7)]
    assert len(await chain_of("system")) == 4
    await act(7, "open_ticket", "ticket:8")
    assert await findings() == []
    assert "内容被改过" in await said_of(
        database, "UPDATE audit SET what = 'x' WHERE stream = 'operator:7' AND seq = 2"
    )


async def test_a_root_needs_the_key(noted: None, clock: HeldClock) -> None:
    clock.advance(timedelta(days=1))
    await audit_anchors.sweep()
    async with transaction() as session:
        (anchor,) = await session.scalars(select(AuditAnchor))
    heads = audit_anchors.read_heads(anchor)
    text = audit_chain.anchor_text(audit_anchors.NO_ROOT, anchor.day, anchor.rows, heads)
    assert anchor.rows == 8 and anchor.root != hashlib.sha256(text.encode()).digest()
    assert anchor.root == audit_anchors.root_of(audit_anchors.NO_ROOT, anchor.day, anchor.rows, heads)


async def test_rows_in_a_foreign_order_of_locks_end_well(noted: None) -> None:
    """Each writes for both chains: the locks are taken in one order, so nobody waits in a circle."""

    async def both(first: int, second: int) -> None:
        async with transaction() as session:
            await note(session, operator_id=first, what="open_ticket", subject="ticket:1")
            await note(session, operator_id=second, what="open_ticket", subject="ticket:1")

    try:
        async with asyncio.timeout(10):
            await asyncio.gather(*(both(*pair) for pair in [(YAN, HE), (HE, YAN)] * 10))
    except DBAPIError as error:  # pragma: no cover - what the order forbids
        pytest.fail(str(error))
    assert await findings() == []
