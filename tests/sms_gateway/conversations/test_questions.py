"""What a digit answers, and when it answers nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.questions import (
    ASKS,
    Answer,
    Kind,
    Read,
    Standing,
    ask,
    is_digit,
    may_replace,
    means_danger,
    read_digit,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def answer(key: str, text: str, after: timedelta = timedelta()) -> Read | None:
    return read_digit(ask(key, NOW), text, NOW + after)


@pytest.mark.parametrize("key", sorted(key for key, kind in ASKS.items() if kind is not Kind.SURVEY))
def test_one_is_yes_two_is_no_three_is_unclear_everywhere(key: str) -> None:
    assert [answer(key, digit) for digit in "123"] == [Read(Answer.YES), Read(Answer.NO), Read(Answer.UNCLEAR)]


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    [
        ("ask.safe", "不安全", Answer.NO),
        ("ask.safe", "安全", Answer.YES),
        ("ask.safe", "2 不安全", Answer.NO),
        ("ask.safe", "2。", Answer.NO),
        ("ask.safe", "说不清", Answer.UNCLEAR),
        ("ask.safe", "1 不安全", Answer.UNCLEAR),
        ("red.abuse", "在", Answer.YES),
        ("red.abuse", "不在", Answer.NO),
        ("parent.rage", "没受伤", Answer.NO),
        ("other.province", "不用", Answer.NO),
        ("silent.back", "方便", Answer.YES),
    ],
)
def test_plain_words_answer_as_well(key: str, text: str, meant: Answer) -> None:
    assert answer(key, text) == Read(meant)


@pytest.mark.parametrize("text", ["他回来了", "我在家", "12", "0", "7", "", "不安全感很强怎么办"])
def test_what_does_not_answer_is_left_to_be_read_as_a_text(text: str) -> None:
    assert answer("ask.safe", text) is None


@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ("ask.safe", timedelta(minutes=30)),
        ("silent.back", timedelta(minutes=30)),
        ("other.province", timedelta(hours=24)),
        ("survey", timedelta(days=7)),
    ],
)
def test_each_question_stands_for_its_time_and_is_never_guessed_after(key: str, valid: timedelta) -> None:
    assert answer(key, "1", valid - timedelta(seconds=1)) is not None
    assert answer(key, "1", valid) == Read(None, expired=True)


def test_an_ordinary_text_after_the_time_is_not_an_expired_answer() -> None:
    assert answer("ask.safe", "我想问补助", timedelta(hours=2)) is None


def test_without_a_question_a_digit_answers_nothing() -> None:
    assert read_digit(None, "1", NOW) is None
    assert ask("greet", NOW) is None


def test_what_the_assistant_asked_is_read_by_the_assistant() -> None:
    assert read_digit(Standing(Kind.ASSISTANT, "", NOW + timedelta(hours=1)), "1", NOW) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("5", Read(Answer.STARS, 5)),
        ("1", Read(Answer.STARS, 1)),
        ("4满意", Read(Answer.STARS, 4)),
        ("很满意", Read(Answer.STARS, 5)),
        ("不满意", Read(Answer.STARS, 2)),
        ("5星", Read(Answer.STARS, 5)),
        ("没解决", Read(Answer.UNRESOLVED)),
        ("根本没有解决", Read(Answer.UNRESOLVED)),
        ("还没解决！", Read(Answer.UNRESOLVED)),
        ("6", None),
        ("0", None),
        ("5不满意", None),
        ("谢谢你们", None),
    ],
)
def test_the_survey_takes_stars_words_and_not_solved(text: str, read: Read | None) -> None:
    assert answer("survey", text) == read


@pytest.mark.parametrize(
    ("key", "said", "danger"),
    [
        ("ask.safe", Answer.NO, True),
        ("ask.safe", Answer.YES, False),
        ("red.abuse", Answer.YES, True),
        ("red.abuse", Answer.NO, False),
        ("red.suicide", Answer.YES, True),
        ("survey", Answer.STARS, False),
    ],
)
def test_some_answers_say_that_the_danger_is_now(key: str, said: Answer, danger: bool) -> None:
    assert means_danger(key, said) is danger


def test_a_danger_question_replaces_any_other_and_yields_only_to_danger() -> None:
    survey, danger = ask("survey", NOW), ask("ask.safe", NOW)
    assert may_replace(Kind.DANGER, survey, NOW)
    assert not may_replace(Kind.SURVEY, danger, NOW)
    assert may_replace(Kind.DANGER, danger, NOW)
    assert may_replace(Kind.SURVEY, danger, NOW + timedelta(minutes=31))
    assert may_replace(Kind.SURVEY, None, NOW)


def test_a_lone_digit_is_seen_in_any_spelling() -> None:
    assert all(is_digit(text) for text in ["1", "２", "①", " 3。", "选1", "5星"])
    assert not any(is_digit(text) for text in ["12", "一", "", "1岁"])


@given(st.sampled_from(sorted(ASKS)), st.text(max_size=60))
def test_no_text_makes_it_fail(key: str, text: str) -> None:
    read_digit(ask(key, NOW), text, NOW)
