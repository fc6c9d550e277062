"""A unit asks for more time; a shift lead decides."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.tickets import clocks, dispatching, extending, handling, moves, service
from sms_gateway.tickets.actors import Actor, of_unit, operator
from sms_gateway.tickets.extending import (
    AlreadyAsked,
    AskedTooLate,
    DangerIsNotExtended,
    ExtensionsUsedUp,
    NothingAsked,
    NotYourOwnRequest,
    UntilOutOfRange,
)
from sms_gateway.tickets.lifecycle import EvidenceIsMissing, NotYoursToMove, TicketCannotMove
from sms_gateway.tickets.models import Extension
from tests.tickets.making import DESK, LEAD, UNIT, at, dispatched, events_of, open_one, read, said, signed, the_desk

LATER = date(2026, 12, 10)


@pytest.fixture
async def in_hand(database: str, clock: HeldClock) -> int:
    """A complaint the schools' bureau has signed for on Tuesday 24 November 2026, due Thursday 3 December."""
    clock.advance(at("2026-11-24") - clock.now())
    await the_desk()
    ticket_id = await open_one()
    await dispatched(ticket_id)
    await signed(ticket_id)
    return ticket_id


async def ask(ticket_id: int, *, until: date = LATER, by: Actor = UNIT, reason: str = "要等体检结果") -> Extension:
    async with transaction() as session:
        return await extending.ask(session, await moves.lock(session, ticket_id), actor=by, reason=reason, until=until)


async def approve(ticket_id: int, *, by: Actor = LEAD) -> None:
    async with transaction() as session:
        await extending.approve(session, await moves.lock(session, ticket_id), actor=by)


async def refuse(ticket_id: int, *, by: Actor = LEAD, why: str = "材料已经齐了") -> None:
    async with transaction() as session:
        await extending.refuse(session, await moves.lock(session, ticket_id), actor=by, why=why)


async def test_what_is_granted_is_due_later_and_its_clocks_begin_anew(in_hand: int, clock: HeldClock) -> None:
    await ask(in_hand)
    assert (await read(in_hand)).due_at == at("2026-12-03", 18)  # asking changes nothing
    await approve(in_hand)
    ticket = await read(in_hand)
    assert (ticket.status, ticket.due_at, ticket.extensions) == ("extended", at("2026-12-10", 18), 1)
    clock.advance(at("2026-12-09", 18) - clock.now())
    await clocks.sweep()
    assert await said(in_hand) == ["warning due"]
    assert [event.what for event in await events_of(in_hand)][-3:] == ["extension_asked", "extended", "warning"]


async def test_what_is_refused_stays_due_as_it_was_and_may_be_asked_again(in_hand: int) -> None:
    await ask(in_hand)
    await refuse(in_hand)
    ticket = await read(in_hand)
    assert (ticket.status, ticket.due_at, ticket.extensions) == ("signed_for", at("2026-12-03", 18), 0)
    await ask(in_hand)


async def test_one_request_at_a_time_and_no_more_than_allowed(in_hand: int) -> None:
    await ask(in_hand)
    with pytest.raises(AlreadyAsked):
        await ask(in_hand)
    await approve(in_hand)
    with pytest.raises(ExtensionsUsedUp):
        await ask(in_hand, until=date(2026, 12, 14))


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (date(2026, 12, 3), "not later than now"),
        (date(2026, 12, 5), "a Saturday"),
        (date(2026, 12, 16), "the sixteenth working day"),
        (date(2999, 1, 1), "never"),
    ],
)
async def test_a_day_that_cannot_be_is_refused_with_the_last_one_that_can(in_hand: int, until: date, why: str) -> None:
    with pytest.raises(UntilOutOfRange) as refused:
        await ask(in_hand, until=until)
    assert "最晚 12月15日" in refused.value.sentence


async def test_only_the_unit_that_has_it_asks_and_only_a_lead_decides(in_hand: int) -> None:
    for stranger in (of_unit("health@530627"), DESK, LEAD):
        with pytest.raises(NotYoursToMove):
            await ask(in_hand, by=stranger)
    await ask(in_hand)
    for nobody in (DESK, UNIT):
        with pytest.raises(NotYoursToMove):
            await approve(in_hand, by=nobody)
    with pytest.raises(NotYourOwnRequest):
        await approve(in_hand, by=operator(12, lead=True))  # the account that asked


async def test_a_reason_is_needed_for_asking_and_for_refusing(in_hand: int) -> None:
    with pytest.raises(EvidenceIsMissing):
        await ask(in_hand, reason="  ")
    await ask(in_hand)
    with pytest.raises(EvidenceIsMissing):
        await refuse(in_hand, why="")
    with pytest.raises(NothingAsked):
        await approve(await open_one())


async def test_it_is_asked_before_it_is_overdue(in_hand: int, clock: HeldClock) -> None:
    clock.advance(at("2026-12-03", 18) - clock.now())
    with pytest.raises(AskedTooLate):
        await ask(in_hand)


@pytest.mark.parametrize("lane", ["red", "orange"])
async def test_danger_is_never_extended(in_hand: int, lane: str) -> None:
    await ask(in_hand)
    async with transaction() as session:
        await service.raise_one(session, await moves.lock(session, in_hand), lane=lane, who="system", reason="talk")
    with pytest.raises(DangerIsNotExtended):
        await approve(in_hand)
    await refuse(in_hand)
    with pytest.raises(DangerIsNotExtended):
        await ask(in_hand)


async def test_a_request_ends_when_the_matter_leaves_the_units_hands(in_hand: int) -> None:
    request = await ask(in_hand)
    async with transaction() as session:
        ticket = await moves.lock(session, in_hand)
        await dispatching.give_back(session, ticket, actor=UNIT, why="归卫健", duty="health@530627")
    with pytest.raises(NothingAsked):
        await approve(in_hand)
    async with transaction() as session:
        (row,) = await extending.list_requests(session, in_hand)
    assert row.id == request.id and row.decided_at is not None and row.approved is None


async def test_it_is_not_granted_while_the_person_is_asked_something(in_hand: int) -> None:
    await ask(in_hand)
    async with transaction() as session:
        await handling.ask(session, await moves.lock(session, in_hand), actor=UNIT, question="哪个班？")
    with pytest.raises(TicketCannotMove):
        await approve(in_hand)
    async with transaction() as session:
        await handling.resume(session, await moves.lock(session, in_hand), actor=UNIT)
    await approve(in_hand)


async def test_a_request_nobody_decides_is_warned_about_once(in_hand: int, clock: HeldClock) -> None:
    await ask(in_hand)
    for hours in (5, 1, 24):
        clock.advance(timedelta(hours=hours))
        await clocks.sweep()
    assert await said(in_hand) == ["warning extension"]
