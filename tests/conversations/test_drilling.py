"""A drill goes the whole way of a real emergency, is timed, ends by itself, and touches nothing real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner

from sms_gateway import timers, triage
from sms_gateway.clock import HeldClock
from sms_gateway.commands import drill as command
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import drilling, overview, service
from sms_gateway.conversations.drill_cases import Case, Score, all_cases, choose, everybody_was_reached, share
from sms_gateway.database import transaction
from sms_gateway.escalations import overview as ringing
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message, Thread
from sms_gateway.triage.judgement import Harm
from tests.console.story import add_operator
from tests.telling import FakeCarrier, Person

RunJobs = Callable[[], Awaitable[None]]
AT_MOST = timedelta(minutes=10)
KICKING = Case("violence_in_progress", ("有人一直踹门 就我和妹妹",))
ORANGE = Case("violence_in_progress", ("我爸以前老打我 身上都是伤 现在他不在家",))


async def _counts() -> dict[str, int]:
    async with transaction() as session:
        known = set(await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
        found = {}
        for name in sorted(known):
            if name.startswith(("ticket", "dut", "event", "push", "review", "look_back", "handbook", "asked", "child")):
                found[name] = await session.scalar(text(f"SELECT count(*) FROM {name}")) or 0
        return found


async def _begin(*cases: Case) -> tuple[int, list[int]]:
    async with transaction() as session:
        run_id = (await drilling.begin(session, planned=len(cases), at_most=AT_MOST)).id
        return run_id, [
            await drilling.send(session, run_id, n, case.texts[0], harm=case.harm) for n, case in enumerate(cases)
        ]


def test_every_made_up_emergency_is_called_by_its_harm() -> None:
    judge, wrong = triage.load(), []
    for case in all_cases():
        judged = [judge.judge(body, earlier=list(case.texts[:n])) for n, body in enumerate(case.texts)]
        if not any(one.lane == "red" and one.type == case.harm for one in judged):
            wrong.append(case.texts)
    assert wrong == []
    assert {case.harm for case in all_cases()} == {str(harm) for harm in Harm} - {"none"}


def test_a_drill_asks_for_every_harm_and_never_in_the_same_order() -> None:
    chosen = choose(22, seed=1)
    assert {case.harm for case in chosen} == {case.harm for case in all_cases()}
    assert len(set(chosen)) == 22
    assert [case.harm for case in chosen] != [case.harm for case in choose(22, seed=2)]
    assert len(choose(150, seed=3)) == 150


def test_times_that_never_came_do_not_count_as_quick() -> None:
    assert share([None, 3.0, 1.0, 2.0], 0.5) == 2.0
    assert share([None], 0.95) is None
    left = Score("fire", 0.2, None, None, None, "nobody")
    assert not everybody_was_reached([left])


async def test_a_drill_is_timed_from_text_to_ring_to_hand_to_first_word(
    carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock
) -> None:
    operator = await add_operator("zhuanxi", "专席")
    run_id, (thread_id, _unanswered) = await _begin(KICKING, KICKING)
    await run_jobs()
    clock.advance(timedelta(seconds=12))
    async with transaction() as session:
        await service.take_over(session, thread_id=thread_id, operator=operator)
    await run_jobs()
    clock.advance(timedelta(seconds=5))
    async with transaction() as session:
        await service.reply(session, thread_id=thread_id, operator=operator, body="我在，别开门。")
    await run_jobs()
    async with transaction() as session:
        answered, unanswered = await drilling.end(session, run_id)
    assert (answered.ring, answered.acknowledge, answered.ended) == (0, 12, "human")
    assert answered.first_word == 17, "a fixed text that leaves with the taking is no word of theirs"
    assert (unanswered.ring, unanswered.acknowledge, unanswered.ended) == (0, None, "nobody")
    assert carrier.sent == [], "a drill's texts reach no carrier"


async def test_nothing_real_is_made_by_a_drill(carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock) -> None:
    operator = await add_operator("zhuanxi", "专席")
    before = await _counts()
    run_id, threads = await _begin(KICKING, ORANGE, *choose(6, seed=4))
    await run_jobs()
    async with transaction() as session:
        for thread_id in threads[:2]:
            await service.take_over(session, thread_id=thread_id, operator=operator)
            await service.reply(session, thread_id=thread_id, operator=operator, body="我在。")
    for _ in range(8):
        clock.advance(timedelta(seconds=30))
        await timers.sweep()
        await run_jobs()
    async with transaction() as session:
        await drilling.end(session, run_id)
    await run_jobs()
    assert await _counts() == before
    assert carrier.sent == []


async def test_a_real_call_stands_before_every_drill(person: Person, run_jobs: RunJobs, clock: HeldClock) -> None:
    await add_operator("zhuanxi", "专席")
    _run, threads = await _begin(KICKING, KICKING)
    await run_jobs()
    clock.advance(timedelta(seconds=20))
    await person.texts("弟弟掉河里了 快救救他")
    async with transaction() as session:
        board = await overview.load_board(session, operator_id=0)
        alarms = await ringing.list_alarms(session)
    for shown in ([row.thread.id for row in board.waiting], [alarm.thread_id for alarm in alarms]):
        assert shown[0] == person.thread_id and sorted(shown[1:]) == sorted(
            threads
        )  # both drills came at the same moment


async def test_what_is_left_is_closed_as_a_drill_and_real_calls_are_not(
    person: Person, run_jobs: RunJobs, clock: HeldClock
) -> None:
    await person.texts("弟弟掉河里了 快救救他")
    run_id, _threads = await _begin(KICKING)
    await run_jobs()
    async with transaction() as session:
        await drilling.end(session, run_id)
        again = await drilling.end(session, run_id)
    assert [one.ended for one in again] == ["nobody"], "told the same again"
    async with transaction() as session:
        calls = {call.thread_id: call for call in await session.scalars(select(Escalation))}
        real = calls.pop(person.thread_id)
        assert (real.closed_at, real.outcome) == (None, None)
        (made_up,) = calls.values()
        assert made_up.outcome == "drill" and made_up.closed_at is not None
        thread = await session.get_one(Thread, made_up.thread_id)
        assert (thread.owner, thread.lane, thread.channel) == ("closed", "blue", Channel.DRILL)
    clock.advance(timedelta(minutes=5))
    await timers.sweep()
    await run_jobs()
    async with transaction() as session:
        alarms = [(alarm.thread_id, alarm.kind) for alarm in await ringing.list_alarms(session)]
    real_ones = [(person.thread_id, "red"), (person.thread_id, "text_did_not_arrive")]
    assert alarms == real_ones, "the real text's missing receipt is told too: the drill's end took no timer of it"


async def test_a_drill_whose_command_died_ends_by_itself(
    carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock
) -> None:
    await _begin(KICKING)
    await run_jobs()
    async with transaction() as session:
        with pytest.raises(drilling.AnotherDrillRuns):
            await drilling.begin(session, planned=1, at_most=AT_MOST)
    clock.advance(AT_MOST + timedelta(seconds=1))
    await timers.sweep()
    await run_jobs()
    async with transaction() as session:
        assert await drilling.find_running(session) is None
        assert await ringing.list_alarms(session) == []


async def test_a_real_talk_is_never_ended_as_a_drill(person: Person, clock: HeldClock) -> None:
    await person.texts("弟弟掉河里了 快救救他")
    with pytest.raises(drilling.NotADrill):
        async with transaction() as session:
            await drilling._close(session, person.thread_id)
    async with transaction() as session:
        assert await session.scalar(select(func.count()).where(Escalation.closed_at.is_(None))) == 1


async def test_a_fragment_more_belongs_to_the_same_case(
    carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock
) -> None:
    run_id, (thread_id,) = await _begin(KICKING)
    clock.advance(timedelta(seconds=2))
    async with transaction() as session:
        assert await drilling.send(session, run_id, 0, "门快开了", harm=KICKING.harm) == thread_id
        assert len(await drilling.read(session, run_id)) == 1
    await run_jobs()
    async with transaction() as session:
        inbound = await session.scalars(select(Message.body_sealed).where(Message.direction == "in"))
        assert len(inbound.all()) == 2


def test_without_a_running_hotline_the_command_says_so(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("HOTLINE_DATABASE_URL", raising=False)
    command.get_settings.cache_clear()
    single = typer.Typer()
    single.command("drill")(command.drill)
    said = CliRunner().invoke(single, ["--count", "2"])
    command.get_settings.cache_clear()
    assert said.exit_code == 1
    assert "热线没有在运行" in said.output
