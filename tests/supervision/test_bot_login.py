"""What Rasa's login may do in the database, and what it may not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from sms_gateway.supervision import bot_login


def test_rasa_keeps_its_trackers_and_reads_nothing_else(database: str) -> None:
    own = bot_login.make(database)
    assert own is not None and bot_login.make(database) == own, "again, it is the same"
    with psycopg.connect(own, autocommit=True) as rasa:
        rasa.execute("INSERT INTO bot_trackers (sender, sealed, updated_at) VALUES ('thread-1', '\\x00', now())")
        rasa.execute("UPDATE bot_trackers SET sealed = '\\x01' WHERE sender = 'thread-1'")
        assert rasa.execute("SELECT count(*) FROM bot_trackers").fetchone() == (1,)
        others = psycopg.connect(database).execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'bot_trackers'"
        )
        tables = [name for (name,) in others.fetchall()]
        assert {"messages", "contacts", "operators", "tickets"} <= set(tables)
        for table in tables:
            for deed in (f"SELECT FROM {table} LIMIT 1", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    rasa.execute(deed)
        for deed in (
            "DELETE FROM bot_trackers", "CREATE TABLE x (y int)", "CREATE ROLE z", "COPY bot_trackers TO PROGRAM 'cat'", "SELECT pg_read_file('/etc/passwd')",
        ):  # fmt: skip
            with pytest.raises(errors.InsufficientPrivilege):
                rasa.execute(deed)


def test_two_that_start_at_once_make_one_login(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(bot_login.make, [database] * 4))
    assert len(set(made)) == 1 and made[0] is not None


def test_where_the_owner_may_not_make_logins_rasa_has_the_owners(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS poor")
        owner.execute("CREATE ROLE poor LOGIN PASSWORD 'poor-password-of-a-test'")
    poor = psycopg.conninfo.make_conninfo(database, user="poor", password="poor-password-of-a-test")
    assert bot_login.make(poor) is None
