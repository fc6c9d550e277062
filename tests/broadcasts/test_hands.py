"""Hands: never more at once than there are, nothing left lying, an error is the caller's."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.broadcasts.hands import Hands


@given(count=st.integers(1, 8), callers=st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_everything_is_done_once_and_never_more_at_once_than_hands(count: int, callers: list[int]) -> None:
    at_once = most = 0

    async def do(piece: int) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return piece

    async def all_of_them() -> list[list[int]]:
        hands = Hands(count)
        return await asyncio.gather(*(hands.each(range(size), do) for size in callers))

    done = asyncio.run(all_of_them())
    assert [sorted(one) for one in done] == [list(range(size)) for size in callers]
    assert most <= count


async def test_an_error_reaches_its_caller_and_nobody_elses_work_stops() -> None:
    async def do(piece: int) -> int:
        await asyncio.sleep(0)
        if piece == 3:
            raise LookupError
        return piece

    hands = Hands(2)
    wrong, fine = await asyncio.gather(hands.each(range(5), do), hands.each([7, 8], do), return_exceptions=True)
    assert isinstance(wrong, LookupError)
    assert fine == [7, 8]
    with pytest.raises(LookupError):
        await hands.each([3], do)
