"""The one LISTEN connection of a process: it tells everybody who asked, and says when it may have missed something."""

from __future__ import annotations

import asyncio

import psycopg

from sms_gateway.database import notify, transaction
from sms_gateway.listening import MISSED, Heard, listen, subscribe


async def say(channel: str, payload: str) -> None:
    async with transaction() as session:
        await notify(session, channel, payload)


async def started(*subscribers: Heard) -> None:
    for heard in subscribers:
        assert await heard.wait(within=5) == {MISSED}


async def test_everybody_hears_what_they_asked_for_and_nothing_else(database: str) -> None:
    async with subscribe("hotline_a") as every, subscribe("hotline_a", "7") as one, subscribe("hotline_b") as elsewhere:
        await started(every, one, elsewhere)
        await say("hotline_a", "6")
        await say("hotline_a", "7")
        assert await one.wait(within=5) == {"7"}
        heard = await every.wait(within=5)
        while heard != {"6", "7"}:
            heard |= await every.wait(within=5)
        assert await elsewhere.wait(within=0.2) == frozenset()


async def test_a_lost_connection_is_made_again_and_everybody_told_to_read_again(database: str) -> None:
    async with subscribe("hotline_a") as heard:
        await started(heard)
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            await other.execute(mine)
        assert await heard.wait(within=10) == {MISSED}
        await say("hotline_a", "9")
        assert await heard.wait(within=5) == {"9"}


async def test_a_channel_asked_for_later_is_heard_too(database: str) -> None:
    async with subscribe("hotline_a") as first:
        await started(first)
        async with subscribe("hotline_late") as late:
            await started(late)
            await say("hotline_late", "1")
            assert await late.wait(within=5) == {"1"}


async def test_all_listeners_share_one_connection_and_the_last_one_closes_it(database: str) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:

        async def connections() -> int:
            row = await (await other.execute(count)).fetchone()
            assert row is not None
            return int(row[0])

        async with subscribe("hotline_a") as first, subscribe("hotline_a") as second:
            await started(first, second)
            assert await connections() == 1
        for _ in range(50):
            if not await connections():
                break
            await asyncio.sleep(0.05)
        assert await connections() == 0


async def test_listen_gives_payloads_one_by_one(database: str) -> None:
    payloads = listen("hotline_a")
    assert await anext(payloads) == MISSED
    await say("hotline_a", "5")
    assert await anext(payloads) == "5"
    await payloads.aclose()  # type: ignore[attr-defined]
