"""Phone numbers: one spelling, and never shown whole."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.contacts.phone import NotAPhoneNumber, is_mainland_mobile, masked, parse


@pytest.mark.parametrize(
    "text",
    [
        "13800000001",
        "+8613800000001",
        "86 138 0000 0001",
        "138-0000-0001",
        "１３８００００００１".replace("１３８００００００１", "１３８０００００００１"),
        "0086 13800000001",
        " +86 138 0000 0001 ",
    ],
)
def test_one_number_has_one_spelling(text: str) -> None:
    assert parse(text) == "+8613800000001"


def test_a_number_of_another_country_keeps_its_code() -> None:
    assert parse("+95 9 000 000 0001".replace("000 000 0001", "00000000")).startswith("+95")
    assert parse("+14155550100") == "+14155550100"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "12345",
        "110",
        "abc",
        "138000000011234567890",
        "+",
        "1" * 5000,
        "13800000001x123",
        "救命",
        "\x00",
        "+86",
        "<script>",
        "13800000001;13800000002",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        parse(text)


def test_the_error_does_not_repeat_what_was_typed() -> None:
    with pytest.raises(NotAPhoneNumber) as caught:
        parse("1380000 is my number")
    assert "1380000" not in str(caught.value) + repr(caught.value) + caught.value.sentence
    assert caught.value.__cause__ is None


def test_a_mobile_is_told_from_a_landline() -> None:
    assert is_mainland_mobile("+8613800000001")
    assert not is_mainland_mobile("+868702158276")
    assert not is_mainland_mobile("+14155550100")
    assert not is_mainland_mobile("13800000001")


def test_a_masked_number_hides_the_middle() -> None:
    assert masked("+8613800000001") == "138****0001"
    assert masked("web-token-of-a-browser") == "****"
    assert masked("") == "****"


@given(st.integers(0, 99_999_999).map(lambda n: f"+86138{n:08d}"))
def test_four_digits_of_any_mobile_are_hidden(number: str) -> None:
    shown = masked(number)
    assert shown == f"138****{number[-4:]}"
    assert parse(number) == number


@given(st.text(max_size=60))
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(NotAPhoneNumber):
        assert parse(text).startswith("+")
