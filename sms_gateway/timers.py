"""Timers are rows: due at a time of our clock, claimed once, caught up after an outage."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from . import clock, tracing
from .database import Base, transaction
from .jobs import defer

CHUNK = 200


class Timer(Base):
    """`job` is the name of the task deferred with `subject_id` when the time has come."""

    __tablename__ = "timers"
    __table_args__ = (
        UniqueConstraint("job", "subject_id", "due_at"),
        Index("ix_timers_due", "due_at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    trace: Mapped[str | None] = mapped_column(String(16))
    """What it was set in; the job that is deferred belongs to the same."""


async def set_timer(session: AsyncSession, *, job: str, subject_id: int, due_at: datetime) -> None:
    """Let `job` be deferred with `subject_id` at `due_at` (once: the same timer set twice is one).

    One that went off counts anew: a job whose clock is behind the sweeper's finds nothing due and sets it again.
    """
    row = insert(Timer).values(job=job, subject_id=subject_id, due_at=due_at, trace=tracing.current())
    same = [Timer.job, Timer.subject_id, Timer.due_at]
    await session.execute(row.on_conflict_do_update(index_elements=same, set_={"done_at": None}))


async def drop_timers(session: AsyncSession, *, job: str, subject_id: int) -> None:
    """Forget the timers of `job` for `subject_id` that are not yet due."""
    pending = Timer.job == job, Timer.subject_id == subject_id, Timer.done_at.is_(None)
    await session.execute(delete(Timer).where(*pending))  # gone, so that the same one can be set again


async def sweep() -> int:
    """Defer what is due now; returns how many. Any number of processes may sweep: a row is claimed by one."""
    now = clock.now()
    async with transaction() as session:
        due = select(Timer).where(Timer.done_at.is_(None), Timer.due_at <= now).order_by(Timer.due_at).limit(CHUNK)
        timers = (await session.scalars(due.with_for_update(skip_locked=True))).all()
        for timer in timers:
            timer.done_at = now
            with tracing.within(timer.trace):
                await defer(session, timer.job, subject_id=timer.subject_id)
    return len(timers)
