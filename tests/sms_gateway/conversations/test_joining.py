"""Which part of a long text waits for the next, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.joining import is_unfinished, joined, timer_at, wait_until

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=4)


@pytest.mark.parametrize("text", ["字" * 65, "我想问一下，", "学校收了钱以后老师说因为", "要交的东西：", "😀" * 33])
def test_more_may_follow(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize(
    "text", ["字" * 64, "学校乱收费", "我们", "在", "，", "", "孤儿每个月能领多少钱？", "一共收了两次。"]
)
def test_a_finished_text_does_not_wait(text: str) -> None:
    assert not is_unfinished(text)


def test_the_wait_is_four_seconds_after_the_last_part_and_has_an_end() -> None:
    assert wait_until(AT, AT, WINDOW) == AT + WINDOW
    assert wait_until(AT, AT + timedelta(seconds=11), WINDOW) == AT + timedelta(seconds=12)
    assert timer_at(AT + WINDOW, AT) == AT + timedelta(seconds=3)


@given(st.lists(st.text(alphabet="我要问一下，。", min_size=1), min_size=1, max_size=4))
def test_no_word_of_any_part_is_lost(parts: list[str]) -> None:
    assert joined(parts).replace(" ", "") == "".join(parts)
