"""A mother complains that the school takes the PE lessons away."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import judging
from sms_gateway.database import transaction
from sms_gateway.triage.judgement import Lane
from sms_gateway.wording import say
from tests.journeys.records import calls_for, tickets_of
from tests.journeys.trackers import let_time_pass
from tests.telling import Person

OPENING = "我要投诉 学校天天占体育课"
WHERE = say("form.complaint.county")
STILL = say("form.complaint.still")
WISH = say("form.complaint.wish")
SECRET = say("form.complaint.secret")
CONFIRM = say("form.confirm", place="昭通市镇雄县", matter="学校的事")


async def _one(person: Person, text: str) -> str:
    [reply] = await person.texts(text)
    return reply


async def _is_registered(person: Person, reply: str) -> None:
    [ticket] = await tickets_of(person)
    assert reply == say("ticket.opened", number=ticket.number)
    assert re.fullmatch(r"\d{8}", ticket.number)
    assert (ticket.kind, ticket.county, ticket.lane, ticket.status) == ("complaint", "530627", "blue", "accepted")


async def test_every_question_in_order_and_a_ticket_number_at_the_end(person: Person) -> None:
    assert await _one(person, OPENING) == say("form.noted") + WHERE
    assert await _one(person, "镇雄的") == STILL
    assert await _one(person, "1") == WISH
    assert await _one(person, "希望还给孩子体育课") == SECRET
    assert await _one(person, "2") == CONFIRM
    await _is_registered(person, await _one(person, "1"))
    [ticket] = await tickets_of(person)
    assert ticket.answers is not None
    assert ticket.answers["what"].endswith("学校天天占体育课")
    assert ticket.answers["wish"] == "希望还给孩子体育课"
    assert not ticket.anonymous
    assert await _one(person, "进度") == say(
        "status.shown", tail=ticket.number[-3:], state=say("status.state.accepted")
    )


async def test_only_what_and_where_must_be_said(person: Person) -> None:
    assert await _one(person, "我要投诉") == say("form.complaint.what")
    assert (await _one(person, "食堂的饭是馊的")).endswith(WHERE)
    assert await _one(person, "昭通市镇雄县") == STILL
    assert await _one(person, "跳过") == WISH
    assert await _one(person, "跳过") == SECRET
    assert await _one(person, "跳过") == CONFIRM
    await _is_registered(person, await _one(person, "1"))


@pytest.mark.parametrize("enough", ["就这些", "提交", "可以了"])
async def test_enough_said_goes_straight_to_the_confirmation(person: Person, enough: str) -> None:
    await person.texts(OPENING)
    await person.texts("镇雄的")
    assert await _one(person, enough) == CONFIRM
    await _is_registered(person, await _one(person, "1"))


async def test_enough_said_too_early_asks_for_the_county_only(person: Person) -> None:
    await person.texts(OPENING)
    assert (await _one(person, "就这些")).endswith(say("form.ask_county_again"))
    assert await _one(person, "镇雄") == CONFIRM


async def test_a_county_said_in_the_first_text_is_not_asked_for(person: Person) -> None:
    assert await _one(person, "我要投诉镇雄县一中天天补课到晚上十点") == say("form.noted") + STILL


async def test_leaving_and_coming_back_an_hour_later_goes_on_where_it_stopped(person: Person, clock: HeldClock) -> None:
    await person.texts(OPENING)
    assert await _one(person, "等会再说") == say("form.kept")
    clock.advance(timedelta(minutes=70))
    await let_time_pass(person, timedelta(minutes=70))
    assert await _one(person, "我回来了") == say("form.back") + WHERE
    assert await _one(person, "镇雄县") == STILL
    assert await _one(person, "可以了") == CONFIRM
    await _is_registered(person, await _one(person, "1"))


async def test_a_borderline_answer_is_asked_about_safety_and_nothing_of_the_form_is_lost(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = judging._judge

    def unsure_of(body: str, earlier: list[str]) -> Any:
        judged, vector = really(body, earlier)
        return replace(judged, lane=Lane.BLUE, unsure=body == "老师凶得很"), vector

    monkeypatch.setattr(judging, "_judge", unsure_of)
    await person.texts(OPENING)
    await person.texts("镇雄")
    await person.texts("1")
    assert await _one(person, "老师凶得很") == say("ask.safe")
    assert [call.cause for call in await calls_for(person)] == ["unsure"]
    assert await _one(person, "1") == say("form.back") + SECRET
    assert await _one(person, "2") == CONFIRM
    await _is_registered(person, await _one(person, "1"))
    [ticket] = await tickets_of(person)
    assert (ticket.answers or {})["wish"] == "老师凶得很"


async def test_a_digit_answers_the_last_question_on_the_phone(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    really = judging._judge

    def unsure_of(body: str, earlier: list[str]) -> Any:
        judged, vector = really(body, earlier)
        return replace(judged, lane=Lane.BLUE, unsure=body == "老师凶得很"), vector

    monkeypatch.setattr(judging, "_judge", unsure_of)
    await person.texts(OPENING)
    await person.texts("镇雄")
    assert await _one(person, "老师凶得很") == say("ask.safe")
    assert await _one(person, "就这些") == CONFIRM, "they pass over the question and finish"
    await _is_registered(person, await _one(person, "1"))


async def test_a_question_about_money_in_the_middle_is_answered_and_the_form_goes_on(person: Person) -> None:
    await person.texts(OPENING)
    answer = await _one(person, "孤儿每个月能领多少钱")
    assert "1280" in answer
    assert answer.endswith(say("form.after_policy") + WHERE)
    assert await _one(person, "镇雄") == STILL
    assert await _one(person, "提交") == CONFIRM
    await _is_registered(person, await _one(person, "1"))


async def test_cancelled_leaves_no_ticket(person: Person) -> None:
    await person.texts(OPENING)
    await person.texts("镇雄")
    assert await _one(person, "取消") == say("form.cancelled")
    assert await tickets_of(person) == []
    assert await _one(person, "1") == say("digit.lost")


async def test_a_wrong_county_is_corrected_at_once_and_at_the_end(person: Person) -> None:
    await person.texts(OPENING)
    await person.texts("威信")
    assert await _one(person, "不对 是彝良") == say("form.corrected") + STILL
    assert await _one(person, "就这些") == say("form.confirm", place="昭通市彝良县", matter="学校的事")
    assert await _one(person, "2") == say("form.fix")
    assert await _one(person, "2") == say("form.need_county")
    assert await _one(person, "镇雄") == CONFIRM
    await _is_registered(person, await _one(person, "1"))


@pytest.mark.parametrize("disclosure", ["去年体育老师摸过我", "班主任刚刚让我脱衣服还摸我"])
async def test_a_word_of_abuse_past_or_present_stops_the_form_and_brings_a_person(
    somebody: Callable[[], Person], disclosure: str
) -> None:
    person = somebody()
    await person.texts(OPENING)
    await person.texts("镇雄")
    reply = await _one(person, disclosure)
    assert reply not in (STILL, WISH, SECRET)
    [call] = await calls_for(person)
    assert call.harm == "sexual_abuse"
    assert (await person.talk()).owner == "waiting"
    after = await person.texts("1")
    assert not any(question in text for text in after for question in (STILL, WISH, SECRET, CONFIRM))


async def test_two_people_fill_in_their_forms_at_the_same_time(somebody: Callable[[], Person]) -> None:
    one, other = somebody(), somebody()
    await one.texts(OPENING)
    await other.texts("我要投诉 老师打牌不上课")
    await other.texts("宣威")
    await one.texts("镇雄")
    await one.texts("就这些")
    assert await _one(other, "就这些") == say("form.confirm", place="曲靖市宣威市", matter="学校的事")
    await other.texts("1")
    await one.texts("1")
    assert [ticket.county for ticket in (*await tickets_of(one), *await tickets_of(other))] == ["530627", "530381"]


async def test_the_same_answer_taken_twice_opens_one_ticket(person: Person) -> None:
    await person.texts(OPENING)
    await person.texts("镇雄")
    await person.texts("提交")
    message_id = await person.hand_in("1")
    await person.run()
    from sms_gateway.jobs import defer

    async with transaction() as session:
        await defer(session, "conversations.take_turn", message_id=message_id)
    await person.run()
    assert len(await tickets_of(person)) == 1
    assert len(person.news()) == 1
