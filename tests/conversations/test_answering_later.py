"""Too many texts: a question hears "稍后回复" and gets its answer later; danger hears what it always hears."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from sms_gateway import timers
from sms_gateway.broadcasts import governing
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import answering_later, assistant, service
from sms_gateway.database import transaction
from sms_gateway.messages import pressure
from sms_gateway.messages.overload import LONGEST, Shed
from sms_gateway.operators.models import Operator
from sms_gateway.wording import say
from tests.broadcasts import making
from tests.broadcasts.test_sending import somebody_on_duty
from tests.console.story import add_operator
from tests.telling import Person

QUESTION = "孤儿每个月能领多少钱"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the assistant was asked; it always answers the same."""
    heard: list[str] = []

    async def answers(*, sender: str, text: str, metadata: object, within: float) -> list[assistant.Reply]:
        heard.append(text)
        return [assistant.Reply(text="每月一千多。", key="policy.answer", asks=None)]

    monkeypatch.setattr(assistant, "ask", answers)
    pressure.forget()
    yield heard
    pressure.forget()


def _load(monkeypatch: pytest.MonkeyPatch, level: Shed) -> None:
    async def found(_session: object) -> Shed:
        return level

    monkeypatch.setattr(pressure, "level", found)


async def _minutes_pass(clock: HeldClock, person: Person, seconds: float = 31.0) -> list[str]:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()
    return person.news()


async def test_a_question_is_answered_when_the_load_has_fallen(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    _load(monkeypatch, Shed.POLICY)
    assert await person.texts(QUESTION) == [say("busy.later")]
    assert await _minutes_pass(clock, person) == [], "still too much: nothing is said again"
    _load(monkeypatch, Shed.NOTHING)
    [answer] = await _minutes_pass(clock, person)
    assert answer.startswith("每月一千多。")
    assert asked == [QUESTION]
    assert await _minutes_pass(clock, person) == []


async def test_it_is_answered_after_ten_minutes_whatever_the_load(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(monkeypatch, Shed.POLICY)
    await person.texts(QUESTION)
    [answer] = await _minutes_pass(clock, person, LONGEST)
    assert answer.startswith("每月一千多。")


@pytest.mark.parametrize(
    ("words", "reply"), [("有人拿刀砍我妈 快来", "red.violence"), ("转人工", None), ("退订", "optout")]
)
async def test_danger_and_wishes_never_wait(
    person: Person, monkeypatch: pytest.MonkeyPatch, words: str, reply: str | None
) -> None:
    _load(monkeypatch, Shed.POLICY)
    heard = await person.texts(words)
    assert say("busy.later") not in heard and heard
    if reply is not None:
        assert heard == [say(reply)]


async def test_danger_that_follows_a_question_is_answered_at_once_and_the_question_not_in_between(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(monkeypatch, Shed.POLICY)
    await person.texts(QUESTION)
    assert await person.texts("有人拿刀砍我妈 快来") == [say("red.violence")]
    _load(monkeypatch, Shed.NOTHING)
    assert "每月一千多。" not in "".join(await _minutes_pass(clock, person)), "nothing unasked follows danger"


async def test_what_a_person_took_over_the_machine_does_not_answer_after_it_is_handed_back(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    _load(monkeypatch, Shed.POLICY)
    await person.texts(QUESTION)
    operator = await add_operator("later", "值班员")
    async with transaction() as session:
        operator = await session.get_one(Operator, operator.id)
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await service.reply(session, thread_id=person.thread_id, operator=operator, body="每月一千五。")
        await service.hand_back(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    person.news()
    _load(monkeypatch, Shed.NOTHING)
    assert await _minutes_pass(clock, person) == [] and asked == []


@pytest.mark.parametrize("backwards", [True, False])
async def test_answers_come_in_the_order_of_the_questions(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch, asked: list[str], backwards: bool
) -> None:
    """The load falls between two questions; timers may come up in any order."""
    later = "低保怎么申请"
    _load(monkeypatch, Shed.POLICY)
    first = await person.hand_in(QUESTION)
    await person.run()
    _load(monkeypatch, Shed.NOTHING)
    second = await person.hand_in(later)
    await person.run()
    assert asked == [] and person.news() == [say("busy.later")] * 2
    for message_id in (second, first) if backwards else (first, second):
        async with transaction() as session:
            await answering_later.take_up(session, message_id)
        if not backwards:
            await person.run()  # with the second one still waiting
    await person.run()
    assert asked == [QUESTION, later]
    another = "残疾人补贴有多少"
    assert await person.texts(another) and asked == [QUESTION, later, another], "nothing waits any more: no detour"


async def test_what_waits_in_the_queue_of_turns_is_the_pressure(person: Person) -> None:
    for _ in range(25):
        await person.hand_in("你好")
    async with transaction() as session:
        await session.execute(text("UPDATE procrastinate_events SET at = at - interval '30 seconds'"))
        found = await pressure.measure(session)
        assert found.waiting == 25 and 30 <= found.oldest < 60
        assert await pressure.level(session) is Shed.POLICY


async def test_outreach_stands_back_first(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=100.0, reply_share=0.0, **making_all_day())
    await making.make_ledger(one, {"530627": 50})
    for level, held in ((Shed.OUTREACH, "load"), (Shed.NOTHING, None)):
        _load(monkeypatch, level)
        await governing.govern()
        async with transaction() as session:
            from sms_gateway.broadcasts import acts

            found = await acts.get(session, one)
            assert (found.held_by, found.rate > 0) == (held, held is None)


def making_all_day() -> dict[str, object]:
    from benchmarks.broadcasts_line import ALL_DAY

    return dict(ALL_DAY)
