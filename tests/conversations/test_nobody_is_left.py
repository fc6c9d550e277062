"""No text is left without an answer or a reader, and no machine takes a talk from a human."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from sms_gateway import jobs
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import assistant, forgotten, judging, service, talk
from sms_gateway.conversations.tasks import rescue as _rescue  # noqa: F401 - the job is known
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.wording import say
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _operator(login: str = "zhiban") -> Operator:
    async with transaction() as session:
        operator = await accounts.add(
            session, login=login, name="测试员", role=Role.OPERATOR, password=None, trained=True
        )
        await set_duty(session, operator_id=operator.id, on_duty=True)
        return operator


async def _take_over(person: Person, operator: Operator) -> None:
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)


async def _call() -> Escalation:
    async with transaction() as session:
        return (await session.scalars(select(Escalation).where(Escalation.closed_at.is_(None)))).one()


async def test_a_yes_to_danger_in_a_form_is_answered_although_the_assistant_is_silent_in_red(person: Person) -> None:
    message_id = await person.hand_in("1")
    await judging.judge(message_id)
    async with transaction() as session:
        key = await service.hand_over(session, thread_id=person.thread_id, message_id=message_id, cause="danger")
    assert key == "danger.noted"
    await person.run()
    assert person.news() == [say("danger.noted")]
    assert (await _call()).lane == "red"


async def test_a_machine_that_fails_does_not_take_the_talk_from_the_human_who_stepped_in(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await _operator()

    async def fail_slowly(**_question: object) -> list[assistant.Reply]:
        await _take_over(person, operator)
        raise assistant.AssistantDidNotAnswer(late=True)

    monkeypatch.setattr(assistant, "ask", fail_slowly)
    assert await person.texts("孤儿每个月能领多少钱") == [say("human.joins", badge=operator.badge)]
    assert (await person.talk()).owner == "operator"


async def test_an_action_that_comes_late_does_not_take_the_talk_from_its_operator(person: Person) -> None:
    operator = await _operator()
    message_id = await person.hand_in("我想问个事")
    await _take_over(person, operator)
    async with transaction() as session:
        await service.hand_over(session, thread_id=person.thread_id, message_id=message_id, cause="asked_for_person")
        await service.hand_over(session, thread_id=person.thread_id, message_id=message_id, cause="danger")
    assert (await person.talk()).owner == "operator"
    assert (await _call()).lane == "red"


async def test_danger_written_to_an_operator_who_is_gone_rings_and_is_answered(
    person: Person, clock: HeldClock
) -> None:
    operator = await _operator()
    await person.texts("0")
    await _take_over(person, operator)
    await person.run()
    person.news()
    clock.advance(timedelta(minutes=3))
    assert await person.texts(KICKING) == [say("red.violence")]
    call = await _call()
    assert (call.lane, call.state, call.acknowledged_by) == ("red", "ringing", None)
    assert (await person.talk()).owner == "waiting"


async def test_red_in_hand_rings_again_when_its_operator_is_gone_and_the_child_writes(
    person: Person, clock: HeldClock
) -> None:
    operator = await _operator()
    await person.texts(KICKING)
    await _take_over(person, operator)
    await person.run()
    person.news()
    clock.advance(timedelta(minutes=3))
    assert len(await person.texts("还在吗")) == 1
    call = await _call()
    assert (call.state, call.step) == ("ringing", 4)


async def test_an_operator_who_is_there_keeps_the_talk(person: Person, clock: HeldClock) -> None:
    operator = await _operator()
    await person.texts(KICKING)
    await _take_over(person, operator)
    await person.run()
    person.news()
    clock.advance(timedelta(seconds=50))
    assert await person.texts("他还在踹") == []
    assert (await person.talk()).owner == "operator"


async def test_a_text_whose_jobs_are_gone_reaches_a_person(person: Person, clock: HeldClock) -> None:
    await person.hand_in("孤儿每个月能领多少钱")
    assert await forgotten.sweep() == 0
    clock.advance(timedelta(seconds=30))
    assert await forgotten.sweep() == 0  # its jobs are there
    await _lose_jobs()
    assert await forgotten.sweep() == 1
    await person.run()
    assert person.news() == [say("bot.down")]
    assert (await _call()).cause == "assistant_silent"
    clock.advance(timedelta(minutes=5))
    assert await forgotten.sweep() == 0


async def test_a_danger_text_whose_jobs_are_gone_still_gets_its_safe_reply(person: Person, clock: HeldClock) -> None:
    await person.hand_in(KICKING)
    await _lose_jobs()
    clock.advance(timedelta(seconds=30))
    await forgotten.sweep()
    await person.run()
    assert person.news() == [say("red.violence")]


async def test_a_text_that_cannot_be_judged_is_put_before_a_person_at_once(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person.hand_in("我想问个事")
    await _lose_jobs()
    clock.advance(timedelta(seconds=30))

    def broken(*_text: object) -> None:
        raise RuntimeError("no model")

    monkeypatch.setattr(judging, "_judge", broken)
    await forgotten.sweep()
    await person.run()
    call = await _call()
    assert (call.lane, call.cause) == ("orange", "unsure")
    assert len(person.news()) == 1


async def _lose_jobs() -> None:
    async with transaction() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))


async def test_a_text_is_stored_while_a_turn_holds_the_talk(person: Person) -> None:
    await person.hand_in("你好")
    async with transaction() as session:
        await talk.get_talk(session, person.thread_id, for_update=True)
        async with asyncio.timeout(2):
            await person.hand_in("在吗")


async def test_abuse_told_after_other_harm_keeps_the_assistant_silent(person: Person, clock: HeldClock) -> None:
    await person.texts("邻居家长期不给孩子吃饭 天天打他")
    async with transaction() as session:
        await session.execute(update(Escalation).values(lane="orange", harm="other_danger", state="ringing"))
        await session.execute(text("UPDATE threads SET owner = 'assistant', lane = 'orange'"))
    clock.advance(timedelta(minutes=40))
    await person.texts("上学期校长摸过我 现在不敢说")
    assert (await _call()).harm == "sexual_abuse"
    clock.advance(timedelta(seconds=30))
    assert await person.texts("孤儿每个月能领多少钱") == [say("orange.more")]


def test_every_queue_has_a_worker_that_lives_and_the_chores_are_shared_out() -> None:
    from sms_gateway.processes import chores

    done = {queue: {name for name, _what in chores(queue)} for queue in jobs.QUEUES}
    assert all("beat" in names for names in done.values())
    assert set().union(*done.values()) >= {"beat", "timers", "outbox", "forgotten", "clocks", "anchors"}
    for twice in ("timers", "clocks"):
        assert sum(twice in names for names in done.values()) == 2


async def test_a_timer_that_was_dropped_can_be_set_again(database: str, clock: HeldClock) -> None:
    from sms_gateway.timers import Timer, drop_timers, set_timer

    due = clock.now() + timedelta(minutes=1)
    async with transaction() as session:
        for _ in range(2):
            await set_timer(session, job="escalations.step", subject_id=1, due_at=due)
            await drop_timers(session, job="escalations.step", subject_id=1)
        await set_timer(session, job="escalations.step", subject_id=1, due_at=due)
    async with transaction() as session:
        assert (await session.scalars(select(Timer.done_at))).all() == [None]
        await session.execute(delete(Timer))
        assert (await session.scalars(select(Message.id))).all() == []
