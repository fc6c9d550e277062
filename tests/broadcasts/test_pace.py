"""A bucket of tokens fills by the time that passed, holds a second's worth, and gives no more than there is."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from sms_gateway.broadcasts import pace
from sms_gateway.broadcasts.pacing import BURST_SECONDS
from sms_gateway.database import transaction


@pytest.mark.parametrize("tokens", [-5.0, 0.0, 0.4, 3.0, 900.0])
@pytest.mark.parametrize("elapsed", [-30.0, 0.0, 0.2, 1.0, 3600.0])
@pytest.mark.parametrize("rate", [0.0, 0.5, 100.0])
async def test_a_bucket_fills_by_the_rule_whatever_a_clock_does(
    database: str, tokens: float, elapsed: float, rate: float
) -> None:
    async with transaction() as session:
        row = text(
            "INSERT INTO outreach_pace (name, tokens, given, at)"
            " VALUES ('x', :tokens, 0, clock_timestamp() - make_interval(secs => :elapsed))"
        )
        await session.execute(row, {"tokens": tokens, "elapsed": elapsed})
        given = await pace.draw(session, "x", rate=rate, wanted=1e9, least=0.0)
    there = min(max(tokens, 0.0) + max(elapsed, 0.0) * rate, max(rate * BURST_SECONDS, 1.0))
    assert there <= given <= there + rate * 0.5 + 1e-9  # the statement itself takes a moment


async def test_many_who_draw_at_once_get_no_more_than_there_is(database: str) -> None:
    async def one() -> float:
        async with transaction() as session:
            return await pace.draw(session, "carrier:x", rate=0.0, wanted=7.0)

    async with transaction() as session:
        await session.execute(text("INSERT INTO outreach_pace VALUES ('carrier:x', 1, 0, clock_timestamp())"))
    assert sum(await asyncio.gather(*(one() for _ in range(12)))) == 1.0


async def test_less_than_the_least_is_left_to_gather(database: str) -> None:
    async with transaction() as session:
        await session.execute(text("INSERT INTO outreach_pace VALUES ('x', 4, 0, clock_timestamp())"))
        assert await pace.draw(session, "x", rate=10.0, wanted=100.0, least=8.0) == 0.0
        assert await pace.draw(session, "x", rate=10.0, wanted=100.0, least=3.0) == pytest.approx(4.0, abs=1.0)
