"""Two people move the same ticket at the same moment, in two real transactions: one does, the other gets a clear 409."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import transaction
from sms_gateway.tickets import clocks, concluding, dispatching, extending, handling, moves
from sms_gateway.tickets.actors import of_unit
from sms_gateway.tickets.deadlines import latest_extension
from sms_gateway.tickets.lifecycle import TicketCannotMove
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.moves import SomebodyWasQuicker
from sms_gateway.tickets.verify import verify
from tests.tickets.making import (
    DESK,
    LEAD,
    POLICE,
    SCHOOLS,
    UNIT,
    dispatched,
    events_of,
    open_one,
    read,
    signed,
    the_desk,
)

Act = Callable[[AsyncSession, Ticket], Awaitable[object]]


async def both(ticket_id: int, first: Act, second: Act, *, version: int | None = None) -> list[BaseException | None]:
    """Both begin before either has the row; the errors they got."""
    ready = asyncio.Barrier(2)

    async def one(act: Act) -> None:
        async with transaction() as session:
            await session.connection()
            await ready.wait()
            await act(session, await moves.lock(session, ticket_id, version=version))
            await asyncio.sleep(0.05)  # the other one waits for the row meanwhile

    results = await asyncio.gather(one(first), one(second), return_exceptions=True)
    return [result if isinstance(result, BaseException) else None for result in results]


def kinds(errors: list[BaseException | None]) -> list[str]:
    return sorted(type(error).__name__ for error in errors)


async def test_who_read_the_same_page_and_comes_second_is_told_that_somebody_was_quicker(database: str) -> None:
    ticket_id = await open_one()
    errors = await both(
        ticket_id,
        lambda session, ticket: dispatching.dispatch(session, ticket, unit=SCHOOLS, actor=DESK),
        lambda session, ticket: dispatching.dispatch(session, ticket, unit=POLICE, actor=LEAD),
        version=(await read(ticket_id)).version,
    )
    assert kinds(errors) == ["NoneType", "SomebodyWasQuicker"]
    (error,) = [error for error in errors if error]
    assert isinstance(error, SomebodyWasQuicker) and error.status_code == 409
    assert [event.what for event in await events_of(ticket_id)].count("dispatched") == 1


async def test_without_a_version_the_table_of_moves_still_lets_one_through(database: str) -> None:
    ticket_id = await open_one()
    await dispatched(ticket_id)
    errors = await both(
        ticket_id,
        lambda session, ticket: dispatching.sign(session, ticket, actor=UNIT),
        lambda session, ticket: dispatching.sign(session, ticket, actor=of_unit(SCHOOLS, 99)),
    )
    assert kinds(errors) == ["NoneType", "TicketCannotMove"]
    assert TicketCannotMove.status_code == 409


async def test_signing_and_dispatching_elsewhere_at_once_leave_one_hand(database: str) -> None:
    ticket_id = await open_one()
    await dispatched(ticket_id)
    version = (await read(ticket_id)).version
    errors = await both(
        ticket_id,
        lambda session, ticket: dispatching.sign(session, ticket, actor=UNIT),
        lambda session, ticket: dispatching.dispatch(session, ticket, unit=POLICE, actor=DESK),
        version=version,
    )
    assert kinds(errors) == ["NoneType", "SomebodyWasQuicker"]
    async with transaction() as session:
        hands = await dispatching.open_dispatches(session, ticket_id)
        assert [row.unit for row in hands if row.role == "main"] == [(await read(ticket_id)).unit]


async def test_two_requests_for_time_at_once_are_one(database: str) -> None:
    ticket_id = await open_one()
    await dispatched(ticket_id)
    await signed(ticket_id)

    async def ask(session: AsyncSession, ticket: Ticket) -> object:
        return await extending.ask(
            session, ticket, actor=UNIT, reason="要等结果", until=latest_extension(ticket.received_at).date()
        )

    assert kinds(await both(ticket_id, ask, ask)) == ["AlreadyAsked", "NoneType"]


async def test_a_merge_both_ways_at_once_merges_once(database: str) -> None:
    """Both lock the lower id first, so neither waits for the other for ever."""
    one, other = await open_one(), await open_one()

    async def merged(ticket_id: int, into: int) -> None:
        async with transaction() as session:
            found = {each: await moves.lock(session, each) for each in sorted((ticket_id, into))}
            await concluding.merge(session, found[ticket_id], into=found[into], actor=DESK)

    results = await asyncio.gather(merged(one, other), merged(other, one), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["CannotMergeIntoItself", "NoneType"]
    assert sorted([(await read(one)).status, (await read(other)).status]) == ["accepted", "merged"]


@pytest.mark.parametrize("crowd", [20])
async def test_a_crowd_at_one_ticket_while_the_clocks_sweep_loses_no_event(database: str, crowd: int) -> None:
    await the_desk()
    ticket_id = await open_one(lane="orange")

    async def notes(_: int) -> bool:
        try:
            async with transaction() as session:
                ticket = await moves.lock(session, ticket_id)
                if ticket.status == "clarifying":
                    await handling.resume(session, ticket, actor=DESK)
                else:
                    await handling.ask(session, ticket, actor=DESK, question="在哪里？")
        except TicketCannotMove:
            return False
        return True

    done = await asyncio.gather(*map(notes, range(crowd)), *(clocks.sweep() for _ in range(5)))
    moved = sum(one for one in done if one is True)
    events = [event for event in await events_of(ticket_id) if event.what in ("clarifying", "resumed")]
    assert len(events) == moved == crowd
    async with transaction() as session:
        assert (await verify(session)).findings == []
