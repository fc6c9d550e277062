"""A draft's audience becomes its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from sms_gateway.broadcasts import addresses, preparing
from sms_gateway.broadcasts.models import Broadcast, BroadcastEvent, BroadcastLane, BroadcastRecipient
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.database import transaction
from sms_gateway.jobs import defer

from .making import counted, make_broadcast, make_ledger, phone, tallies
from .test_segments import make_roll

Run = Callable[[], Awaitable[None]]
COUNTY = "530627"


async def make_draft(segment: Segment, **fields: Any) -> int:
    return await make_broadcast(status="draft", audience=segment.to_data(), **fields)


async def draft_of(broadcast_id: int) -> Broadcast:
    async with transaction() as session:
        return await session.get_one(Broadcast, broadcast_id)


async def ledger_of(broadcast_id: int) -> list[BroadcastRecipient]:
    async with transaction() as session:
        query = select(BroadcastRecipient).where(BroadcastRecipient.broadcast_id == broadcast_id)
        return list(await session.scalars(query.order_by(BroadcastRecipient.number)))


async def lanes_of(broadcast_id: int) -> list[tuple[int, str, int, int, int]]:
    async with transaction() as session:
        query = select(BroadcastLane).where(BroadcastLane.broadcast_id == broadcast_id).order_by(BroadcastLane.first)
        return [(lane.wave, lane.region, lane.first, lane.last, lane.next) for lane in await session.scalars(query)]


async def audience() -> Segment:
    """Two rolls that share numbers 90 to 99, and one that is excluded."""
    first = await make_roll([(n, COUNTY if n < 60 else "530102", "", False) for n in range(100)])
    second = await make_roll([(n, "" if n < 120 else "530602", "", False) for n in range(90, 150)])
    out = await make_roll([(n, "", "", False) for n in (0, 61, 149, 900)])
    return Segment((first, second), without=(out,))


async def test_the_ledger_holds_each_number_once_in_the_order_of_waves(database: str, run_jobs: Run) -> None:
    broadcast_id = await make_draft(await audience(), pilot=20)
    async with transaction() as session:
        await defer(session, "broadcasts.prepare", broadcast_id=broadcast_id)
    await run_jobs()
    draft, rows = await draft_of(broadcast_id), await ledger_of(broadcast_id)
    assert (draft.prepared, draft.total, draft.duplicates) == ("ready", 147, 10)
    assert [row.number for row in rows] == list(range(1, 148))
    numbers = {addresses.open_sealed(row.address_sealed, row.address_index) for row in rows}
    assert numbers == {phone(n) for n in range(150) if n not in (0, 61, 149)}
    # The pilot: the lowest indexes of all. Then the smallest region that is larger than it (30 of 530602 less one). Then the rest.
    assert {row.address_index for row in rows[:20]} == set(sorted(row.address_index for row in rows)[:20])
    assert [(wave["number"], wave["region"], wave["limit"], wave["asks"]) for wave in draft.waves] == [
        (0, None, 20, True), (1, "530602", None, True), (2, None, None, False),
    ]  # fmt: skip
    assert [wave["total"] for wave in draft.waves] == [
        20,
        sum(row.wave == 1 for row in rows),
        sum(row.wave == 2 for row in rows),
    ]
    assert {row.region for row in rows if row.wave == 1} == {"530602"}
    keys = [(row.wave, row.region, row.address_index) for row in rows]
    assert keys == sorted(keys)
    lanes = await lanes_of(broadcast_id)
    assert lanes[0][2] == 1 and lanes[-1][3] == 147
    assert all(following[2] == lane[3] + 1 for lane, following in pairwise(lanes))
    assert all(lane[4] == lane[2] for lane in lanes)
    for wave, region, first, last, _ in lanes:
        assert {(row.wave, row.region) for row in rows[first - 1 : last]} == {(wave, region)}
    assert await tallies(broadcast_id) == await counted(broadcast_id)


async def test_a_small_audience_is_one_wave(database: str) -> None:
    broadcast_id = await make_draft(await audience())
    assert await preparing.run(broadcast_id)
    draft = await draft_of(broadcast_id)
    assert draft.waves == [{"number": 0, "region": None, "limit": None, "asks": False, "total": 147}]


async def test_the_ledgers_table_is_as_the_others_and_has_room_in_its_pages(database: str) -> None:
    broadcast_id = await make_draft(await audience())
    await preparing.run(broadcast_id)
    with psycopg.connect(database) as connection:
        (options,) = connection.execute(
            "SELECT reloptions FROM pg_class WHERE relname = %s", (preparing.table_of(broadcast_id),)
        ).fetchone()
        (parent,) = connection.execute(
            "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = %s::regclass",
            (preparing.table_of(broadcast_id),),
        ).fetchone()
        indexes = connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE tablename = %s", (preparing.table_of(broadcast_id),)
        ).fetchone()
    assert options == [f"fillfactor={preparing.FILLFACTOR}"] and parent == "broadcast_recipients" and indexes == (2,)


async def test_preparing_twice_or_at_once_is_as_good_as_once(database: str) -> None:
    broadcast_id = await make_draft(await audience())
    assert sorted(await asyncio.gather(preparing.run(broadcast_id), preparing.run(broadcast_id))) == [False, True]
    assert not await preparing.run(broadcast_id)
    assert len(await ledger_of(broadcast_id)) == 147 and await tallies(broadcast_id) == await counted(broadcast_id)


async def test_a_run_that_died_is_done_anew(database: str) -> None:
    broadcast_id = await make_draft(await audience(), prepared="preparing")
    async with transaction() as session:
        await session.execute(text(f"CREATE TABLE {preparing.table_of(broadcast_id)} (x int)"))
    assert await preparing.run(broadcast_id)
    assert len(await ledger_of(broadcast_id)) == 147


async def test_another_audience_makes_another_ledger(database: str) -> None:
    broadcast_id = await make_draft(await audience())
    await preparing.run(broadcast_id)
    async with transaction() as session:
        draft = await session.get_one(Broadcast, broadcast_id)
        draft.audience, draft.prepared = {**draft.audience, "regions": [COUNTY]}, "none"
    await preparing.run(broadcast_id)
    assert (await draft_of(broadcast_id)).total == 59 == len(await ledger_of(broadcast_id))
    assert await tallies(broadcast_id) == await counted(broadcast_id)


@pytest.mark.parametrize("status", ["approved", "running", "paused", "completed", "cancelled"])
async def test_what_is_no_draft_keeps_its_ledger(database: str, status: str) -> None:
    broadcast_id = await make_broadcast(status=status)
    await make_ledger(broadcast_id, 3)
    async with transaction() as session:
        (await session.get_one(Broadcast, broadcast_id)).prepared = "none"
    assert not await preparing.run(broadcast_id)
    assert len(await ledger_of(broadcast_id)) == 3


async def test_nobody_to_text_and_a_roll_that_is_gone_are_told(database: str, run_jobs: Run) -> None:
    roll = await make_roll([(1, COUNTY, "", False)])
    for segment in (
        Segment(),
        Segment((roll,), regions=("530102",)),
        Segment((roll, 999)),
        Segment((roll,), without=(roll,)),
    ):
        broadcast_id = await make_draft(segment)
        async with transaction() as session:
            await defer(session, "broadcasts.prepare", broadcast_id=broadcast_id)
        await run_jobs()
        draft = await draft_of(broadcast_id)
        assert (draft.prepared, draft.total, draft.waves) == ("failed", 0, [])
        async with transaction() as session:
            event = await session.scalar(select(BroadcastEvent).where(BroadcastEvent.broadcast_id == broadcast_id))
            assert event is not None and event.what == "prepare_failed" and event.detail["why"].endswith("。")
            assert await session.scalar(text(f"SELECT to_regclass('{preparing.table_of(broadcast_id)}')")) is None


async def test_a_draft_changed_while_it_is_prepared_is_not_called_ready(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast_id = await make_draft(await audience())
    attach = preparing._attach

    async def change_first(session: Any, prepared: int) -> None:
        async with transaction() as other:
            (await other.get_one(Broadcast, prepared)).prepared = "none"
        await attach(session, prepared)

    monkeypatch.setattr(preparing, "_attach", change_first)
    assert not await preparing.run(broadcast_id)
    assert (await draft_of(broadcast_id)).prepared == "none"
    assert await ledger_of(broadcast_id) == []
    monkeypatch.undo()
    assert await preparing.run(broadcast_id)


async def test_dropping_a_ledger_leaves_the_others(database: str) -> None:
    segment = await audience()
    first, second = await make_draft(segment), await make_draft(segment)
    await preparing.run(first)
    await preparing.run(second)
    async with transaction() as session:
        await preparing.drop_ledger(session, first)
    assert await ledger_of(first) == [] and await lanes_of(first) == [] and await tallies(first) == {}
    assert len(await ledger_of(second)) == 147


async def test_a_ledger_that_somebody_reads_is_not_waited_for_long(database: str) -> None:
    broadcast_id = await make_draft(await audience())
    await preparing.run(broadcast_id)
    with psycopg.connect(database) as reading:
        reading.execute("SELECT count(*) FROM broadcast_recipients")
        with pytest.raises(preparing.LedgerIsBeingRead):
            async with transaction() as session:
                await preparing.drop_ledger(session, broadcast_id)
