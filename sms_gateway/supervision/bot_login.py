"""Rasa's own login to the database: it reads and writes its trackers, and nothing else that lies there."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

NAME = "hotline_bot"
TABLE = "bot_trackers"
TRIES = 5
"""Two hotlines that start at once on one server change the same role: the second tries again."""


def make(url: str) -> str | None:
    """Make the login on the migrated database `url` names (its owner's address); its own address, as libpq reads it.

    None where the owner may not make logins (a database somebody else keeps): Rasa then has the owner's.
    The password is derived from the owner's, so that there is nothing more to keep.
    """
    said = conninfo_to_dict(url)
    password = _derived(str(said.get("password") or ""))
    for _ in range(TRIES):
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                _grant(connection, password)
        except errors.InsufficientPrivilege:
            return None
        except (errors.InternalError, errors.UniqueViolation, errors.DuplicateObject):
            continue  # "tuple concurrently updated"
        return make_conninfo(url, user=NAME, password=password)
    return None


def _grant(connection: psycopg.Connection, password: str) -> None:
    there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (NAME,)).fetchone()
    word = sql.SQL("ALTER" if there is not None else "CREATE")
    role, secret = sql.Identifier(NAME), sql.Literal(password)
    rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 40 PASSWORD")
    connection.execute(sql.SQL("{} ROLE {} {} {}").format(word, role, rights, secret))
    _let_in(connection)


def _let_in(connection: psycopg.Connection) -> None:
    """Rights are of the database, not of the login: one that was restored has none of them, its schema included."""
    role = sql.Identifier(NAME)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    connection.execute(
        sql.SQL("GRANT SELECT, INSERT, UPDATE ON {} TO {}").format(sql.Identifier("public", TABLE), role)
    )


def let_in_again(url: str) -> bool:
    """After a restore: the login, where the server has it, reads and writes its trackers again. False: grant them by hand."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (NAME,)).fetchone() is None:
            return False
        with suppress(errors.InsufficientPrivilege):
            _let_in(connection)
            return True
    return False


def _derived(owners: str) -> str:
    return hmac.new(owners.encode(), b"hotline bot login", hashlib.sha256).hexdigest()
