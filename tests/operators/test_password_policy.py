"""Passwords that are taken and that are not."""

from __future__ import annotations

import pytest

from sms_gateway.operators.password_policy import COMMON, PasswordIsWeak, check


@pytest.mark.parametrize(
    "password",
    [
        "a long password of the tests", "我家门口有两棵枣树一棵", "x7-Kq.82-mPz", "correct horse battery", "云南的云很低很低很低啊你看",
    ],
)  # fmt: skip
def test_a_sentence_of_ones_own_is_taken(password: str) -> None:
    check(password + "吗？" if len(password) < 12 else password, login="zhangsan", name="张三")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("一二三四五六七八九十百", "12 位"),
        ("short", "12 位"),
        ("a" * 201, "200 位"),
        ("aaaaaaaaaaaaaa", "常见"),
        ("121212121212", "常见"),
        ("Password2026!!", "常见"),
        ("!!123iloveyou", "常见"),
        ("qwertyqwerty", "常见"),
        ("my ZhangSan likes tea", "账号或姓名"),
        ("今天天气好张三去喝茶了吗", "账号或姓名"),
    ],
)
def test_what_is_guessed_first_is_refused_with_a_reason(password: str, says: str) -> None:
    with pytest.raises(PasswordIsWeak) as caught:
        check(password, login="zhangsan", name="张三")
    assert says in caught.value.sentence


def test_every_common_password_of_twelve_signs_or_more_is_refused() -> None:
    long_ones = [word for word in COMMON.read_text(encoding="utf-8").split("\n") if len(word) >= 12]
    assert len(long_ones) > 100
    for word in long_ones:
        with pytest.raises(PasswordIsWeak):
            check(word, login="zhangsan", name="张三")
