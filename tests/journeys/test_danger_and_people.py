"""Danger, a person who takes over, and everything that may happen in between; the real assistant stands by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import service
from sms_gateway.database import transaction
from sms_gateway.escalations.ladder import State
from sms_gateway.operators.models import Operator
from sms_gateway.wording import say
from tests.journeys.records import calls_for, texts_from, tickets_of
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
PAST = "上学期校长摸过我 现在不敢说"


@pytest.mark.parametrize(
    ("text", "key", "first"),
    [
        (KICKING, "red.violence", "110"),
        ("我家着火了 好多烟", "red.fire", "119"),
        ("弟弟掉河里了 快救命", "red.drowning", "119"),
        ("妹妹喝了农药 叫不醒", "red.medical", "120"),
        ("我不想活了 站在楼顶", "red.suicide", "110"),
        ("他们把我锁在屋里 不让我走", "red.confined", "110"),
        ("我家娃娃放学没回来 找不到了", "red.missing", "110"),
        ("路上出车祸了 小孩流血", "red.traffic", "122"),
    ],
)
async def test_each_danger_gets_the_safe_reply_of_its_type_and_rings(
    person: Person, clock: HeldClock, text: str, key: str, first: str
) -> None:
    assert await person.texts(text) == [say(key)]
    [call] = await calls_for(person)
    assert (call.lane, call.services[0], call.step) == ("red", first, 0)
    assert call.received_at == clock.now()
    assert call.reasons


async def test_taken_over_talked_handed_over_and_closed(person: Person, operator: Operator, clock: HeldClock) -> None:
    assert await person.texts(KICKING) == [say("red.violence")]
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    assert person.news() == [say("human.joins", badge=operator.badge)]
    clock.advance(timedelta(seconds=5))
    for said in ("孤儿每个月能领多少钱", "0", "1", "退订"):  # the assistant would answer each of these
        assert await person.texts(said) == []
    async with transaction() as session:
        await service.reply(session, thread_id=person.thread_id, operator=operator, body="警察到了吗？")
    await person.run()
    assert person.news() == ["警察到了吗？"]
    async with transaction() as session:
        with pytest.raises(service.DangerIsNotClosedSo):
            await service.hand_back(session, thread_id=person.thread_id, operator=operator)
    for state in (State.HANDED_OVER, State.CHILD_SEEN):
        async with transaction() as session:
            await service.mark(session, thread_id=person.thread_id, operator=operator, to=state)
    async with transaction() as session:
        await service.close(
            session, thread_id=person.thread_id, operator=operator, outcome="safe", note_text="民警已见到两个孩子。"
        )
    await person.run()
    assert person.news() == [say("bye.red")]
    clock.advance(timedelta(hours=1))
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer, "a closed talk is the assistant's again"
    assert await texts_from(person) == [
        KICKING, "孤儿每个月能领多少钱", "0", "1", "退订", "孤儿每个月能领多少钱",
    ]  # fmt: skip


async def test_handed_back_the_assistant_goes_on(person: Person, operator: Operator) -> None:
    assert await person.texts("转人工") == [say("human.queued")]
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await service.hand_back(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    assert person.news()[-1] == say("handback")
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer


async def test_a_disclosure_of_the_past_is_on_top_without_ringing_with_a_clock_of_its_own(
    person: Person, clock: HeldClock
) -> None:
    came_at = clock.now()
    assert await person.texts(PAST) == [say("orange.abuse")]
    [call] = await calls_for(person)
    assert (call.lane, call.step, call.harm) == ("orange", -1, "sexual_abuse")
    [ticket] = await tickets_of(person)
    assert (ticket.kind, ticket.lane) == ("disclosure", "orange")
    assert ticket.due_at == came_at + timedelta(hours=2)
    assert (await person.talk()).owner == "waiting"
    clock.advance(timedelta(minutes=16))
    await timers.sweep()
    await person.run()
    [call] = await calls_for(person)
    assert call.step == 1, "unread for a quarter of an hour: louder"
    assert person.news() == []


async def test_not_safe_now_turns_a_past_matter_into_danger(person: Person, clock: HeldClock) -> None:
    await person.texts(PAST)
    clock.advance(timedelta(seconds=30))
    assert len(await person.texts("2")) == 1
    [call] = await calls_for(person)
    assert call.lane == "red"
    assert call.received_at == clock.now()


async def test_nobody_answers_and_the_ladder_is_climbed(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    steps = []
    for _ in range(4):
        clock.advance(timedelta(seconds=60))
        await timers.sweep()
        await person.run()
        [call] = await calls_for(person)
        steps.append(call.step)
    assert steps == sorted(steps)
    assert steps[-1] == 4
    assert person.news() == [], "the phone hears nothing unasked"


async def test_a_form_never_speaks_over_danger(somebody: Callable[[], Person], clock: HeldClock) -> None:
    person = somebody()
    await person.texts("我要投诉 学校天天占体育课")
    await person.texts("镇雄")
    assert await person.texts(KICKING) == [say("red.violence")]
    clock.advance(timedelta(seconds=10))
    [reply] = await person.texts("1")
    assert reply in (say("human.none.red"), say("ask.place"), say("wait.red"))
    assert await tickets_of(person) == []
