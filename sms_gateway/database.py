"""One PostgreSQL: engine, session, transaction. Doors and tasks open transactions; rooms take `session` first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, text
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from .settings import get_settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(AsyncAttrs, DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), int: BigInteger}


def database_url() -> str:
    """`postgresql://…` as libpq and psycopg read it."""
    url = get_settings().database_url
    if url is None:
        raise SystemExit("没有 HOTLINE_DATABASE_URL：用 make run 启动会自带数据库。")
    return url.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)


@lru_cache(maxsize=1)
def engine() -> AsyncEngine:
    """This process's pool. `hide_parameters`: an error's text never holds a value."""
    url = database_url().replace("postgresql://", "postgresql+psycopg://", 1)
    size = get_settings().database_pool
    return create_async_engine(
        url, hide_parameters=True, pool_size=size, max_overflow=size, pool_pre_ping=True, pool_recycle=1800,
        pool_timeout=3, connect_args={"connect_timeout": 3},  # a text goes to the spool rather than wait
    )  # fmt: skip


@lru_cache(maxsize=1)
def _sessions() -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine(), expire_on_commit=False)


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    """A session whose work is committed at the end, or rolled back on an error."""
    async with _sessions()() as session, session.begin():
        yield session


async def notify(session: AsyncSession, channel: str, payload: str) -> None:
    """Tell listeners of `channel`, once this transaction commits. Ids only."""
    await session.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})


async def dispose() -> None:
    """Close the pool and forget it (a process's end, or the next test)."""
    await engine().dispose()
    engine.cache_clear()
    _sessions.cache_clear()
