"""Every migration goes down and up again on tables that are filled."""

from __future__ import annotations

import asyncio

import psycopg
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import select

from sms_gateway.database import dispose, transaction
from sms_gateway.messages.models import Message
from sms_gateway.migrations import config
from sms_gateway.tickets.models import Ticket
from tests.keys import marked
from tests.telling import Person

KEPT = ("contacts", "threads", "messages", "tickets")
"""In the first schema already: nothing of them may be lost on the way down and up."""


def _counts(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in KEPT]  # type: ignore[index,arg-type]


async def test_every_step_down_and_up_again_with_rows_in_every_table(database: str, person: Person) -> None:
    filled = await marked.fill(person)
    await asyncio.to_thread(marked.fill_the_rest, database)
    await dispose()
    alembic, before = config(database), _counts(database)
    revisions = [one.revision for one in ScriptDirectory.from_config(alembic).walk_revisions()]
    for below in revisions[1:]:
        await asyncio.to_thread(command.downgrade, alembic, below)
        assert _counts(database) == before, below
    for above in reversed(revisions[:-1]):
        await asyncio.to_thread(command.upgrade, alembic, above)
        assert _counts(database) == before, above
    await asyncio.to_thread(command.check, alembic)
    async with transaction() as session:
        bodies = [one.body for one in await session.scalars(select(Message))]
        assert any(marked.MARKS["短信"] in body for body in bodies), "what was said opens as before"
        ticket = await session.get_one(Ticket, filled.ticket_id)
        assert marked.MARKS["表单"] in (ticket.answers or {})["what"]
