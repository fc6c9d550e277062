"""The schema in the migrations is the schema in the models, and the way back works."""

from __future__ import annotations

import psycopg
from alembic import command

from sms_gateway.migrations import config, upgrade
from sms_gateway.supervision.scratch import ScratchPostgres


def test_models_and_migrations_agree(postgres: ScratchPostgres) -> None:
    command.check(config(postgres.url("template")))  # raises when a migration is missing


def test_a_database_goes_down_and_up_again(postgres: ScratchPostgres) -> None:
    url = postgres.create("down_and_up")
    upgrade(url)
    command.downgrade(config(url), "base")
    with psycopg.connect(url) as connection:
        left = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert left == [("alembic_version",)]
    upgrade(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
