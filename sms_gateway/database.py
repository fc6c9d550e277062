"""One PostgreSQL: engine, session, transaction. Doors and tasks open transactions; rooms take `session` first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from sqlalchemy import BigInteger, DateTime, MetaData, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from .settings import get_settings

T = TypeVar("T")

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


GONE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""A database machine that vanished without a word is noticed within about ten seconds (libpq; the last in milliseconds)."""


@lru_cache(maxsize=1)
def engine() -> AsyncEngine:
    """This process's pool. `hide_parameters`: an error's text never holds a value."""
    url = database_url().replace("postgresql://", "postgresql+psycopg://", 1)
    size = get_settings().database_pool
    return create_async_engine(
        url, hide_parameters=True, pool_size=size, max_overflow=size, pool_pre_ping=True, pool_recycle=1800,
        pool_timeout=3, connect_args={"connect_timeout": 3, **GONE},  # a text goes to the spool rather than wait
    )  # fmt: skip


@lru_cache(maxsize=1)
def _sessions() -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine(), expire_on_commit=False)


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    """A session whose work is committed at the end, or rolled back on an error."""
    async with _sessions()() as session, session.begin():
        yield session


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be worked with just now, rather than that it will not take this row."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, (DataError, IntegrityError, NotSupportedError))
    return isinstance(error, (NoConnectionFree, OSError))  # TimeoutError is an OSError


class DatabaseIsSlow(TimeoutError):
    """It did not do what was asked in time; what it does later is not kept."""


async def in_time(work: Callable[[AsyncSession], Awaitable[T]], *, within: float) -> T:
    """Do `work` in a transaction of its own. Raises `DatabaseIsSlow` after `within` seconds, twice as many once it commits.

    A server that hangs answers no request to cancel either, so it is left behind rather than waited for: should it wake up, its
    transaction is rolled back. Only a commit that was already on its way may still happen.
    """
    late = committing = False

    async def run() -> T:
        nonlocal committing
        async with transaction() as session:
            found = await work(session)
            if late:
                raise DatabaseIsSlow
            committing = True
            return found

    task = asyncio.create_task(run())
    done, _ = await asyncio.wait({task}, timeout=within)
    if not done and committing:
        # On a busy machine it is only slow, and what is committed must not be done in another way as well.
        done, _ = await asyncio.wait({task}, timeout=within)
    if done:
        return task.result()
    late = True
    _left_behind.add(task)
    task.add_done_callback(_forget)
    raise DatabaseIsSlow


_left_behind: set[asyncio.Task[Any]] = set()


def _forget(task: asyncio.Task[Any]) -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()  # nobody asks for it any more


async def notify(session: AsyncSession, channel: str, payload: str) -> None:
    """Tell listeners of `channel`, once this transaction commits. Ids only."""
    await session.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})


async def dispose() -> None:
    """Close the pool and forget it (a process's end, or the next test)."""
    await engine().dispose()
    engine.cache_clear()
    _sessions.cache_clear()
