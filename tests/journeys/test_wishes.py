"""What a person may ask of the line itself: a human, silence, no more outreach; and what it is not there for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.operators.models import Operator
from sms_gateway.wording import say
from tests.journeys.records import calls_for, tickets_of
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _contact(person: Person) -> Contact:
    talk = await person.talk()
    async with transaction() as session:
        return (await session.scalars(select(Contact).where(Contact.id == talk.contact_id))).one()


@pytest.mark.parametrize("wish", ["0", "转人工", "人工", "找真人"])
async def test_a_human_is_one_digit_away(person: Person, operator: Operator, wish: str) -> None:
    assert await person.texts(wish) == [say("human.queued")]
    [call] = await calls_for(person)
    assert (call.cause, call.lane) == ("asked_for_person", "blue")
    assert (await person.talk()).owner == "waiting"
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer, "while they wait the assistant goes on"


async def test_with_nobody_on_duty_the_truth_is_told_and_a_ticket_keeps_the_promise(person: Person) -> None:
    assert await person.texts("转人工") == [say("human.none")]
    [ticket] = await tickets_of(person)
    assert ticket.kind == "callback"
    assert len(await calls_for(person)) == 1


async def test_a_human_is_reached_out_of_the_middle_of_a_form(person: Person, operator: Operator) -> None:
    await person.texts("我要投诉 学校天天占体育课")
    assert await person.texts("0") == [say("human.queued")]


async def test_opting_out_stops_outreach_and_never_help(person: Person, clock: HeldClock) -> None:
    assert await person.texts("退订") == [say("optout")]
    contact = await _contact(person)
    assert contact.outreach_opted_out_at is not None
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer
    assert await person.texts(KICKING) == [say("red.violence")]


async def test_opting_in_again(person: Person) -> None:
    await person.texts("退订")
    assert await person.texts("订阅") == [say("optin")]
    assert (await _contact(person)).outreach_opted_out_at is None


@pytest.mark.parametrize("word", ["88", "别回"])
async def test_a_word_silences_the_line_until_it_is_safe_again(person: Person, clock: HeldClock, word: str) -> None:
    await person.texts("孤儿每个月能领多少钱")
    assert await person.texts(word) == []
    [call] = await calls_for(person)
    assert call.cause == "silence_word", "the operator is told"
    clock.advance(timedelta(minutes=1))
    assert await person.texts("你好") == [say("silent.back")]
    assert await person.texts("1") == [say("ask.gentle")]
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer


async def test_danger_under_silence_rings_and_the_phone_shows_nothing_of_it(person: Person, clock: HeldClock) -> None:
    await person.texts("你好")
    await person.texts("88")
    clock.advance(timedelta(minutes=1))
    assert await person.texts(KICKING) == [say("silent.back")]
    assert any(call.lane == "red" for call in await calls_for(person))
    clock.advance(timedelta(minutes=1))
    assert await person.texts("1") == [say("red.violence")]


async def test_a_stop_joined_with_a_plea_is_answered_with_nothing_and_told_the_operator(person: Person) -> None:
    assert await person.texts("退订 救救我 他在打我") == []
    [call] = await calls_for(person)
    assert call.lane == "red"


@pytest.mark.parametrize("matter", ["我家停水三天了", "路灯坏了找谁修"])
async def test_a_matter_that_is_not_a_childs_is_told_where_it_goes(person: Person, matter: str) -> None:
    assert await person.texts(matter) == [say("scope.other")]
    assert "12345" in say("scope.other")
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer


async def test_a_matter_in_another_province_is_passed_on_when_wanted(person: Person) -> None:
    [told] = await person.texts("我要投诉 广东东莞的学校天天占体育课")
    assert told in (say("form.outside"), say("other.province"))
    assert len(await person.texts("1")) == 1
    assert [call.cause for call in await calls_for(person)] == ["transfer"]


async def test_somebody_abroad_is_told_whom_to_call(person: Person) -> None:
    [told] = await person.texts("我要求助 我和孩子在老挝 护照丢了")
    assert told == say("overseas")


async def test_a_lost_digit_is_never_guessed(person: Person) -> None:
    assert await person.texts("5") == [say("digit.lost")]


async def test_it_says_that_it_is_a_machine(person: Person) -> None:
    assert await person.texts("你是真人吗") == [say("machine")]
