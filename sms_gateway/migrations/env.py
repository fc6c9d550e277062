"""Alembic's entry: one connection, one transaction a migration, a short lock time-out (a migration never blocks texts)."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from sms_gateway.migrations.models import metadata

OURS_NOT = "procrastinate_"
"""Procrastinate brings its own tables."""


def ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(OURS_NOT))


engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool, hide_parameters=True)
with engine.connect() as connection:
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        include_name=ours,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
