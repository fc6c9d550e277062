"""When something that must be done again and again was last done: a backup, a purge. One row each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import Base


class What(StrEnum):
    BACKUP = "backup"
    PURGE = "purge"


class LastDone(Base):
    """The last time `what` came to a good end."""

    __tablename__ = "last_done"

    what: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[datetime]


async def note(session: AsyncSession, what: What) -> None:
    """It has just come to a good end."""
    row = insert(LastDone).values(what=what, at=clock.now())
    await session.execute(row.on_conflict_do_update(index_elements=["what"], set_={"at": row.excluded.at}))


async def load(session: AsyncSession) -> dict[str, datetime]:
    """Each thing that was ever done, and when."""
    found = await session.execute(select(LastDone.what, LastDone.at))
    return dict(found.all())
