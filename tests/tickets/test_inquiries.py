"""补充: what the desk asks a person by text, their answer, and what happens when none comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.conversations import assistant
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.tickets import dispatching, handling, inquiries, moves
from sms_gateway.tickets.actors import of_unit, operator
from sms_gateway.tickets.inquiries import MustNotBeTexted, OneQuestionAtATime
from sms_gateway.tickets.inquiry_rules import QuestionCannotBeSent, may_answer, read_question
from sms_gateway.tickets.models import Inquiry, Ticket
from sms_gateway.wording import say
from tests.telling import Person

from .asking import EVENING, MORNING, again, at, happened, later, registered, somebody_at_the_desk

QUESTION = "是哪个班、哪个老师的课？"


@pytest.fixture(autouse=True)
def no_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(**_question: object) -> list[assistant.Reply]:
        return [assistant.Reply("小助手", "greet", None)]

    monkeypatch.setattr(assistant, "ask", ask)


async def _ask(ticket: Ticket, words: str = QUESTION) -> None:
    someone = await somebody_at_the_desk()
    async with transaction() as session:
        await inquiries.ask(session, await moves.lock(session, ticket.id), actor=operator(someone.id), words=words)


async def _rows() -> list[Inquiry]:
    async with transaction() as session:
        return list(await session.scalars(select(Inquiry).order_by(Inquiry.id)))


async def _asked(person: Person, clock: HeldClock, **changed: Any) -> Ticket:
    at(clock, MORNING)
    ticket = await registered(person, **changed)
    await person.run()
    person.news()
    await _ask(ticket)
    await person.run()
    assert person.news() == [say("clarify.ask", tail=ticket.number[-3:]) + QUESTION]
    return ticket


async def test_the_answer_goes_to_the_matter_and_its_clock_runs_on(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    assert (await again(ticket)).status == "clarifying"
    clock.advance(timedelta(hours=2))
    assert await person.texts("三年级二班 体育课都上数学") == [say("clarify.thanks")]
    now = await again(ticket)
    assert now.status == "accepted" and now.due_at > ticket.due_at
    assert [event.what for event in await happened(ticket)][-2:] == ["asked_person", "resumed"]
    [row] = await _rows()
    assert row.answered_at is not None and row.settled_at is not None


async def test_what_is_written_right_after_is_added(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    await person.texts("三年级二班")
    assert await person.texts("是王老师的课") == [say("clarify.more")]
    assert (await happened(ticket))[-1].what == "more"
    clock.advance(timedelta(minutes=11))
    assert await person.texts("食堂的菜有点咸") == ["小助手"]


async def test_a_digit_is_an_answer_where_nothing_else_asks(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    assert await person.texts("3") == [say("clarify.thanks")]
    assert (await again(ticket)).status == "accepted"


@pytest.mark.parametrize(
    "words",
    [
        "你好",
        "谢谢",
        "在吗",
        "进度",
        "我的事办得咋样了",
        "孤儿补助每个月多少钱",
        "我要投诉另外一个学校",
        "什么意思",
        "你是谁",
    ],
)
async def test_what_is_no_answer_leaves_the_question_open(person: Person, clock: HeldClock, words: str) -> None:
    ticket = await _asked(person, clock)
    assert await person.texts(words) == ["小助手"]
    assert (await again(ticket)).status == "clarifying"
    assert await person.texts("三年级二班") == [say("clarify.thanks")]


async def test_danger_in_the_answer_is_danger_first(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    [said] = await person.texts("现在我爸拿刀在砍门 我和妹妹躲在屋里")
    assert "110" in said
    assert (await again(ticket)).lane == "red"


async def test_harm_told_in_the_answer_gets_its_own_words_and_resumes_the_matter(
    person: Person, clock: HeldClock
) -> None:
    ticket = await _asked(person, clock)
    said = await person.texts("上个月体育老师经常打我们 拿棍子打手")
    assert said != [say("clarify.thanks")]
    assert (await person.talk()).lane in ("orange", "red")
    assert (await again(ticket)).status == "accepted"


async def test_a_wish_for_a_human_or_for_silence_is_met(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    assert await person.texts("0") == [say("human.none")]
    assert (await again(ticket)).status == "clarifying"
    assert await person.texts("88") == []


async def test_asked_at_night_it_leaves_in_the_morning(person: Person, clock: HeldClock) -> None:
    at(clock, EVENING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await _ask(ticket)
    await person.run()
    assert person.news() == []
    assert (await again(ticket)).status == "clarifying"
    assert await later(person, clock, timedelta(hours=13)) == [say("clarify.ask", tail=ticket.number[-3:]) + QUESTION]
    async with transaction() as session:
        sent = (await session.scalars(select(Message).where(Message.text_key == "clarify.ask"))).one()
    assert shanghai(sent.at).hour == 9


async def test_one_reminder_then_the_desk_is_told_and_the_person_left_in_peace(
    person: Person, clock: HeldClock
) -> None:
    ticket = await _asked(person, clock)
    assert await later(person, clock, timedelta(days=1, hours=1)) == [say("clarify.remind")]
    assert await later(person, clock, timedelta(days=20)) == []
    assert [event.what for event in await happened(ticket)][-2:] == ["reminded_person", "unanswered"]
    [row] = await _rows()
    assert row.desk_told_at is not None and row.settled_at is None
    assert await person.texts("三年级二班") == [say("clarify.thanks")], "also a late answer is one"


async def test_nobody_is_reminded_who_has_answered(person: Person, clock: HeldClock) -> None:
    await _asked(person, clock)
    await person.texts("三年级二班")
    assert await later(person, clock, timedelta(days=20)) == []


@pytest.mark.parametrize("changed", [{"lane": "orange"}, {"sealed": True}, {"answers": {"contact": "先别找我"}}])
async def test_where_a_text_may_harm_none_goes_out(person: Person, clock: HeldClock, changed: dict[str, Any]) -> None:
    at(clock, MORNING)
    ticket = await registered(person, **changed)
    with pytest.raises(MustNotBeTexted):
        await _ask(ticket)
    assert (await again(ticket)).status == "accepted"


async def test_one_question_at_a_time(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    with pytest.raises(OneQuestionAtATime):
        async with transaction() as session:
            await inquiries.ask(session, await moves.lock(session, ticket.id), actor=operator(1), words="还有什么？")


async def test_what_a_unit_wants_to_know_goes_out_in_the_desks_words(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    async with transaction() as session:
        held = await moves.lock(session, ticket.id)
        await dispatching.dispatch(session, held, unit="edu@530627", actor=operator(1))
        unit = of_unit("edu@530627", 7)
        await dispatching.sign(session, held, actor=unit)
        await handling.ask(session, held, actor=unit, question="让他把老师姓名身份证报来")
    await _ask(ticket)
    await person.run()
    [said] = person.news()
    assert QUESTION in said and "身份证" not in said
    await person.texts("三年级二班")
    assert (await again(ticket)).status == "signed_for", "back to where the question came from"


@pytest.mark.parametrize("words", ["", "  ", "字" * 121, "请点 https://example.cn 填写", "是不是自杀", "加我微信号"])
def test_a_question_that_may_not_go_out_is_refused(words: str) -> None:
    with pytest.raises(QuestionCannotBeSent):
        read_question(words)


@pytest.mark.parametrize(
    "words", ["三年级二班", "镇雄二中", "3", "是我家老二", "不知道", "没有了", "王老师", "上个星期三的事"]
)
def test_plain_words_may_be_an_answer(words: str) -> None:
    assert may_answer(words)
