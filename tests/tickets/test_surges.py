"""What is called a surge: far above the same weekday, never a handful, never mere noise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.tickets import surges

COUNTS = st.lists(st.integers(0, 400), max_size=8)


def test_twenty_matters_on_a_weekday_that_brings_three_are_a_surge() -> None:
    found = surges.find(20, [3, 2, 4, 3, 3, 2, 5, 3])
    assert found is not None and found.usual == 3 and found.unlikely < 1e-8


@pytest.mark.parametrize(
    ("count", "before"),
    [
        (4, [0] * 8),  # too few to call
        (9, [5, 4, 6, 5, 5, 4, 6, 5]),  # not twice as many
        (8, [2, 3, 2, 3, 2, 3, 2, 3]),  # may happen
        (40, [2, 38, 5, 41, 3, 30, 4, 45]),  # a weekday that swings anyway
        (30, [1, 2, 1]),  # nobody knows yet what is usual
    ],
)
def test_few_ordinary_or_unknown_days_are_none(count: int, before: list[int]) -> None:
    assert surges.find(count, before) is None


def test_one_festival_among_the_weekdays_does_not_hide_the_next_surge() -> None:
    assert surges.find(25, [3, 2, 60, 3, 4, 2, 3, 3]) is not None


@given(st.integers(0, 400), COUNTS, st.randoms())
def test_never_below_the_least_count_and_whatever_the_order(
    count: int, before: list[int], shuffle: random.Random
) -> None:
    found = surges.find(count, before)
    again = list(before)
    shuffle.shuffle(again)
    assert surges.find(count, again) == found
    if found is not None:
        assert count >= surges.AT_LEAST and count >= surges.TIMES * found.usual
        assert surges.find(count + 1, before) is not None  # more is never less of a surge


@given(st.integers(0, 300), st.floats(0.5, 200))
def test_the_chance_is_a_chance_and_falls_with_the_count(count: int, rate: float) -> None:
    assert 0 <= surges.at_least(count + 1, rate) <= surges.at_least(count, rate) + 1e-9 <= 1 + 1e-9


@pytest.mark.parametrize("rate", [0.3, 2, 6, 20])
def test_plain_noise_is_called_a_surge_less_than_once_in_five_thousand_days(rate: float) -> None:
    draw = random.Random(7)

    def day() -> int:
        return sum(draw.random() < rate / 500 for _ in range(500))

    many = 5_000
    pool = [day() for _ in range(4_000)]
    called = sum(
        surges.find(draw.choice(pool), [draw.choice(pool) for _ in range(surges.WEEKS)]) is not None
        for _ in range(many)
    )
    assert called <= 1
