"""The ladder through its timers: no step is lost to a clock that is behind, none is taken twice by a job that runs twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from procrastinate.jobs import Job
from sqlalchemy import func, select, text
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from sms_gateway import jobs, timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, drilling, service
from sms_gateway.database import transaction
from sms_gateway.escalations import crew, overview, unrung
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.timers import Timer
from tests.console.story import add_operator
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


async def test_what_is_set_going_again_is_left_alone_while_no_worker_runs(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    call = await _call(person)
    async with transaction() as session:
        await timers.drop_timers(session, job="escalations.step", subject_id=call.id)
    clock.advance(timedelta(minutes=4))
    found = 0
    for _ in range(20):
        found += await unrung.sweep()
        await timers.sweep()
        clock.advance(timedelta(seconds=1))
    assert found == 1


async def test_a_desk_whose_job_failed_for_good_is_asked_again(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        made = await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
        bridge_id = made.id
    async with transaction() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'bridge.send'"))
    assert await unrung.sweep() == 0
    clock.advance(timedelta(minutes=3, seconds=1))
    await timers.sweep()
    async with transaction() as session:
        await session.execute(text("UPDATE bridge_events SET at = at - interval '10 minutes'"))
    assert await unrung.sweep() == 1
    await timers.sweep()
    async with transaction() as session:
        again = text("SELECT args ->> 'subject_id' FROM procrastinate_jobs WHERE task_name = 'bridge.send'")
        assert list(await session.scalars(again)) == [str(bridge_id)]


def test_a_pool_with_no_connection_left_is_waited_for() -> None:
    job = Job(
        id=1, queue="danger", task_name="bridge.send", lock=None, queueing_lock=None, task_kwargs={}, priority=0, attempts=1
    )  # fmt: skip
    tries = jobs.RetryIfTransient(attempts=8)
    assert tries.get_retry_decision(exception=TimeoutError(), job=job) is None
    assert tries.get_retry_decision(exception=NoConnectionInTime("QueuePool limit"), job=job) is not None


async def test_a_drills_alarms_stand_behind_what_is_real_and_crowd_nothing_out(
    person: Person, clock: HeldClock
) -> None:
    await person.texts(KICKING)
    call = await _call(person)
    async with transaction() as session:
        row = await session.get_one(Escalation, call.id)
        await escalations.note_silence(session, row, row.message_id or 0)
        run_id = (await drilling.begin(session, planned=25, at_most=timedelta(minutes=30))).id
        for number in range(25):
            await drilling.send(session, run_id, number, KICKING, harm="violence_in_progress")
    await person.run()
    async with transaction() as session:
        for one in await session.scalars(select(Escalation).where(Escalation.id != call.id)):
            await escalations.note_silence(session, one, one.message_id or 0)
        told = [one for one in await overview.list_alarms(session) if one.kind == "silence_word"]
    assert told[0].thread_id == person.thread_id


async def test_a_drill_in_hand_weighs_nothing_on_a_seat(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    async with transaction() as session:
        run_id = (await drilling.begin(session, planned=1, at_most=timedelta(minutes=30))).id
        thread_id = await drilling.send(session, run_id, 0, KICKING, harm="violence_in_progress")
    await person.run()
    async with transaction() as session:
        await service.take_over(session, thread_id=thread_id, operator=operator)
    async with transaction() as session:
        assert [seat.load for seat in await crew.load_seats(session)] == [0]
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    async with transaction() as session:
        assert [seat.load for seat in await crew.load_seats(session)] == [3]
