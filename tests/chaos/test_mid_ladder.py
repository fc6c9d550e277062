"""Parts of the hotline end in the middle of a call: no call is lost or closed in silence, every step of the ladder is taken once."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.conftest import LADDER, ROUNDS, Call, Chaos

OUTAGE = 3.0
"""Seconds PostgreSQL is gone: longer than an interval of this ladder."""
CAUGHT_UP_WITHIN = 15.0
"""Seconds after the last step's time: a killed worker is started again and loads its models on a busy machine."""
ALL_STEPS = [0, 1, 2, 3, 4]


async def _climbs(call: Call, to: int, *, within: float) -> list[tuple[int, float]]:
    """The steps, once that one was taken."""
    until = time.monotonic() + within
    steps: list[tuple[int, float]] = []
    while True:
        with suppress(SQLAlchemyError):  # it is away just now
            steps = await call.steps()
        if steps and steps[-1][0] >= to:
            return steps
        assert time.monotonic() < until, f"stands at {steps}"
        await asyncio.sleep(0.1)


async def _went_up_every_step(call: Call) -> None:
    steps = await _climbs(call, 4, within=LADDER[-1] + CAUGHT_UP_WITHIN)
    assert [number for number, _at in steps] == ALL_STEPS, "every step, once, in order"
    for number, at in steps:
        assert at >= LADDER[number] - 0.01, "none before its time"
    assert await call.state() == {"state": "ringing", "closed": False, "by": None}


@pytest.mark.parametrize("name", ["gateway", "danger", "replies", "console", "postgres"] * ROUNDS)
async def test_a_call_goes_on_ringing_when_a_part_is_killed(chaos: Chaos, name: str) -> None:
    before = await chaos.danger()
    await before.find()
    await _climbs(before, 1, within=12)
    if name == "postgres":
        chaos.stop_postgres()
        during = await chaos.danger()  # the gateway keeps it
        await asyncio.sleep(OUTAGE)
        chaos.start_postgres()
        back = time.time()
        await during.find()
        assert time.time() - back < 5 + 3, "it rings within seconds of the database"
    else:
        chaos.kill(name)
        during = await chaos.danger()
        await during.find()
    await _went_up_every_step(before)
    await _went_up_every_step(during)
    for child in chaos.line.hotline.supervisor.kept:
        await chaos.line.hotline.supervisor.wait_ready(child, within=30)


async def test_whose_browser_is_gone_gives_the_child_back_within_twenty_seconds(chaos: Chaos) -> None:
    seat, colleague = await chaos.line.sit(), await chaos.line.sit()
    for one in (seat, colleague):
        one.open_page()
    call = await chaos.danger()
    await call.find()
    answer = await seat.do(f"/talks/{call.thread_id}/take")
    assert answer.status_code == 200, answer.text
    assert (await call.state())["by"] == seat.operator.id
    await seat.close_page()
    gone = time.time()
    while (await call.state())["state"] != "ringing":
        assert time.time() - gone < 20, "the child waits for somebody who is gone"
        await asyncio.sleep(0.2)
    while not any(
        at > gone and any(a["thread"] == call.thread_id for a in said["alarms"]) for at, said in colleague.heard
    ):
        assert time.time() - gone < 22, "nobody else's page rings"
        await asyncio.sleep(0.2)
    assert (await colleague.do(f"/talks/{call.thread_id}/take")).status_code == 200
    assert (await call.state())["by"] == colleague.operator.id
    await colleague.close_page()


async def test_two_who_take_at_once_over_http_one_wins_and_one_is_told(chaos: Chaos) -> None:
    for _ in range(3 * ROUNDS):
        first, second = await chaos.line.sit(), await chaos.line.sit()
        call = await chaos.danger()
        await call.find()
        answers = await asyncio.gather(*(seat.do(f"/talks/{call.thread_id}/take") for seat in (first, second)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        winner, loser = (first, second) if answers[0].status_code == 200 else (second, first)
        assert (await call.state())["by"] == winner.operator.id
        assert "接" in answers[(first, second).index(loser)].json()["error"]
        said = await loser.do(f"/talks/{call.thread_id}/reply", body="我在。")
        assert said.status_code == 409
