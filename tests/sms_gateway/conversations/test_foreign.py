"""Other languages and pinyin are told from Chinese, small talk and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.foreign import is_foreign, is_pinyin


@pytest.mark.parametrize(
    "text",
    [
        "how much money can an orphan get",
        "Please help me",
        "no one can help me at home",
        "ကျွန်တော့်ကို ကူညီပါ",
        "xin chào tôi cần giúp đỡ",
    ],
)
def test_another_language(text: str) -> None:
    assert is_foreign(text) and not is_pinyin(text)


@pytest.mark.parametrize("text", ["ni hao wo yao tou su", "xue xiao luan shou fei", "wo xiang wen"])
def test_pinyin(text: str) -> None:
    assert is_pinyin(text) and not is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "ok thanks",
        "TD",
        "asdfgh qwerty",
        "'; DROP TABLE messages; --",
        "my father 打 me",
        "你好",
        "",
        "😭",
        "123",
    ],
)
def test_neither(text: str) -> None:
    assert not is_foreign(text) and not is_pinyin(text)


@given(st.text())
def test_any_text_is_read_and_never_as_both(text: str) -> None:
    assert not (is_foreign(text) and is_pinyin(text))
