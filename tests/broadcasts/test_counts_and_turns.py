"""Counts that add up whatever happens, and one person who stands on the lists of two broadcasts."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import acts, completing, composing, governing, ledger, pace, receipts, taking, tallies
from sms_gateway.broadcasts.models import IS_DANGER, NEEDS_SOMEBODY
from sms_gateway.broadcasts.receipts import Told
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.broadcasts.replies import LANES, NEEDS_NOBODY
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from tests.broadcasts import making
from tests.broadcasts.reached import minutes_of
from tests.broadcasts.test_sending import Remembering, remembering, send_all, somebody_on_duty, status_of

__all__ = ["remembering"]


async def test_two_broadcasts_that_take_at_the_same_moment_text_nobody_twice(database: str, clock: HeldClock) -> None:
    first, second = [await making.make_broadcast(started_at=clocks.now(), quiet_days=7.0) for _ in range(2)]
    for one in (first, second):
        await making.make_ledger(one, 5)
    taken_by_first = asyncio.Event()

    async def take(one: int, *, hold: bool) -> int:
        async with transaction() as session:
            row = await acts.get(session, one)
            taken = await taking.take(session, row, worker=str(one), carrier="simulator", at_most=5)
            taken_by_first.set()
            if hold:
                await asyncio.sleep(0.4)
        return len(taken.rows) if taken else 0

    one = asyncio.create_task(take(first, hold=True))
    await taken_by_first.wait()
    other = asyncio.create_task(take(second, hold=False))
    assert [await one, await other] == [5, 0]
    assert await making.counted(second) == {("530627", "suppressed:recent"): 5}


async def test_one_cancelled_before_it_began_has_every_number_cancelled(database: str, clock: HeldClock) -> None:
    one = await making.make_broadcast(status="approved")
    await making.make_ledger(one, 7)
    async with transaction() as session:
        await acts.cancel(session, one, operator_id=None)
    for _ in range(3):
        await making.govern()
    assert set((await making.states(one)).values()) == {"cancelled"}
    async with transaction() as session:
        assert tallies.by_state(await tallies.by_region(session, one)) == {"cancelled": 7}


async def test_an_ended_one_is_left_alone_though_some_texts_stay_unknown(database: str, clock: HeldClock) -> None:
    one = await making.make_broadcast(status="cancelled", started_at=clocks.now(), ended_at=clocks.now())
    await making.make_ledger(one, 3, state="unknown")
    async with transaction() as session:
        await session.execute(text("UPDATE broadcast_lanes SET next = last + 1"))
    await making.govern()
    async with transaction() as session:
        assert await governing._list_open(session) == []


async def test_what_left_in_a_minute_is_counted_also_when_receipts_move_others_on(
    database: str, clock: HeldClock
) -> None:
    one = await making.make_broadcast(started_at=clocks.now())
    await making.make_ledger(one, 4, state="claimed")
    async with transaction() as session:
        await ledger.settle(session, one, [ledger.Outcome(n, ledger.State.SENT, f"C{n}") for n in (1, 2)])
    told = {1: "delivered", 2: "delivered", 3: "sent", 4: "sent"}
    async with transaction() as session:  # one batch: two more left, two that had left arrived
        await receipts.apply(
            session, [Told("simulator", f"C{n}", state, None, reference_of(one, n)) for n, state in told.items()]
        )
    async with transaction() as session:
        await tallies.add_up(session, one, at=clocks.now())
    assert await minutes_of(one) == {"sent": 4, "delivered": 2}


async def test_the_last_count_puts_the_counts_right_and_lets_everybody_else_go_on(
    database: str, clock: HeldClock
) -> None:
    one = await making.make_broadcast()
    await making.make_ledger(one, 5)
    async with transaction() as session:
        await session.execute(text("UPDATE broadcast_tallies SET change = change + 2, state = 'sent'"))
    async with transaction() as session:
        assert await completing.recount(session, one) == 5
        async with asyncio.timeout(2), transaction() as other:  # somebody else's texts move meanwhile
            await other.execute(
                text("INSERT INTO broadcast_tallies (broadcast_id, region, state, change) VALUES (99, '', 'sent', 1)")
            )
    async with transaction() as session:
        assert await tallies.by_region(session, one) == {"530627": {"created": 5}}


async def test_what_is_counted_each_second_is_found_by_an_index_of_its_own(database: str) -> None:
    assert set(re.findall("'([a-z_]+)'", NEEDS_SOMEBODY)) == NEEDS_NOBODY
    assert set(re.findall("'([a-z_]+)'", IS_DANGER)) == set(LANES)
    async with transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        for condition, index in ((IS_DANGER, "danger"), (NEEDS_SOMEBODY, "people")):
            query = f"EXPLAIN SELECT count(*) FROM broadcast_replies WHERE broadcast_id = 1 AND {condition}"
            assert f"ix_broadcast_replies_{index}" in " ".join(await session.scalars(text(query)))


async def test_a_text_of_more_segments_than_a_second_brings_goes_out_all_the_same(remembering: Remembering) -> None:
    await somebody_on_duty()
    body = "孩子有难处可以打12345。" * 6
    one = await making.make_broadcast(carrier_segments=1.0, reply_share=0.0, body=body)
    await making.make_ledger(one, 1)
    async with transaction() as session:
        assert (await taking.still_running(session, one)) is not None
    await send_all(one, seconds=20)
    assert await status_of(one) == "completed"
    assert len(remembering.took) == 1


async def test_a_bucket_gathers_up_to_the_least_that_is_asked_for(database: str) -> None:
    async with transaction() as session:
        await session.execute(
            text("INSERT INTO outreach_pace VALUES ('x', 0, 0, clock_timestamp() - make_interval(secs => 10))")
        )
        assert await pace.draw(session, "x", rate=0.8, wanted=3.0, least=3.0) == 3.0


@pytest.mark.parametrize("body", ["{county:>999999}好", "{county!r}好", "{county:{prefecture}}好"])
def test_a_field_has_no_width_and_no_form(body: str) -> None:
    with pytest.raises(composing.UnknownField):
        composing.whole(body, signature="云南12345", fields={"county": "镇雄县", "prefecture": "昭通市"})


async def everybody_had_their_turn() -> int:
    """A broadcast of three, all of it delivered."""
    one = await making.make_broadcast()
    await making.make_ledger(one, 3, state="delivered")
    async with transaction() as session:
        await session.execute(text("UPDATE broadcast_lanes SET next = last + 1"))
    return one


async def test_while_a_ledger_is_counted_the_governor_goes_on_and_whoever_cancels_does_not_wait(
    database: str, clock: HeldClock
) -> None:
    one = await everybody_had_their_turn()
    await governing.govern()
    async with transaction() as counting:
        assert (await acts.get(counting, one)).held_by == "counting"
        assert await completing.recount(counting, one) == 0  # has counted, and is not committed yet
        async with asyncio.timeout(5):
            await governing.govern()
            async with transaction() as session:
                await acts.cancel(session, one, operator_id=None)
    await completing.complete_ended()
    async with transaction() as session:
        assert (await acts.get(session, one)).status == "cancelled"


async def test_counts_that_were_wrong_do_not_end_it_while_somebody_is_outstanding(
    database: str, clock: HeldClock
) -> None:
    one = await everybody_had_their_turn()
    async with transaction() as session:
        await session.execute(text("UPDATE broadcast_recipients SET state = 'created' WHERE number = 2"))
    await making.govern()
    async with transaction() as session:
        assert (await acts.get(session, one)).status == "running"
        assert tallies.by_state(await tallies.by_region(session, one)) == {"created": 1, "delivered": 2}


async def test_one_that_cannot_be_counted_keeps_no_other_from_its_end(
    database: str, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await everybody_had_their_turn(), await everybody_had_their_turn()
    await governing.govern()
    counted = completing.recount

    async def recount(session: AsyncSession, broadcast_id: int) -> int:
        if broadcast_id == first:
            raise RuntimeError
        return await counted(session, broadcast_id)

    monkeypatch.setattr(completing, "recount", recount)
    await completing.complete_ended()
    async with transaction() as session:
        assert [(await acts.get(session, one)).status for one in (first, second)] == ["running", "completed"]
