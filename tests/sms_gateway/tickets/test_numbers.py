"""Ticket numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.tickets.numbers import find_number, new_number, tail


@given(st.integers(0, 89_999_999))
def test_a_number_has_eight_digits_and_does_not_begin_with_zero(drawn: int) -> None:
    number = new_number(lambda bound: drawn if bound == 90_000_000 else -1)
    assert len(number) == 8 and number.isdigit() and number[0] != "0"


def test_the_smallest_and_the_largest_number() -> None:
    assert new_number(lambda bound: 0) == "10000000"
    assert new_number(lambda bound: bound - 1) == "99999999"


def test_two_numbers_differ() -> None:
    assert len({new_number() for _ in range(200)}) > 190


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("查12345678", "12345678"),
        ("单号：12345678。", "12345678"),
        ("13800000001", None),
        ("01234567", None),
        ("进度", None),
    ],
)
def test_a_number_is_found_in_a_text_but_a_phone_number_is_none(text: str, number: str | None) -> None:
    assert find_number(text) == number


def test_only_the_tail_is_shown() -> None:
    assert tail("12345678") == "678"
