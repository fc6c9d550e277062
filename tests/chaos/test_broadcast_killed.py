"""A broadcast of 50,000 while workers, gateway and PostgreSQL are killed with -9: nobody twice, nobody missed, sums equal.

The carrier is a process of its own that remembers every text; it loses answers, doubles receipts and swaps their order meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest

from benchmarks.broadcasts_line import ALL_DAY, OutreachLine, kill, on_duty, outreach_line, until_over
from sms_gateway.broadcasts import acts, overview
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.database import transaction
from tests.broadcasts import making
from tests.chaos.server import Server

ROUNDS = int(os.environ.get("ROUNDS", "1"))
RECIPIENTS = 50_000
SECONDS_OF_SENDING = 16
FAULTS = {
    "share_answer_lost": 0.02, "share_duplicated": 0.1, "share_out_of_order": 0.1, "share_undelivered": 0.01, "bulk": True,
    "delay_seconds": 0.05, "delay_most": 0.5, "receipt_delay_most": 0.5,
}  # fmt: skip


@pytest.mark.timeout(700)
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_nobody_is_texted_twice_or_missed_whatever_is_killed(seed: int) -> None:
    chance = random.Random(f"{seed} {os.environ.get('SEED', '')}")
    async with outreach_line("gateway", "outreach", durable=True) as line:
        server = Server(line.postgres)
        try:
            await line.set_faults(**FAULTS)
            names = ["outreach", *await line.add_workers(1)]
            await on_duty()
            one = await making.make_broadcast(
                carrier_segments=RECIPIENTS / SECONDS_OF_SENDING / 0.8, reply_share=0.0, error_share=1.0, **ALL_DAY
            )
            await making.make_ledger(one, {"530627": 20_000, "530602": 25_000, "": 5_000})
            killed = await _kill_things(line, server, names, chance)
            ended = await until_over(one, within=300)
            assert ended.status == "completed", (ended.pause_reason, killed)
            await _told(line)
            await _holds(line, one, killed)
        finally:
            await line.hotline.supervisor.stop()  # before its database
            server.close()


async def _kill_things(line: OutreachLine, server: Server, workers: list[str], chance: random.Random) -> list[str]:
    """Each once at least, at random moments, while texts go out."""
    order = [*workers, "gateway", "postgres", chance.choice(workers)]
    chance.shuffle(order)
    async with asyncio.timeout(240):  # the two minutes before midnight, too
        while (await line.truth())["taken"] < RECIPIENTS // 50:
            await asyncio.sleep(0.1)
    for name in order:
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        if name == "postgres":
            server.kill()
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            server.start()
        else:
            kill(line, name)
    return order


async def _told(line: OutreachLine) -> None:
    """Every receipt is with us."""
    async with asyncio.timeout(60):
        while (found := await line.truth())["not_told"] or found["under_way"]:
            await asyncio.sleep(0.2)


async def _holds(line: OutreachLine, broadcast_id: int, killed: list[str]) -> None:
    first, last = reference_of(broadcast_id, 1), reference_of(broadcast_id, RECIPIENTS)
    truth = await line.truth(first=first, last=last)
    assert truth["numbers_twice"] == 0 and truth["references_twice"] == 0, (killed, truth)
    async with transaction() as session:
        seen = await overview.look(session, broadcast_id)
        one = await acts.get(session, broadcast_id)
    counted = await making.counted(broadcast_id)
    states: Counter[str] = Counter()
    for (_, state), n in counted.items():
        states[state] += n
    assert seen.total == one.total == RECIPIENTS == sum(states.values())
    assert dict(seen.states) == dict(states), "what was counted beside is what the ledger holds"
    assert set(states) <= {"delivered", "failed", "sent", "unknown"}, states
    missed = RECIPIENTS - truth["taken"]
    assert missed <= states["unknown"], f"{missed} were never handed over, {states}, {killed}"
    assert states["delivered"] == truth["ends"]["delivered"], (states, truth)
