"""The import of a roll: from its file to a partition that is whole or not there.

The table is filled beside the rolls and attached at the very end, so nobody ever sees half a roll; a run after a crash drops
what the last one left and begins anew. `lines` = `taken` + everything in `refused`, also while it runs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import engine, notify, transaction
from sms_gateway.errors import BadInput

from . import addresses, apart, rolls
from .apart import Progress
from .numbers import Refused
from .roll_models import Roll
from .rolls import RollIsBeingRead, RollState
from .rows import Counts
from .sources import Source

EACH_SECONDS = 1.0
BROKE = "导入时出了错，请删掉这份名册再传一次。"


class NobodyTaken(BadInput):
    sentence = "没有一行是能发短信的手机号。为什么，请看下面的清单。"


async def run(roll_id: int, source: Source, *, each: Callable[[Progress], None] | None = None) -> None:
    """Import `source` into the roll, which ends `ready` or `failed` with the reason. `each`: called every second.

    Raises `ImportBroke` where another try helps, and `RollIsBeingRead` while another run is at it.
    """
    async with _alone(roll_id):
        if not await _begin(roll_id):
            return
        progress = Progress()
        try:
            await _fill(roll_id, source, progress, each)
            async with transaction() as session:
                await _finish(session, roll_id, progress.counts)
        except apart.ImportStopped:  # removed meanwhile
            async with transaction() as session:
                await rolls.drop_numbers(session, roll_id)
        except BadInput as refused:
            await _fail(roll_id, refused.sentence, progress.counts)


async def give_up(roll_id: int) -> None:
    """Nobody will try again: say so to the editor."""
    await _fail(roll_id, BROKE, Counts())


@asynccontextmanager
async def _alone(roll_id: int) -> AsyncIterator[None]:
    """Hold the roll's lock: a job that was thought dead and its second try must not fill one table."""
    key = func.hashtext("broadcasts.import_roll"), int(roll_id)
    async with engine().connect() as connection:
        if not await connection.scalar(select(func.pg_try_advisory_lock(*key))):
            raise RollIsBeingRead
        await connection.commit()
        try:
            yield
        finally:
            await connection.scalar(select(func.pg_advisory_unlock(*key)))


async def _begin(roll_id: int) -> bool:
    """An empty table beside the rolls; False when there is nothing to import (any more)."""
    async with transaction() as session:
        roll = await session.get(Roll, roll_id, with_for_update=True)
        if roll is None or roll.state not in (RollState.WAITING, RollState.IMPORTING):
            return False
        roll.state = RollState.IMPORTING
        roll.lines, roll.taken, roll.refused = 0, 0, {}
        table = rolls.table_of(roll_id)
        await rolls.drop_numbers(session, roll_id)
        # The check makes ATTACH instant; `line` tells which of two equal numbers stands first.
        await session.execute(
            text(
                f"CREATE TABLE {table} (LIKE outreach_roll_numbers, line integer NOT NULL, "
                f"CONSTRAINT {table}_is_one CHECK (roll_id = {int(roll_id)}))"
            )
        )
        await notify(session, "hotline_broadcast", f"roll:{roll_id}")
    return True


async def _fill(roll_id: int, source: Source, progress: Progress, each: Callable[[Progress], None] | None) -> None:
    """Run the processes in a thread, and tell every second how far they are."""
    running = asyncio.create_task(asyncio.to_thread(apart.run, roll_id, rolls.table_of(roll_id), source, progress))
    try:
        while not (await asyncio.wait({running}, timeout=EACH_SECONDS))[0]:
            if not await _tell(roll_id, progress):
                progress.stop.set()
            if each is not None:
                each(progress)
        await running
    finally:
        progress.stop.set()
        await asyncio.wait({running})
    if each is not None:
        each(progress)


async def _tell(roll_id: int, progress: Progress) -> bool:
    """Write how far it is; False when the roll was removed."""
    async with transaction() as session:
        roll = await session.get(Roll, roll_id, with_for_update=True)
        if roll is None or roll.state != RollState.IMPORTING:
            return False
        counts = progress.counts
        refused = dict(counts.refused)
        roll.refused = refused
        roll.taken = counts.taken
        roll.lines = counts.taken + sum(refused.values())
        await notify(session, "hotline_broadcast", f"roll:{roll_id}")
    return True


