"""回访: one text by day to somebody it cannot harm; the answer ends the loop or brings the matter back."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from sms_gateway.carriers.carrier import CarrierBlockedText
from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import assistant
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message, PendingQuestion, Thread
from sms_gateway.operators.models import AuditRow
from sms_gateway.tickets import follow_up_rules as rules
from sms_gateway.tickets.decent_hours import by_day
from sms_gateway.tickets.follow_up_rules import Facts, Purpose, Reason
from sms_gateway.wording import say
from tests.telling import Person

from .asking import EVENING, MORNING, again, at, concluded, follow_ups, happened, later, registered

SURVEY = say("survey")


@pytest.fixture(autouse=True)
def no_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not read by the line itself gets one and the same word."""

    async def ask(**_question: object) -> list[assistant.Reply]:
        return [assistant.Reply("小助手", "greet", None)]

    monkeypatch.setattr(assistant, "ask", ask)


async def _asked(person: Person, clock: HeldClock) -> Any:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    assert await later(person, clock, timedelta(hours=1)) == [SURVEY]
    return ticket


@pytest.mark.parametrize(("hour", "expected"), [(3, 9), (9, 9), (14, 14), (19, 19), (20, 9), (23, 9)])
def test_nobody_is_asked_or_reminded_at_night(hour: int, expected: int) -> None:
    moment = shanghai(MORNING).replace(hour=hour, minute=0).astimezone(UTC)
    due = by_day(moment)
    assert shanghai(due).hour == expected and due >= moment


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lane": "red"}, Reason.RED), ({"lane": "orange"}, Reason.ORANGE), ({"sealed": True}, Reason.SEALED),
        ({"sensitivity": "hiv"}, Reason.SENSITIVE), ({"open_case": True}, Reason.DANGER_OPEN),
        ({"talk_lane": "orange"}, Reason.DANGER_OPEN), ({"silent": True}, Reason.SILENT), ({"wish": "先别找我"}, Reason.LEFT_ALONE),
        ({"again": "不能"}, Reason.LEFT_ALONE), ({"writer": "child", "words": "同学欺负我"}, Reason.CHILD_PHONE),
        ({"writer": "unknown", "words": "他打孩子"}, Reason.CHILD_PHONE), ({"anonymous": True}, Reason.ANONYMOUS),
        ({"wish": "打电话"}, Reason.WANTS_CALL), ({"opted_out": True}, Reason.OPTED_OUT), ({"channel": "web"}, Reason.NO_ADDRESS),
        ({"writer": "parent", "words": "老师打孩子"}, None), ({"writer": "child", "words": "学校乱收费"}, None), ({}, None),
    ],
)  # fmt: skip
def test_where_anything_speaks_against_it_no_text_goes_out(changed: dict[str, Any], reason: Reason | None) -> None:
    assert rules.why_not(Facts(**{"lane": "blue", **changed}), Purpose.SURVEY) is reason


@pytest.mark.parametrize("changed", [{"anonymous": True}, {"wish": "打电话"}, {"opted_out": True}, {"channel": "web"}])
def test_what_stops_a_survey_only_does_not_stop_a_question_of_the_desk(changed: dict[str, Any]) -> None:
    assert rules.why_not(Facts(**{"lane": "blue", **changed}), Purpose.QUESTION) is None


def test_every_reason_has_its_word_in_the_console() -> None:
    from sms_gateway.console.words import NOT_ASKED

    assert set(NOT_ASKED) >= {reason.value for reason in Reason}


async def test_by_day_the_survey_goes_out_half_an_hour_after(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    assert (await again(ticket)).status == "followed_up"
    [row] = await follow_ups(ticket)
    assert (row.state, row.reason) == ("sent", None) and row.message_id is not None
    assert [event.what for event in await happened(ticket)] == ["accepted", "concluded", "followed_up"]


async def test_in_the_evening_it_waits_for_the_morning_and_comes_once(person: Person, clock: HeldClock) -> None:
    at(clock, EVENING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    assert await later(person, clock, timedelta(hours=11)) == []
    assert (await again(ticket)).status == "concluded"
    assert await later(person, clock, timedelta(hours=2)) == [SURVEY]
    [row] = await follow_ups(ticket)
    assert shanghai(row.due_at).hour == 9
    assert await later(person, clock, timedelta(days=30)) == []


async def test_a_worker_that_wakes_at_night_waits_for_the_day(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    clock.advance(timedelta(hours=14))  # midnight: nothing has run in between
    assert await later(person, clock, timedelta(hours=1)) == []
    assert await later(person, clock, timedelta(hours=10)) == [SURVEY]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"lane": "orange"}, "orange"), ({"anonymous": True}, "anonymous"), ({"sealed": True}, "sealed"),
     ({"answers": {"what": "学校乱收费", "contact": "先别找我"}}, "left_alone")],
)  # fmt: skip
async def test_the_loop_ends_without_a_text_and_says_why(
    person: Person, clock: HeldClock, changed: dict[str, Any], reason: str
) -> None:
    at(clock, MORNING)
    ticket = await registered(person, **changed)
    await person.run()
    person.news()
    await concluded(ticket)
    assert await later(person, clock, timedelta(days=2)) == []
    assert (await again(ticket)).status == "followed_up"
    ended = next(event for event in await happened(ticket) if event.what == "followed_up")
    assert ended.detail["reason"] == reason
    assert [(row.state, row.reason) for row in await follow_ups(ticket)] == [("skipped", reason)]


