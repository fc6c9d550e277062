"""What an audience file may hold, and what is refused with which reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.broadcasts.numbers import Refused, read


@pytest.mark.parametrize(
    "cell",
    [
        "13800000001", "138 0000 0001", "138-0000-0001", "+8613800000001", "+86 138 0000 0001", "008613800000001",
        "8613800000001", "13800000001.0", " 13800000001 ", "１３８０００００００１", "'13800000001", "\ufeff13800000001",
    ],
)  # fmt: skip
def test_one_mobile_in_all_its_spellings_is_one_number(cell: str) -> None:
    assert read(cell) == ("+8613800000001", None)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", Refused.EMPTY), ("  ", Refused.EMPTY), ("=1+1", Refused.FORMULA), ("@SUM(A1)", Refused.FORMULA),
        ("+cmd|' /C calc'!A0", Refused.FORMULA), ("1.38E+10", Refused.ROUNDED), ("0871-63100000", Refused.LANDLINE),
        ("+1 202 555 0143", Refused.FOREIGN), ("12345", Refused.NOT_A_NUMBER), ("张三", Refused.NOT_A_NUMBER),
        ("1380000000", Refused.NOT_A_NUMBER), ("138000000011", Refused.NOT_A_NUMBER), ("12800000001", Refused.NOT_A_NUMBER),
        ("\x00\x01", Refused.EMPTY), ("9" * 500, Refused.NOT_A_NUMBER),
    ],
)  # fmt: skip
def test_what_is_no_mobile_is_refused_with_the_reason(cell: str, why: Refused) -> None:
    assert read(cell) == (None, why)


@given(st.text(max_size=60))
def test_whatever_stands_in_a_cell_there_is_a_number_or_a_reason(cell: str) -> None:
    number, why = read(cell)
    assert (number is None) != (why is None)
    if number is not None:
        assert number.startswith("+861") and len(number) == 14
