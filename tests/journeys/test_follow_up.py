"""From a complaint by text to its end: the survey next morning, the mark, and what comes back; progress; a matter of others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditRow
from sms_gateway.tickets.models import Ticket, Transfer
from sms_gateway.wording import say
from tests.journeys.records import calls_for, tickets_of
from tests.telling import Person
from tests.tickets.asking import EVENING, MORNING, again, at, concluded, happened, later


async def _registered(person: Person) -> Ticket:
    for text in ("我要投诉 学校天天占体育课", "镇雄的", "就这些", "1"):
        await person.texts(text)
    return (await tickets_of(person))[0]


async def _asked_next_morning(person: Person, clock: HeldClock) -> Ticket:
    at(clock, EVENING)
    ticket = await _registered(person)
    clock.advance(timedelta(hours=1))
    await concluded(ticket)
    assert await later(person, clock, timedelta(hours=9)) == [], "nothing at night"
    assert await later(person, clock, timedelta(hours=4)) == [say("survey")]
    async with transaction() as session:
        asked = select(Message.at).where(Message.thread_id == person.thread_id, Message.text_key == "survey")
        [sent_at] = await session.scalars(asked)
    assert shanghai(sent_at).hour == 9
    assert (await again(ticket)).status == "followed_up"
    return ticket


async def test_who_is_content_ends_the_loop(person: Person, clock: HeldClock) -> None:
    ticket = await _asked_next_morning(person, clock)
    assert await person.texts("5") == [say("eval.thanks")]
    now = await again(ticket)
    assert (now.status, now.evaluated) == ("evaluated", 5)
    assert await calls_for(person) == []


@pytest.mark.parametrize(
    ("words", "key"), [("1", "eval.sorry"), ("没解决", "eval.unresolved"), ("还是那样 没得人管", "eval.unresolved")]
)
async def test_who_is_not_brings_it_back_and_a_supervisor_sees_it(
    person: Person, clock: HeldClock, words: str, key: str
) -> None:
    ticket = await _asked_next_morning(person, clock)
    assert await person.texts(words) == [say(key)]
    now = await again(ticket)
    assert (now.status, now.closed_at) == ("reworked", None)
    assert [call.cause for call in await calls_for(person)] == ["not_solved"]
    async with transaction() as session:
        audit = select(AuditRow.what).where(AuditRow.subject == f"ticket:{ticket.id}")
        assert "asked_for_rework" in list(await session.scalars(audit))
    assert await person.texts("进度") == [
        say("status.shown", tail=ticket.number[-3:], state=say("status.state.reworked"))
    ]


async def test_danger_after_the_survey_is_danger(person: Person, clock: HeldClock) -> None:
    await _asked_next_morning(person, clock)
    [said] = await person.texts("我爸又回来了 正在打我妈")
    assert "110" in said
    assert (await person.talk()).owner == "waiting"


@pytest.mark.parametrize(
    "words", ["进度", "查进度", "我的事办得咋样了", "我那个投诉处理得怎么样了", "进度{number}", "查一下{tail}"]
)
async def test_how_far_it_is_hears_only_who_registered_it(
    person: Person, somebody: object, clock: HeldClock, words: str
) -> None:
    at(clock, MORNING)
    ticket = await _registered(person)
    asked = words.format(number=ticket.number, tail=ticket.number[-3:])
    assert await person.texts(asked) == [
        say("status.shown", tail=ticket.number[-3:], state=say("status.state.accepted"))
    ]
    stranger: Person = somebody()  # type: ignore[operator]
    assert await stranger.texts(asked) == [say("status.not_yours" if "{" in words else "status.none")]


async def test_of_a_matter_of_harm_nothing_is_told_and_the_desk_hears_that_it_was_asked(
    person: Person, clock: HeldClock
) -> None:
    at(clock, MORNING)
    ticket = await _registered(person)
    async with transaction() as session:
        (await session.scalars(select(Ticket).where(Ticket.id == ticket.id))).one().lane = "orange"
    assert await person.texts("进度") == [say("status.none")]
    assert await person.texts(f"进度{ticket.number}") == [say("status.not_yours")]
    assert [event.what for event in await happened(ticket)][-1] == "asked_progress"


async def test_after_silence_progress_is_not_told(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    await _registered(person)
    await person.texts("88")
    clock.advance(timedelta(minutes=5))
    assert await person.texts("进度") == [say("silent.back")]


async def test_a_matter_that_is_not_a_childs_waits_for_an_operator_where_no_desk_is_set_up(
    person: Person, clock: HeldClock
) -> None:
    at(clock, MORNING)
    assert await person.texts("我家停水三天了") == [say("scope.other")], "nothing is claimed that is not so"
    [ticket] = await tickets_of(person)
    async with transaction() as session:
        row = (await session.scalars(select(Transfer).where(Transfer.ticket_id == ticket.id))).one()
    assert (ticket.kind, ticket.status, row.state, row.partner, row.words) == (
        "transfer", "accepted", "by_hand", "general", "我家停水三天了",
    )  # fmt: skip


async def test_another_province_goes_by_record_with_its_name(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    await person.texts("我要投诉 广东东莞的学校天天占体育课")
    assert await person.texts("1") == [say("other.province.yes")]
    [ticket] = await tickets_of(person)
    async with transaction() as session:
        row = (await session.scalars(select(Transfer).where(Transfer.ticket_id == ticket.id))).one()
    assert (ticket.kind, row.state, row.partner) == ("transfer", "by_hand", "广东")
    assert "占体育课" in row.words