async def test_who_asked_for_silence_after_the_end_hears_nothing(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    async with transaction() as session:
        await contacts.set_silent(session, ticket.contact_id, silent=True)
    assert await later(person, clock, timedelta(hours=1)) == []
    assert [(row.state, row.reason) for row in await follow_ups(ticket)] == [("skipped", "silent")]


async def test_it_is_never_put_into_a_talk_that_goes_on(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    async with transaction() as session:
        await session.execute(update(Thread).values(owner="operator"))
    assert await later(person, clock, timedelta(hours=2)) == []
    async with transaction() as session:
        await session.execute(update(Thread).values(owner="assistant"))
    assert await later(person, clock, timedelta(hours=3)) == [SURVEY]


async def test_when_no_moment_fits_for_ten_days_nobody_is_asked(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    async with transaction() as session:
        await session.execute(update(Thread).values(owner="operator"))
    assert await later(person, clock, timedelta(days=12)) == []
    assert [(row.state, row.reason) for row in await follow_ups(ticket)] == [("skipped", "no_moment")]


@pytest.mark.parametrize("mark", ["5", "4", "3", "很满意"])
async def test_a_good_mark_ends_the_loop(person: Person, clock: HeldClock, mark: str) -> None:
    ticket = await _asked(person, clock)
    assert await person.texts(mark) == [say("eval.thanks")]
    assert (await again(ticket)).status == "evaluated"
    assert [row.state for row in await follow_ups(ticket)] == ["answered"]
    async with transaction() as session:
        assert list(await session.scalars(select(Escalation))) == []


NOT_SOLVED = [
    "1",
    "2",
    "没解决",
    "没解诀",
    "还是那样",
    "没用",
    "没得人管",
    "莫解决",
    "冇解决",
    "1 没解决",
    "没解决，天天还在占",
    "不满意",
]


@pytest.mark.parametrize("words", NOT_SOLVED)
async def test_what_is_not_solved_comes_back_and_a_supervisor_sees_it(
    person: Person, clock: HeldClock, words: str
) -> None:
    ticket = await _asked(person, clock)
    [said] = await person.texts(words)
    assert said in (say("eval.sorry"), say("eval.unresolved"))
    now = await again(ticket)
    assert (now.status, now.closed_at) == ("reworked", None)
    async with transaction() as session:
        [call] = await session.scalars(select(Escalation))
        audit = await session.scalars(select(AuditRow).where(AuditRow.what == "asked_for_rework"))
        assert (call.cause, call.lane) == ("not_solved", "blue")
        assert [row.subject for row in audit] == [f"ticket:{ticket.id}"]
    assert (await person.talk()).owner == "assistant", "the line goes on answering"


async def test_danger_told_beside_the_mark_is_danger_first(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    [said] = await person.texts("没解决 他现在拿着刀在砸门")
    assert "110" in said
    assert (await again(ticket)).status == "followed_up"
    assert (await person.talk()).lane == "red"


async def test_after_seven_days_a_digit_is_asked_again_and_then_counts_for_the_same_matter(
    person: Person, clock: HeldClock
) -> None:
    ticket = await _asked(person, clock)
    await later(person, clock, timedelta(days=8))
    assert await person.texts("5") == [say("eval.reask")]
    assert await person.texts("4") == [say("eval.thanks")]
    assert (await again(ticket)).evaluated == 4


async def test_a_survey_that_is_stopped_on_its_way_is_kept_and_not_sent_again(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    person.news()
    await concluded(ticket)
    person.carrier.fails.append(CarrierBlockedText("blocked"))
    assert await later(person, clock, timedelta(days=20)) == []
    [row] = await follow_ups(ticket)
    assert (row.state, row.reason) == ("lost", "blocked")
    async with transaction() as session:
        surveys = await session.scalars(select(Message.state).where(Message.text_key == "survey"))
        assert list(surveys) == ["blocked"]
        assert list(await session.scalars(select(PendingQuestion))) == []
    assert (await happened(ticket))[-1].what == "survey_lost"


async def test_two_matters_that_end_on_one_day_are_asked_about_one_after_the_other(
    person: Person, clock: HeldClock
) -> None:
    first = await _asked(person, clock)
    second = await registered(person, "我要投诉幼儿园乱收费")
    await person.run()
    person.news()
    await concluded(second)
    assert await later(person, clock, timedelta(hours=3)) == []
    assert await person.texts("5") == [say("eval.thanks")]
    assert await later(person, clock, timedelta(hours=5)) == [SURVEY]
    assert await person.texts("3") == [say("eval.thanks")]
    assert ((await again(first)).evaluated, (await again(second)).evaluated) == (5, 3)


async def test_a_matter_that_comes_back_is_asked_about_again_once_it_is_done(person: Person, clock: HeldClock) -> None:
    ticket = await _asked(person, clock)
    await person.texts("1")
    async with transaction() as session:
        await session.execute(update(Escalation).values(closed_at=clock.now()))
    await concluded(ticket)
    assert await later(person, clock, timedelta(hours=1)) == [SURVEY]
    assert await person.texts("5") == [say("eval.thanks")]
    assert [row.state for row in await follow_ups(ticket)] == ["answered", "answered"]


async def test_no_outreach_wish_keeps_the_survey_away_too(person: Person, clock: HeldClock) -> None:
    at(clock, MORNING)
    ticket = await registered(person)
    await person.run()
    await person.texts("退订")
    await concluded(ticket)
    assert await later(person, clock, timedelta(hours=1)) == []
    async with transaction() as session:
        assert (await session.scalars(select(Contact))).one().outreach_opted_out_at is not None
    assert [row.reason for row in await follow_ups(ticket)] == ["opted_out"]
