"""A long text in several SMS gets one answer; the same text again gets no copy of its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import assistant, judging
from sms_gateway.triage.judgement import Harm, Immediacy, Judgement, Lane, Writer
from sms_gateway.wording import say
from tests.telling import Person
from texts.embedding import DIMENSIONS

VECTOR = np.zeros(DIMENSIONS, dtype=np.float32)
FIRST = "学校让我们每个学期都交三百块钱的资料费，"
SECOND = "还不开收据"


def _blue(*, unsure: bool = False) -> Judgement:
    return Judgement(
        lane=Lane.BLUE, type=Harm.NONE, services=(), immediacy=Immediacy.NONE, score=0.0, reasons=(), writer=Writer.UNKNOWN,
        reply_key=None, sexual=False, unsure=unsure,
    )  # fmt: skip


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What an assistant hears that always answers the same."""
    questions: list[dict[str, Any]] = []

    async def ask(**question: Any) -> list[assistant.Reply]:
        questions.append(question)
        return [assistant.Reply("好的", "thanks", None)]

    monkeypatch.setattr(assistant, "ask", ask)
    return questions


async def _later(person: Person, clock: HeldClock, seconds: int) -> list[str]:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()
    return person.news()


async def test_two_parts_are_answered_once_together(
    person: Person, clock: HeldClock, heard: list[dict[str, Any]]
) -> None:
    assert await person.texts(FIRST) == []
    clock.advance(timedelta(seconds=2))
    assert await person.texts(SECOND) == ["好的"]
    assert [question["text"] for question in heard] == [FIRST + SECOND]
    assert await _later(person, clock, 30) == []


async def test_a_part_alone_waits_four_seconds_at_most(
    person: Person, clock: HeldClock, heard: list[dict[str, Any]]
) -> None:
    assert await person.texts(FIRST) == []
    assert await _later(person, clock, 3) == ["好的"]
    assert [question["text"] for question in heard] == [FIRST]


async def test_danger_in_a_part_waits_for_nothing(person: Person, clock: HeldClock) -> None:
    assert await person.texts("有个叔叔一直在踹我家门，就我和弟弟在，") != []


async def test_the_part_before_a_call_for_a_person_is_dealt_with_too(
    person: Person, clock: HeldClock, heard: list[dict[str, Any]]
) -> None:
    await person.texts(FIRST)
    assert await person.texts("转人工") == [say("human.none")]
    assert await _later(person, clock, 10) == [] and heard == []


async def test_the_same_text_four_times_gets_one_answer_and_one_word(
    person: Person, clock: HeldClock, heard: list[dict[str, Any]]
) -> None:
    replies = [await person.texts("学校的校服又贵又差") for _ in range(4)]
    assert replies == [["好的"], [say("same.again")], [], []]
    assert await person.texts("那校服要怎么退") == ["好的"]
    clock.advance(timedelta(hours=1))
    assert await person.texts("那校服要怎么退") == ["好的"]


async def test_a_form_that_the_line_ended_is_told_the_assistant(
    person: Person, clock: HeldClock, heard: list[dict[str, Any]]
) -> None:
    await person.texts("学校的校服又贵又差")
    assert heard[-1]["metadata"]["form_off"] is False
    await person.texts("上学期校长摸过我 现在不敢说")
    from sqlalchemy import text

    from sms_gateway.database import transaction

    async with transaction() as session:  # as after a person gave the talk back
        await session.execute(text("UPDATE threads SET owner = 'assistant', lane = 'blue'"))
        await session.execute(text("UPDATE escalations SET closed_at = now()"))
    clock.advance(timedelta(minutes=40))
    await person.texts("孤儿每个月能领多少钱")
    assert heard[-1]["metadata"]["form_off"] is True


async def test_who_must_report_is_not_asked_about_safety_in_the_middle_of_the_short_form(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = iter([("谢谢您。", "must.report"), ("打110了吗？", "form.mandated.police")])

    async def ask(**_question: object) -> list[assistant.Reply]:
        return [assistant.Reply(*next(replies), "form")]

    monkeypatch.setattr(assistant, "ask", ask)
    monkeypatch.setattr(judging, "_judge", lambda body, _earlier: (_blue(unsure="接" in body), VECTOR))
    await person.texts("我要报告 学校的事")
    assert await person.texts("在学校，她五点来接") == ["打110了吗？"]
