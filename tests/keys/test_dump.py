"""A dump of the whole database shows nothing that anybody wrote, no name and no number, in any shape."""

from __future__ import annotations

import json
import os
import re
import subprocess

import psycopg
import pytest
from sqlalchemy import text

from sms_gateway.commands.sealed_cells import sealed_columns
from sms_gateway.crypto import keyring
from sms_gateway.database import transaction
from sms_gateway.supervision.postgres import server_binaries
from tests.keys import marked
from tests.leaks import find_leaks
from tests.telling import Person

JOBS_SEEN = """
CREATE TABLE jobs_seen (args jsonb, lock text, queueing_lock text);
CREATE FUNCTION note_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO jobs_seen VALUES (NEW.args, NEW.lock, NEW.queueing_lock); RETURN NEW; END $$;
CREATE TRIGGER note_job AFTER INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION note_job();
"""


def dump(url: str) -> bytes:
    done = subprocess.run(
        [str(server_binaries() / "pg_dump"), "--format=plain", f"--dbname={url}"], capture_output=True, check=True, env={**os.environ}
    )  # fmt: skip
    return done.stdout


@pytest.fixture
async def filled(database: str, person: Person) -> str:
    """The database's address, with a mark in every sealed column."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(JOBS_SEEN)
    await marked.fill(person)
    marked.fill_the_rest(database)
    return database


async def test_a_dump_shows_no_text_no_name_and_no_number(filled: str) -> None:
    whole = dump(filled)
    assert b"COPY public.messages" in whole and b"thread-" in whole
    assert find_leaks(whole, marked.SECRETS) == []


async def test_every_sealed_column_holds_a_mark_that_the_search_would_find_in_the_clear(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        unmarked = {column.name for column in sealed_columns() if not marked.marks_in(connection, column)}
    assert unmarked == set()


@pytest.mark.parametrize("column", ["messages.body_sealed", "contacts.address_sealed", "broadcasts.title_sealed"])
async def test_a_column_left_in_the_clear_is_found(filled: str, column: str) -> None:
    table, name = column.split(".")
    async with transaction() as session:
        rows = (await session.execute(text(f"SELECT id, uid, {name} FROM {table} WHERE {name} IS NOT NULL"))).all()
        for row, uid, sealed in rows:
            plain = keyring().open(bytes(sealed), f"{table}.{name}:{uid.hex}".encode())
            await session.execute(
                text(f"UPDATE {table} SET {name} = :plain WHERE id = :id"), {"plain": plain, "id": row}
            )
    assert find_leaks(dump(filled), marked.SECRETS) != []


async def test_jobs_carry_ids_only(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        seen = connection.execute("SELECT args, lock, queueing_lock FROM jobs_seen").fetchall()
    assert len(seen) > 5
    for args, lock, queueing_lock in seen:
        trace = args.pop("trace", "0")  # one random id from the text to its reply (`tracing`)
        assert re.fullmatch(r"[0-9a-f]{1,16}", trace), json.dumps(args)
        assert all(type(value) is int for value in args.values()), json.dumps(args)
        assert lock is None or lock.partition(":")[2].isdigit(), lock
        assert queueing_lock is None
