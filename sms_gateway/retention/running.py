"""The daily purge: one machine at a time, in batches, resumable, bounded in time; one audit row a day with what went.

Every batch is a transaction of its own under an advisory lock, with the run's row in it: a crash loses no count and
repeats no batch. What does not fit into the day's minutes is the next day's.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from time import monotonic

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, last_done, logs
from sms_gateway.clock import shanghai
from sms_gateway.database import transaction
from sms_gateway.operators import presence
from sms_gateway.settings import get_settings

from . import clock_doubts, one_at_a_time, people
from . import periods as table
from .clock_doubts import Doubt
from .models import RetentionRun
from .periods import Periods
from .steps import STEPS

log = logs.get("retention")

BEGINS = timedelta(hours=2)
"""After Shanghai's midnight, when few write. A machine that was off then begins when it is back."""
SLICE = 20.0
"""Seconds of work at a time; then whatever else the worker does has its turn."""
AUDITED_AS = "retention_run"
HALF_WRITTEN = ("spool/*.making", "export-*")
"""What a power cut leaves in DATA_DIR: a spooled text that was never acknowledged, an export nobody fetched."""


def day_of_run() -> date:
    """The day whose purge is due by now."""
    return shanghai(clock.now() - BEGINS).date()


async def sweep() -> Counter[str]:
    """A slice of today's purge; nothing once it has ended, or while the clock is in doubt. Any number of processes may try."""
    async with transaction() as session:
        why = await doubt(session)
    if why is not None:
        log.error("retention_held", why=str(why), day=str(day_of_run()))
        return Counter()
    return await go_on()


async def doubt(session: AsyncSession, *, confirmed: bool = False) -> Doubt | None:
    """Why today's purge must not begin. `confirmed`: a person says that the date is right."""
    today = day_of_run()
    newest = select(func.max(RetentionRun.day)).where(RetentionRun.day <= today)
    return clock_doubts.doubt(
        here=clock.now(), database=(await session.execute(select(func.clock_timestamp()))).scalar_one(), today=today,
        last=await session.scalar(newest), later=await session.scalar(select(exists().where(RetentionRun.day > today))) or False,
        confirmed=confirmed,
    )  # fmt: skip


async def go_on() -> Counter[str]:
    """A slice of today's purge, whatever the clock says."""
    forget_files()
    async with transaction() as session:
        await people.forget_numbers(session)
    return await run(seconds=SLICE)


async def run(*, seconds: float | None = None) -> Counter[str]:
    """Go on with today's purge for so long (None: to its end); by kind what went now. Raises `PeriodsAreWrong`."""
    periods, began = table.load(), monotonic()
    done: Counter[str] = Counter()
    while seconds is None or monotonic() - began < seconds:
        went = await _one_batch(periods)
        if went is None:
            break
        done += went
    return done


async def _one_batch(periods: Periods) -> Counter[str] | None:
    """The next batch; None: the day's purge is over, or another machine is at it."""
    began = monotonic()
    async with transaction() as session:
        if not await one_at_a_time.try_to_take(session):
            return None
        one = await _todays(session)
        if one.ended_at is not None:
            return None
        went = await STEPS[one.step].act(session, periods)
        if not went:
            one.step += 1
        one.counts = dict(Counter(one.counts) + went)
        one.seconds += monotonic() - began
        one.cut = one.step < len(STEPS) and one.seconds >= get_settings().retention_minutes * 60
        if one.cut or one.step >= len(STEPS):
            await _end(session, one)
    return went


async def _todays(session: AsyncSession) -> RetentionRun:
    today = day_of_run()
    row = insert(RetentionRun).values(day=today, started_at=clock.now(), seconds=0, cut=False, step=0, counts={})
    await session.execute(row.on_conflict_do_nothing())
    return await session.get_one(RetentionRun, today, with_for_update=True)


async def _end(session: AsyncSession, one: RetentionRun) -> None:
    one.ended_at = clock.now()
    await last_done.note(session, last_done.What.PURGE)
    said = said_of(one.counts) + ("；时间到了，明天接着做" if one.cut else "")
    await presence.note(session, operator_id=None, what=AUDITED_AS, subject=f"retention:{one.day}", detail=said)
    log.info("retention_run_ended", day=str(one.day), cut=one.cut, seconds=round(one.seconds, 1), **one.counts)


def said_of(counts: Mapping[str, int]) -> str:
    """Counts by kind in one line."""
    return "，".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "没有到期的"


async def look(session: AsyncSession) -> Counter[str]:
    """What would go now, by kind; nothing is changed. Run it in a READ ONLY transaction."""
    periods = table.load()
    found: Counter[str] = Counter()
    for step in STEPS:
        found += await step.due(session, periods)
    return found


async def list_runs(session: AsyncSession, *, limit: int = 14) -> list[RetentionRun]:
    """The newest first."""
    return list(await session.scalars(select(RetentionRun).order_by(RetentionRun.day.desc()).limit(limit)))


def forget_files() -> int:
    """Half-written files of this machine, a day old; how many went."""
    keep = table.load().keep("files").rough_days * 86400
    old, data = clock.wall_seconds() - keep, get_settings().data_dir
    found = [path for pattern in HALF_WRITTEN for path in data.glob(pattern) if path.lstat().st_mtime < old]
    for path in found:
        _remove(path)
    return len(found)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
