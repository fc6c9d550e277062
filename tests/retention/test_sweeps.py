"""Everything that is nobody's talk or ticket goes in its time: pushes, jobs, sessions, outreach, references, notes, files."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import forgetting
from sms_gateway.broadcasts.models import Broadcast, BroadcastCount, CarrierReference
from sms_gateway.calls.models import Call
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events.models import HotlineEvent
from sms_gateway.handbook.models import Draft
from sms_gateway.operators import presence
from sms_gateway.operators.models import AuditRow, OperatorSession, ShiftHandover, SignInLink
from sms_gateway.retention import periods, running
from sms_gateway.retention.steps import STEPS
from sms_gateway.settings import get_settings
from sms_gateway.timers import Timer
from tests.broadcasts import making as making_broadcasts
from tests.tickets import making

from . import lives


@pytest.fixture(autouse=True)
def _still(database: str, clock: HeldClock) -> None: ...


async def _many(model: type[object]) -> int:
    async with transaction() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_sessions_links_timers_references_and_numbers_of_calls_go_in_their_time(clock: HeldClock) -> None:
    (lead,) = await lives.supervisors("he")
    now = clocks.now()
    async with transaction() as session:
        session.add_all(
            [
                OperatorSession(token_hash=b"old", operator_id=lead, csrf="x", role="supervisor", created_at=now, last_seen_at=now, ended_at=None),
                SignInLink(token_hash=b"link", operator_id=lead, expires_at=now),
                Timer(job="a.b", subject_id=1, due_at=now, done_at=now),
                Timer(job="a.b", subject_id=2, due_at=now, done_at=None),
                CarrierReference(carrier="cmpp", carrier_id="1", reference=1, at=now),
                Call(purpose="notice", subject_id=1, to="+8613800000005", state="ended", made_at=now, changed_at=now),
                ShiftHandover(written_by=lead, written_at=now, note="阿依朵还没回信", left_open={}),
                Draft(state="retired", version=1, content={"q": "阿依朵"}, author_id=lead, writers=[lead], created_at=now, changed_at=now),
            ]
        )  # fmt: skip
        await presence.note(session, operator_id=lead, what="export", subject="export:xlsx", detail="联席会")
    clock.advance(timedelta(days=6))
    await lives.purge()
    assert await _many(SignInLink) == 1 and await _many(CarrierReference) == 1
    clock.advance(timedelta(days=10))
    await lives.purge()
    assert await _many(SignInLink) == 0 and await _many(CarrierReference) == 0
    assert await _many(OperatorSession) == 1 and await _many(Timer) == 2
    clock.advance(timedelta(days=40))
    await lives.purge()
    assert await _many(Timer) == 1  # the one that waits stays
    lives.years(clock, 1)
    await lives.purge()
    assert await _many(OperatorSession) == 0
    async with transaction() as session:
        assert (await session.scalars(select(Call))).one().to == ""
        assert (await session.scalars(select(ShiftHandover))).one().note is None
        assert (await session.scalars(select(Draft))).one().content == {}
        audit = await session.scalar(select(AuditRow).where(AuditRow.what == "export"))
        assert audit is not None and audit.detail == "联席会"
    lives.years(clock, 9.5)
    await lives.purge()
    async with transaction() as session:
        audit = await session.scalar(select(AuditRow).where(AuditRow.what == "export"))
        assert audit is not None and audit.detail is None and audit.subject == "export:xlsx"  # the row stays for good


async def test_pushed_events_go_after_a_year_what_waits_stays(clock: HeldClock) -> None:
    from sms_gateway.events.models import Delivery, Subscription

    await making.the_desk()
    await making.dispatched(await making.open_one())
    async with transaction() as session:
        events = (await session.scalars(select(HotlineEvent).order_by(HotlineEvent.id))).all()
        assert len(events) >= 2
        to = Subscription(
            unit=making.SCHOOLS,
            name="x",
            url="https://push.example.cn/x",
            secret="whsec_x",
            created_at=clocks.now(),
        )
        session.add(to)
        await session.flush()
        for place, (event, state) in enumerate(zip(events, ("delivered", "pending"), strict=False), start=1):
            event.position = place
            session.add(Delivery(subscription_id=to.id, event_id=event.id, position=place, sight="full", state=state))
        rest = len(events) - 2
    lives.years(clock, 0.9)
    await lives.purge()
    assert await _many(Delivery) == 2
    lives.years(clock, 0.3)
    await lives.purge()
    async with transaction() as session:
        assert (await session.scalars(select(Delivery.state))).all() == ["pending"]
        assert (
            len((await session.scalars(select(HotlineEvent.id))).all()) == 1 + rest
        )  # those without a position are not sent yet


async def test_finished_jobs_go_waiting_ones_stay(clock: HeldClock) -> None:
    from sms_gateway.jobs import defer

    async with transaction() as session:
        await defer(session, "messages.send", message_id=1)
        await defer(session, "messages.send", message_id=2)
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'failed' WHERE args ->> 'message_id' = '1'"))
    await lives.purge()
    clock.advance(timedelta(days=40))
    await lives.purge()
    async with transaction() as session:
        left = (await session.execute(text("SELECT status::text, args ->> 'message_id' FROM procrastinate_jobs"))).all()
    assert [tuple(row) for row in left] == [("todo", "2")]


async def test_numbers_of_outreach_go_and_its_report_stays(clock: HeldClock) -> None:
    from sms_gateway.broadcasts import delays, responses
    from tests.console import outreach_story

    writer, second = await lives.supervisors("he", "zhao")
    day = await outreach_story.fill(writer, second)
    async with transaction() as session:
        before = await responses.measure(session, day.done, texted=10)
        one = await session.get_one(Broadcast, day.done)
        took = await delays.measure(session, day.done, total=one.total)
        counts = await session.scalar(select(func.count()).select_from(BroadcastCount))
        rows = select(func.count()).select_from(text("broadcast_recipients")).where(text(f"broadcast_id = {day.done}"))
        assert await session.scalar(rows)
    clock.advance(timedelta(days=170))
    assert "ledgers" not in await lives.purge()
    clock.advance(timedelta(days=30))
    went = await lives.purge()
    assert went["ledgers"] >= 1
    async with transaction() as session:
        assert not await session.scalar(rows)
        assert await session.scalar(text(f"SELECT to_regclass('broadcast_recipients_{day.done}') IS NULL"))
        after = await responses.measure(session, day.done, texted=10)
        assert after.by_region == before.by_region and after.delays == before.delays and after == before
        assert await delays.measure(session, day.done, total=one.total) == took
        assert await session.scalar(select(func.count()).select_from(BroadcastCount)) == counts
        running_one = await session.get_one(Broadcast, day.running)
        assert running_one.figures_kept is None  # what has not ended keeps its numbers
        assert day.roll not in await forgetting.list_rolls(session, before=clocks.now())  # and the roll it needs


def test_half_written_files_go_after_a_day_whole_ones_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    (tmp_path / "spool").mkdir()
    (tmp_path / "export-abc").mkdir()
    old = [
        tmp_path / "spool" / "1.making",
        tmp_path / "spool" / "1.sealed",
        tmp_path / "export-abc" / "tickets.xlsx",
        tmp_path / "key",
    ]
    for path in [*old, tmp_path / "spool" / "2.making"]:
        path.write_bytes(b"x")
    past = clocks.wall_seconds() - 100_000
    for path in [*old, tmp_path / "export-abc"]:
        os.utime(path, (past, past))
    assert running.forget_files() == 2
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["1.sealed", "2.making", "key"]
    get_settings.cache_clear()


async def test_a_ledger_that_is_being_read_holds_up_neither_the_purge_nor_what_is_sent(clock: HeldClock) -> None:
    first, second = (
        await making_broadcasts.make_broadcast(status="cancelled"),
        await making_broadcasts.make_broadcast(status="cancelled"),
    )
    for one in (first, second):
        await making_broadcasts.make_ledger(one, 3)
    clock.advance(timedelta(days=200))
    async with transaction() as reading:
        await reading.execute(text("SELECT count(*) FROM broadcast_recipients"))
        began = time.monotonic()
        async with transaction() as session:
            [step] = [step for step in STEPS if step.name == "ledgers"]
            assert not await step.act(session, periods.load())
        assert time.monotonic() - began < 1.5, "one short wait, not one for each of them"
    assert (await lives.purge())["ledgers"] == 2
