"""A transaction with a deadline: what was given up is not kept, what is in time is."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import DatabaseIsSlow, in_time, transaction


async def _rows() -> int:
    async with transaction() as session:
        return await session.scalar(text("SELECT count(*) FROM noted")) or 0


async def test_what_was_given_up_is_rolled_back_even_if_it_ends_well(database: str) -> None:
    async with transaction() as session:
        await session.execute(text("CREATE TABLE noted (what integer)"))

    async def slow(session: AsyncSession) -> None:
        await session.execute(text("INSERT INTO noted VALUES (1)"))
        await session.execute(text("SELECT pg_sleep(0.6)"))

    with pytest.raises(DatabaseIsSlow):
        await in_time(slow, within=0.2)
    await asyncio.sleep(1)
    assert await _rows() == 0
    await in_time(slow, within=10)
    assert await _rows() == 1


async def test_a_commit_that_is_on_its_way_is_waited_for(database: str) -> None:
    async with transaction() as session:
        await session.execute(text("CREATE TABLE noted (what integer)"))
        wait = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$"
        await session.execute(text(wait))
        late = "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON noted DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()"
        await session.execute(text(late))

    async def quick(session: AsyncSession) -> str:
        await session.execute(text("INSERT INTO noted VALUES (1)"))
        return "done"

    assert await in_time(quick, within=0.4) == "done"
    assert await _rows() == 1
