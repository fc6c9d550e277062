"""What watches over a broadcast: its time, its waves, reasons to stop, its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import acts, pacing
from sms_gateway.broadcasts.lifecycle import BroadcastCannotMove, DrafterMayNotApprove, Status
from sms_gateway.broadcasts.models import Broadcast, BroadcastLane, BroadcastMinute, BroadcastRecipient, BroadcastReply
from sms_gateway.broadcasts.running import list_running
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator
from tests.broadcasts import making
from tests.broadcasts.test_sending import NOON, Remembering, remembering, send_all, somebody_on_duty, status_of

__all__ = ["remembering"]
DRAFT = acts.Draft(title="开学提醒", body="孩子有难处可以打12345。", audience={})


async def row(broadcast_id: int) -> Broadcast:
    async with transaction() as session:
        return await acts.get(session, broadcast_id)


async def in_waves(broadcast_id: int) -> None:
    """100 numbers: a pilot of 20, a county of 30, the rest."""
    await making.make_ledger(broadcast_id, {"530627": 50, "530602": 50})
    async with transaction() as session:
        await session.execute(text("DELETE FROM broadcast_lanes"))
        for wave, region, first, last in ((0, "530627", 1, 20), (1, "530627", 21, 50), (2, "530602", 51, 100)):
            lane = {"wave": wave, "region": region, "first": first, "last": last, "next": first}
            await session.execute(insert(BroadcastLane).values(broadcast_id=broadcast_id, **lane))
            mine = BroadcastRecipient.broadcast_id == broadcast_id, BroadcastRecipient.number.between(first, last)
            await session.execute(update(BroadcastRecipient).where(*mine).values(wave=wave))
        waves = [
            {"number": n, "region": None, "limit": None, "asks": n < 2, "total": t} for n, t in enumerate((20, 30, 50))
        ]
        await session.execute(update(Broadcast).values(waves=waves))


async def test_each_wave_waits_for_a_person(remembering: Remembering) -> None:
    operator = await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await in_waves(one)
    for texts in (20, 50):
        await send_all(one)
        assert len(remembering.took) == texts
        stands = await row(one)
        assert (stands.status, stands.pause_reason) == ("paused", "wave")
        async with transaction() as session:
            with pytest.raises(BroadcastCannotMove):  # going on is not enough: the wave is let go by name
                await acts.resume(session, one, version=stands.version, operator_id=operator, danger_seen=0)
        async with transaction() as session:
            await acts.next_wave(session, one, version=stands.version, operator_id=operator, danger_seen=0)
    await send_all(one)
    assert (await row(one)).status == "completed"
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 101)})


async def reply(broadcast_id: int, number: int, lane: str) -> None:
    async with transaction() as session:
        inbound = inbox.Inbound(Channel.SMS, making.phone(number), "…", "simulator", f"r{number}", clocks.now())
        recorded = await inbox.record(session, inbound)
        assert recorded is not None
        values = {
            "thread_id": recorded.thread_id,
            "message_id": recorded.message_id,
            "number": number,
            "at": clocks.now(),
        }
        kind = "danger" if lane == "red" else "other"
        await session.execute(insert(BroadcastReply).values(broadcast_id=broadcast_id, lane=lane, kind=kind, **values))


async def test_danger_in_the_replies_stops_it_and_only_further_danger_does_so_again(remembering: Remembering) -> None:
    operator = await somebody_on_duty()
    one = await making.make_broadcast(danger_replies=2)
    await making.make_ledger(one, 500)
    for number, lane in ((1, "blue"), (2, "red")):
        await reply(one, number, lane)
    await making.govern()
    assert (await row(one)).status == "running"
    await reply(one, 3, "orange")
    await making.govern()
    stands = await row(one)
    assert (stands.status, stands.pause_reason) == ("paused", "danger")
    async with transaction() as session:
        await acts.resume(session, one, version=stands.version, operator_id=operator, danger_seen=2)
    await making.govern()
    assert (await row(one)).status == "running"
    for number in (4, 5):
        await reply(one, number, "red")
    await making.govern()
    assert (await row(one)).pause_reason == "danger"


async def test_somebody_who_waits_too_long_stops_it(remembering: Remembering, clock: HeldClock) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(waiting_seconds=120.0)
    await making.make_ledger(one, 5)
    await reply(one, 1, "blue")
    async with transaction() as session:
        await session.execute(update(Thread).values(owner="waiting", waiting_since=clock.now()))
    clock.advance(timedelta(seconds=119))
    await making.govern()
    assert (await row(one)).status == "running"
    clock.advance(timedelta(seconds=2))
    await making.govern()
    assert (await row(one)).pause_reason == "waiting"


async def test_too_many_failures_stop_it_and_after_a_look_only_new_ones_count(
    remembering: Remembering, clock: HeldClock
) -> None:
    operator = await somebody_on_duty()
    one = await making.make_broadcast(error_share=0.1, started_at=NOON, resumed_at=NOON)
    await making.make_ledger(one, 5)
    async with transaction() as session:
        for what, count in (("sent", 80), ("failed", 20)):
            await session.execute(insert(BroadcastMinute).values(broadcast_id=one, minute=NOON, what=what, count=count))
    await making.govern()
    stands = await row(one)
    assert stands.pause_reason == "errors"
    clock.advance(timedelta(seconds=20))
    async with transaction() as session:
        await acts.resume(session, one, version=stands.version, operator_id=operator, danger_seen=0)
    await making.govern()
    assert (await row(one)).status == "running"


@pytest.mark.parametrize(
    ("late", "status"), [(-60, "approved"), (0, "running"), (3600, "running"), (7 * 3600, "approved")]
)
async def test_a_schedule_begins_when_its_time_comes_but_not_long_after(
    remembering: Remembering, clock: HeldClock, late: int, status: str
) -> None:
    one = await making.make_broadcast(status="approved", scheduled_at=clock.now() - timedelta(seconds=late))
    await making.make_ledger(one, 5)
    await making.govern()
    assert (await row(one)).status == status


async def test_who_wrote_any_of_it_does_not_approve_it(database: str, clock: HeldClock) -> None:
    writer, second, third = [await making.make_operator() for _ in range(3)]
    async with transaction() as session:
        one = await acts.create(session, operator_id=writer, draft=DRAFT)
    async with transaction() as session:
        changed = acts.Draft(title="开学提醒二", body=DRAFT.body, audience={})
        one = await acts.edit(session, one.id, version=one.version, operator_id=second, draft=changed)
    await making.make_ledger(one.id, 3)
    for author in (writer, second):
        async with transaction() as session:
            with pytest.raises(DrafterMayNotApprove):
                await acts.approve(session, one.id, version=one.version, operator_id=author, recipients=3)
    async with transaction() as session:
        with pytest.raises(acts.NumberOfRecipientsIsAnother):
            await acts.approve(session, one.id, version=one.version, operator_id=third, recipients=30)
    async with transaction() as session:
        with pytest.raises(acts.SomebodyWasQuicker):
            await acts.approve(session, one.id, version=one.version - 1, operator_id=third, recipients=3)
    async with transaction() as session:
        approved = await acts.approve(session, one.id, version=one.version, operator_id=third, recipients=3)
    assert (approved.status, approved.approved_by) == ("approved", third)
    async with transaction() as session:
        whos = (await session.execute(text("SELECT what, who FROM broadcast_events ORDER BY id"))).all()
    expected = [("created", writer), ("edited", second), ("approved", third)]
    assert [tuple(one) for one in whos] == [(what, f"operator:{who}") for what, who in expected]


async def test_a_changed_audience_has_to_be_prepared_again(database: str, clock: HeldClock) -> None:
    writer, second = await making.make_operator(), await making.make_operator()
    async with transaction() as session:
        one = await acts.create(session, operator_id=writer, draft=DRAFT)
    await making.make_ledger(one.id, 3)
    async with transaction() as session:
        changed = acts.Draft(title=DRAFT.title, body=DRAFT.body, audience={"rolls": [9]})
        one = await acts.edit(session, one.id, version=one.version, operator_id=writer, draft=changed)
        with pytest.raises(acts.AudienceIsNotReady):
            await acts.approve(session, one.id, version=one.version, operator_id=second, recipients=3)


async def test_a_clock_that_jumps_sends_nothing_twice_and_nothing_at_night(
    remembering: Remembering, clock: HeldClock
) -> None:
    await somebody_on_duty()
    async with transaction() as session:
        await session.execute(update(Operator).values(last_seen_at=NOON + timedelta(days=1)))
    remembering.seconds = 0.01
    one = await making.make_broadcast(carrier_segments=400.0, reply_share=0.0)
    await making.make_ledger(one, 400)

    async def jumping() -> None:
        for hours in (-2, 5, -3, 9, -9, 0.5):  # 10:00, 15:00, 12:00, 21:00, 12:00, 12:30
            await asyncio.sleep(0.3)
            clock.advance(timedelta(hours=hours))
            at_night = not 9 <= clocks.shanghai(clock.now()).hour < 20
            if at_night:
                await asyncio.sleep(0.2)  # what was on its way
                there = len(remembering.took)
                await asyncio.sleep(0.7)
                assert len(remembering.took) == there

    jumps = asyncio.create_task(jumping())
    await send_all(one, seconds=30)
    await jumps
    assert await status_of(one) == Status.COMPLETED
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 401)})


@given(texted=st.integers(0, 10**7), replied=st.integers(0, 10**5), expected=st.floats(0, 1))
def test_the_share_of_replies_lies_between_what_was_expected_and_what_was_seen(
    texted: int, replied: int, expected: float
) -> None:
    share = pacing.live_reply_share(expected=expected, texted=texted, replied=min(replied, texted))
    seen = min(replied, texted) / texted if texted else expected
    assert min(expected, seen) - 1e-9 <= share <= max(expected, seen) + 1e-9


@given(st.lists(st.integers(0, 12), max_size=30))
def test_nobody_is_more_than_one_free_operator(talks: list[int]) -> None:
    assert 0 <= pacing.free_operators(talks) <= len(talks)


async def test_two_that_run_share_the_line_at_the_lower_rate_written(database: str) -> None:
    for segments in (100.0, 10.0):
        await making.make_ledger(await making.make_broadcast(carrier_segments=segments), 3)
    async with transaction() as session:
        assert [one.carrier_rate for one in await list_running(session)] == [8.0, 8.0]
