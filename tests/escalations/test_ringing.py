"""The ladder through its timers: no step is lost to a clock that is behind, none is taken twice by a job that runs twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.timers import Timer
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
BRUISES = "班上有个娃娃身上老是有伤 问他就说摔的 我是他班主任"


async def _call(person: Person) -> Escalation:
    async with transaction() as session:
        return (await session.scalars(select(Escalation).where(Escalation.thread_id == person.thread_id))).one()


async def _events(call: Escalation) -> list[str]:
    async with transaction() as session:
        return [event.what for event in await escalations.list_events(session, call.id)]


async def _pass(person: Person, clock: HeldClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()


async def test_a_worker_whose_clock_is_behind_the_sweepers_does_not_lose_a_step(
    person: Person, clock: HeldClock
) -> None:
    await person.texts(KICKING)
    clock.advance(timedelta(seconds=30, milliseconds=1))
    await timers.sweep()
    clock.advance(timedelta(milliseconds=-20))
    await person.run()
    assert (await _call(person)).step == 0, "not yet, by the worker's clock"
    await _pass(person, clock, 1)
    assert (await _call(person)).step == 1


async def test_nor_does_an_orange_one(person: Person, clock: HeldClock) -> None:
    await person.texts(BRUISES)
    call = await _call(person)
    assert call.lane == "orange"
    clock.advance(timedelta(minutes=15, milliseconds=1))
    await timers.sweep()
    clock.advance(timedelta(milliseconds=-20))
    await person.run()
    assert "unread" not in await _events(call)
    await _pass(person, clock, 1)
    assert "unread" in await _events(call)


async def test_a_step_that_runs_twice_rings_once_and_one_chain_goes_on(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    call = await _call(person)
    await _pass(person, clock, 181)
    for _ in range(3):
        clock.advance(timedelta(seconds=61))
        before = (await _events(call)).count("rung")
        await asyncio.gather(_step(call.id), _step(call.id))
        await _step(call.id)
        assert (await _events(call)).count("rung") == before + 1
        async with transaction() as session:
            waiting = select(func.count()).where(Timer.job == "escalations.step", Timer.done_at.is_(None))
            assert await session.scalar(waiting) == 1


async def _step(escalation_id: int) -> None:
    async with transaction() as session:
        await escalations.take_step(session, escalation_id)
