"""The sweep on a real PostgreSQL: what is late is said once, whatever happened to the workers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.tickets import clocks, concluding, dispatching, handling, moves, service
from sms_gateway.tickets.actors import PERSON
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.verify import verify
from tests.tickets.making import (
    DESK,
    POLICE,
    at,
    dispatched,
    events_of,
    open_one,
    read,
    said,
    signed,
)


@pytest.fixture
def tuesday(clock: HeldClock) -> HeldClock:
    """Tuesday 24 November 2026, 10:00 in Shanghai."""
    clock.advance(at("2026-11-24") - clock.now())
    return clock


async def until(clock: HeldClock, moment: object) -> None:
    clock.advance(moment - clock.now())  # type: ignore[operator]
    await clocks.sweep()


async def test_a_blue_matter_is_warned_about_then_supervised_up_to_the_province(
    database: str, tuesday: HeldClock
) -> None:
    ticket_id = await open_one()
    assert (await read(ticket_id)).due_at == at("2026-12-03", 18)
    await clocks.sweep()
    assert (await read(ticket_id)).next_clock_at == at("2026-12-02", 18)
    for day in ("2026-12-02", "2026-12-03", "2026-12-04", "2026-12-07", "2026-12-08"):
        await until(tuesday, at(day, 18))
        await clocks.sweep()
    assert await said(ticket_id) == [
        "warning due",
        "supervision 1 county",
        "supervision 2 prefecture",
        "supervision 3 province",
    ]
    assert (await read(ticket_id)).next_clock_at is None


async def test_a_clock_moves_no_version_so_nobody_who_reads_gets_a_conflict(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one(lane="orange")
    version = (await read(ticket_id)).version
    await until(tuesday, at("2026-11-24", 20))
    assert (await read(ticket_id)).version == version
    async with transaction() as session:
        await moves.lock(session, ticket_id, version=version)


async def test_orange_runs_at_night_and_at_the_weekend(database: str, clock: HeldClock) -> None:
    clock.advance(at("2026-10-03", 2) - clock.now())  # National Day, two at night
    ticket_id = await open_one(kind="disclosure", lane="orange")
    await until(clock, at("2026-10-03", 3, 30))
    await until(clock, at("2026-10-03", 4))
    assert await said(ticket_id) == ["warning due", "supervision 1 county"]


async def test_an_hour_without_workers_is_caught_up_once(database: str, tuesday: HeldClock) -> None:
    red, orange = await open_one(lane="red"), await open_one(kind="disclosure", lane="orange")
    await until(tuesday, at("2026-11-24", 11, 45))  # nobody swept for an hour and three quarters
    await clocks.sweep()
    assert await said(red) == ["supervision 3 province"]
    assert await said(orange) == ["warning due"]


async def test_what_nobody_signs_for_is_warned_about_and_supervised(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one()
    await dispatched(ticket_id)
    await until(tuesday, at("2026-11-25", 10))  # half of the working time until Wednesday 18:00 is over at 9:30
    await until(tuesday, at("2026-11-25", 18))
    await until(tuesday, at("2026-11-26", 18))
    assert await said(ticket_id) == ["warning sign", "supervision 1 county", "supervision 2 prefecture"]
    await signed(ticket_id)
    await until(tuesday, at("2026-11-30", 18))
    assert len(await said(ticket_id)) == 3


async def test_signing_in_time_leaves_the_clock_of_the_signature_silent(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one()
    await dispatched(ticket_id)
    await signed(ticket_id)
    await until(tuesday, at("2026-11-27", 18))
    assert await said(ticket_id) == []


async def test_danger_in_a_units_hands_has_a_day_until_something_is_done(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one(kind="report", lane="orange")
    tuesday.advance(timedelta(hours=1))
    await dispatched(ticket_id, unit=POLICE)
    assert (await read(ticket_id)).due_at == at("2026-11-25", 11)


async def test_the_clock_stands_while_the_person_is_asked_and_gives_working_time_back(
    database: str, tuesday: HeldClock
) -> None:
    ticket_id = await open_one()  # due Thursday 3 December, 18:00
    tuesday.advance(at("2026-12-01", 15) - tuesday.now())
    async with transaction() as session:
        await handling.ask(session, await moves.lock(session, ticket_id), actor=DESK, question="请问是哪个班？")
    assert (await read(ticket_id)).next_clock_at is None
    await until(tuesday, at("2026-12-10", 20))  # long after it would have been due
    assert await said(ticket_id) == []
    async with transaction() as session:
        await handling.resume(session, await moves.lock(session, ticket_id), actor=PERSON)
    # Left on Tuesday 15:00: 3 + 9 + 9 hours of work; given back from Friday 9:00.
    assert (await read(ticket_id)).due_at == at("2026-12-15", 12)
    await until(tuesday, at("2026-12-15", 12))
    assert await said(ticket_id) == ["supervision 1 county"]


async def test_red_never_stands(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one(lane="red")
    async with transaction() as session:
        await handling.ask(session, await moves.lock(session, ticket_id), actor=DESK, question="你在哪里？")
    await until(tuesday, at("2026-11-24", 10, 3))
    assert await said(ticket_id) == ["supervision 1 county"]


async def test_a_matter_long_overdue_that_turns_red_is_supervised_anew(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one()
    await until(tuesday, at("2026-12-15", 10))  # overdue for so long that the province knows
    async with transaction() as session:
        await service.raise_one(session, await moves.lock(session, ticket_id), lane="red", who="system", reason="talk")
    await clocks.sweep()
    assert await said(ticket_id) == ["supervision 3 province", "supervision 3 province"]


async def test_a_closed_ticket_has_no_clock_and_a_reworked_one_a_new_one(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one()
    async with transaction() as session:
        await concluding.conclude(session, await moves.lock(session, ticket_id), actor=DESK, why="已当场答复")
    assert (await read(ticket_id)).next_clock_at is None
    await until(tuesday, at("2027-01-15", 10))
    assert await said(ticket_id) == []
    async with transaction() as session:
        await concluding.rework(session, await moves.lock(session, ticket_id), actor=PERSON)
    await until(tuesday, at("2027-01-15", 11))
    assert (await read(ticket_id)).next_clock_at is not None


async def test_ten_sweeps_at_once_say_everything_once(database: str, tuesday: HeldClock) -> None:
    tickets = [await open_one(lane="orange") for _ in range(12)]
    tuesday.advance(timedelta(hours=2, minutes=5))
    await asyncio.gather(*(clocks.sweep() for _ in range(10)))
    for ticket_id in tickets:
        assert await said(ticket_id) == ["supervision 1 county"]
    async with transaction() as session:
        assert (await verify(session)).findings == []


async def test_a_ticket_somebody_is_moving_is_left_for_the_next_second(database: str, tuesday: HeldClock) -> None:
    ticket_id = await open_one(lane="orange")
    tuesday.advance(timedelta(hours=3))
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        await asyncio.wait_for(clocks.sweep(), 5)
        await dispatching.dispatch(session, ticket, unit=POLICE, actor=DESK)
    await clocks.sweep()
    assert await said(ticket_id) == []  # dispatched now: its promise is a new one
    assert [event.what for event in await events_of(ticket_id)] == ["accepted", "duty_arose", "dispatched"]


async def test_a_sweep_that_dies_between_its_statements_leaves_nothing_half_done(
    database: str, tuesday: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = await open_one(lane="orange")
    tuesday.advance(timedelta(hours=3))

    async def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(clocks, "write_events", dies)
        with pytest.raises(ConnectionError):
            await clocks.sweep()
    assert await said(ticket_id) == [] and (await read(ticket_id)).supervised == 0
    await clocks.sweep()
    assert await said(ticket_id) == ["supervision 2 prefecture"]


async def test_clocks_text_nobody(database: str, tuesday: HeldClock) -> None:
    for lane in ("red", "orange", "blue"):
        await open_one(lane=lane)
    tuesday.advance(timedelta(days=30, hours=17))  # three at night
    await clocks.sweep()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).where(Message.direction == "out")) == 0


async def test_more_than_one_chunk_is_swept_at_once(
    database: str, tuesday: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "CHUNK", 3)
    tickets = [await open_one() for _ in range(7)]
    assert await clocks.sweep() == 7
    async with transaction() as session:
        await session.execute(update(Ticket).where(Ticket.id.in_(tickets)).values(next_clock_at=tuesday.now()))
    assert await clocks.sweep() == 7