async def _finish(session: AsyncSession, roll_id: int, counts: Counts) -> None:
    """Duplicates out, the first line of each stays; then its key, and in among the rolls."""
    roll = await session.get(Roll, roll_id, with_for_update=True)
    if roll is None or roll.state != RollState.IMPORTING:
        raise apart.ImportStopped
    if not counts.taken:
        raise NobodyTaken
    table = rolls.table_of(roll_id)
    await session.execute(text("SET LOCAL work_mem = '64MB'"))
    await session.execute(text("SET LOCAL maintenance_work_mem = '128MB'"))
    await _keep_refusals(session, roll_id, counts)
    names = {addresses.group_key(name): name for name in counts.groups}
    for region, group, consented, times in await _drop_duplicates(session, roll_id, len(counts.refusals)):
        counts.taken -= times
        counts.refused[Refused.DUPLICATE] += times
        counts.regions[region] -= times
        counts.groups[names[group]] -= times
        counts.consented -= times * consented
    for step in (
        f"ALTER TABLE {table} DROP COLUMN line",
        f"ALTER TABLE {table} ADD PRIMARY KEY (roll_id, address_index)",
        f"ALTER TABLE outreach_roll_numbers ATTACH PARTITION {table} FOR VALUES IN ({int(roll_id)})",
        f"ANALYZE {table}",
    ):
        await session.execute(text(step))
    roll.state, roll.error, roll.finished_at = RollState.READY, None, clock.now()
    _write(roll, counts)
    await rolls.forget_file(session, roll_id)
    await notify(session, "hotline_broadcast", f"roll:{roll_id}")


async def _drop_duplicates(session: AsyncSession, roll_id: int, kept: int) -> list[tuple[str, str, bool, int]]:
    """Delete them; what they were, counted. As many lines are kept for the report as there is room for."""
    table = rolls.table_of(roll_id)
    found = await session.execute(
        text(
            f"""
            WITH first AS (
                SELECT address_index, min(line) AS line FROM {table} GROUP BY address_index HAVING count(*) > 1
            ), gone AS (
                DELETE FROM {table} AS t USING first
                WHERE t.address_index = first.address_index AND t.line > first.line
                RETURNING t.line, t.region, t."group", t.consented
            ), kept AS (
                INSERT INTO outreach_roll_refusals (roll_id, line, reason)
                SELECT :roll_id, line, :reason FROM gone ORDER BY line LIMIT :room
            )
            SELECT region, "group", consented, count(*) FROM gone GROUP BY 1, 2, 3
            """  # noqa: S608 - the name is made of a number
        ),
        {"roll_id": roll_id, "reason": str(Refused.DUPLICATE), "room": max(0, apart.MOST_REFUSALS - kept)},
    )
    return [(region, group, consented, times) for region, group, consented, times in found]


async def _keep_refusals(session: AsyncSession, roll_id: int, counts: Counts) -> None:
    if not counts.refusals:
        return
    lines, reasons = zip(*counts.refusals, strict=True)
    await session.execute(
        text(
            "INSERT INTO outreach_roll_refusals (roll_id, line, reason) "
            "SELECT :roll_id, line, reason FROM unnest(CAST(:lines AS bigint[]), CAST(:reasons AS text[])) AS r (line, reason)"
        ),
        {"roll_id": roll_id, "lines": list(lines), "reasons": list(reasons)},
    )


def _write(roll: Roll, counts: Counts) -> None:
    refused, regions, groups = map(_positive, (counts.refused, counts.regions, counts.groups))
    roll.refused, roll.regions, roll.groups = refused, regions, groups
    roll.taken, roll.consented, roll.lines = counts.taken, counts.consented, counts.lines


def _positive(counted: Counter[str]) -> dict[str, int]:
    return {str(key): times for key, times in counted.items() if times > 0}


async def _fail(roll_id: int, sentence: str, counts: Counts) -> None:
    async with transaction() as session:
        roll = await session.get(Roll, roll_id, with_for_update=True)
        if roll is None or roll.state not in (RollState.WAITING, RollState.IMPORTING):
            return
        roll.state, roll.error, roll.finished_at = RollState.FAILED, sentence[:200], clock.now()
        refused = dict(counts.refused)  # what was taken before the failure is taken no more: only a whole file counts
        roll.refused, roll.taken, roll.lines = refused, 0, sum(refused.values())
        await _keep_refusals(session, roll_id, counts)
        await rolls.drop_numbers(session, roll_id)
        await rolls.forget_file(session, roll_id)
        await notify(session, "hotline_broadcast", f"roll:{roll_id}")
