"""The ledger of a broadcast is cut from its audience: each number once, in the order of sending, in lanes.

All is one transaction beside the ledger's other partitions, attached at its end, so a broadcast has a whole ledger or none; and
only if nobody changed the draft meanwhile. The plan of waves is `waves.plan`; who is the pilot is told by the lowest blind
indexes, which are as good as drawn by lot and the same each time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import (
    ColumnElement,
    Integer,
    SmallInteger,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
)  # fmt: skip
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import engine, notify, transaction
from sms_gateway.errors import BadInput, Conflict, HotlineError

from . import acts, segments, waves
from .lifecycle import Status
from .models import (
    Broadcast,
    BroadcastChunk,
    BroadcastLane,
    BroadcastTally,
    BroadcastUnknown,
)
from .recipients import State
from .roll_models import RollNumber
from .rolls import RollNotFound
from .segments import RollIsNotReady, Segment
from .waves import Wave

log = logs.get("broadcasts")
FILLFACTOR = 70
"""Per cent of a ledger's page that is filled at first: a row is written anew by its claim, its sending and its receipt, and finds
room on its own page each time (HOT), so that no index is touched.
"""
BROKE = "准备时出了错，请再试一次。"


class NobodyToText(BadInput):
    sentence = "选的人群里一个号码也没有。"


class LedgerIsBeingRead(Conflict):
    retryable = True
    sentence = "这条群发的名单正被读取，请过一会儿再试。"


class DraftChanged(HotlineError):
    """Somebody changed it while it was prepared; whoever did has asked for it anew."""

    status_code = 409
    sentence = "准备时有人改了这条群发，会按新的再准备一次。"


@dataclass(frozen=True)
class _Draft:
    id: int
    segment: Segment
    pilot: int
    county: str | None


async def run(broadcast_id: int) -> bool:
    """Prepare the draft, which ends `ready`, or `failed` with an event that tells why. False: it is no draft (any more).

    Twice is as good as once; a second run waits for the first.
    """
    async with _alone(broadcast_id):
        try:
            async with transaction() as session:
                draft = await _begin(session, broadcast_id)
            if draft is None:
                return False
            async with transaction() as session:
                await _fill(session, draft)
        except DraftChanged:
            return False
        except (BadInput, RollNotFound, RollIsNotReady) as refused:
            await _fail(broadcast_id, refused.sentence)
        return True


async def give_up(broadcast_id: int) -> None:
    """Nobody will try again: say so to the editor."""
    await _fail(broadcast_id, BROKE)


@asynccontextmanager
async def _alone(broadcast_id: int) -> AsyncIterator[None]:
    key = func.hashtext("broadcasts.prepare"), cast(broadcast_id, Integer)
    async with engine().connect() as connection:
        await connection.scalar(select(func.pg_advisory_lock(*key)))
        await connection.commit()
        try:
            yield
        finally:
            await connection.scalar(select(func.pg_advisory_unlock(*key)))


async def _begin(session: AsyncSession, broadcast_id: int) -> _Draft | None:
    """Mark it, and drop what an earlier run made: in a short transaction, as that locks every ledger."""
    row = await session.get(Broadcast, broadcast_id, with_for_update=True)
    if row is None or row.status != Status.DRAFT or row.prepared == "ready":
        log.info("not_prepared", broadcast_id=broadcast_id)
        return None
    row.prepared, row.total, row.duplicates, row.waves = "preparing", 0, 0, []
    await drop_ledger(session, broadcast_id)
    await notify(session, "hotline_broadcast", str(broadcast_id))
    return _draft_of(row)


def _draft_of(row: Broadcast) -> _Draft:
    return _Draft(row.id, Segment.from_data(row.audience), row.pilot, row.first_county)


async def drop_ledger(session: AsyncSession, broadcast_id: int, *, wait_ms: int = 3000) -> None:
    """Take its recipients, lanes and counts away. Raises `LedgerIsBeingRead` when a long query holds the ledgers.

    The lock is waited for shortly: all that is being sent would queue up behind it.
    """
    await session.execute(text(f"SET LOCAL lock_timeout = {int(wait_ms)}"))
    try:
        await session.execute(text(f"DROP TABLE IF EXISTS {table_of(broadcast_id)}"))
    except OperationalError:
        raise LedgerIsBeingRead from None
    await session.execute(text("SET LOCAL lock_timeout = 0"))
    for table in (BroadcastLane, BroadcastTally, BroadcastChunk, BroadcastUnknown):
        await session.execute(delete(table).where(table.broadcast_id == broadcast_id))


def table_of(broadcast_id: int) -> str:
    """The partition's name."""
    return f"broadcast_recipients_{int(broadcast_id)}"


async def _fill(session: AsyncSession, draft: _Draft) -> None:
    """Everything else, in one transaction. Raises `NobodyToText`, `DraftChanged`, and what `segments.check` raises."""
    await segments.check(session, draft.segment)
    await session.execute(text("SET LOCAL work_mem = '64MB'"))
    await session.execute(text("SET LOCAL maintenance_work_mem = '128MB'"))
    counted = await segments.count_exactly(session, draft.segment)
    total = sum(counted.values())
    if not total:
        raise NobodyToText
    plan = waves.plan(
        {region or None: times for region, times in counted.items()}, county=draft.county, pilot=draft.pilot
    )
    await _write_ledger(session, draft, plan)
    lanes = await _write_lanes(session, draft.id)
    await _attach(session, draft.id)
    if sum(lanes.values()) != total:
        raise LedgerIsBeingRead  # a roll was removed under it
    await session.execute(
        insert(BroadcastTally),
        [
            {"broadcast_id": draft.id, "region": region, "state": str(State.CREATED), "change": times}
            for region, times in counted.items()
        ],
    )
    await _mark_ready(session, draft, total, [{**asdict(wave), "total": lanes.get(wave.number, 0)} for wave in plan])


async def _write_ledger(session: AsyncSession, draft: _Draft, plan: Sequence[Wave]) -> None:
    table = table_of(draft.id)
    await session.execute(
        text(
            f"CREATE TABLE {table} (LIKE broadcast_recipients INCLUDING DEFAULTS, "
            f"CONSTRAINT {table}_is_one CHECK (broadcast_id = {int(draft.id)})) WITH (fillfactor = {FILLFACTOR})"
        )
    )
    people = segments.people(draft.segment).subquery()
    place = func.row_number().over(order_by=people.c.address_index)
    placed = select(people, place.label("place")).subquery()
    waved = select(placed, _wave_of(placed.c, plan).label("wave")).subquery()
    order = func.row_number().over(order_by=(waved.c.wave, waved.c.region.collate("C"), waved.c.address_index))
    chosen = select(
        literal(draft.id), cast(order, Integer), waved.c.wave, waved.c.region, literal(str(State.CREATED)),
        waved.c.address_index, waved.c.address_sealed,
    )  # fmt: skip
    columns = ["broadcast_id", "number", "wave", "region", "state", "address_index", "address_sealed"]
    ledger = sqlalchemy.table(table, *map(sqlalchemy.column, columns))
    await session.execute(insert(ledger).from_select(columns, chosen))


def _wave_of(row: Any, plan: Sequence[Wave]) -> ColumnElement[int]:
    """The first wave that takes the row: by its place, by its region, else the last."""
    cases = [
        (row.place <= wave.limit if wave.limit is not None else row.region == wave.region, wave.number)
        for wave in plan[:-1]
    ]
    last = plan[-1].number
    return cast(case(*cases, else_=last) if cases else literal(last), SmallInteger)


async def _write_lanes(session: AsyncSession, broadcast_id: int) -> Mapping[int, int]:
    """One run of numbers for each wave and region; how many each wave has."""
    found = await session.execute(
        text(f"SELECT wave, region, min(number), max(number) FROM {table_of(broadcast_id)} GROUP BY wave, region")  # noqa: S608 - made of a number
    )
    lanes = [
        {"broadcast_id": broadcast_id, "wave": wave, "region": region, "first": first, "last": last, "next": first}
        for wave, region, first, last in found
    ]
    await session.execute(insert(BroadcastLane), lanes)
    sizes: dict[int, int] = {}
    for lane in lanes:
        sizes[lane["wave"]] = sizes.get(lane["wave"], 0) + lane["last"] - lane["first"] + 1
    return sizes


async def _attach(session: AsyncSession, broadcast_id: int) -> None:
    """Its keys, as the ledger demands them, and in: nothing is looked through any more."""
    table = table_of(broadcast_id)
    for step in (
        f"ALTER TABLE {table} ADD PRIMARY KEY (broadcast_id, number)",
        f"ALTER TABLE {table} ADD UNIQUE (broadcast_id, address_index)",
        f"ANALYZE {table}",
        f"ALTER TABLE broadcast_recipients ATTACH PARTITION {table} FOR VALUES IN ({int(broadcast_id)})",
    ):
        await session.execute(text(step))


async def _mark_ready(session: AsyncSession, draft: _Draft, total: int, plan: list[dict[str, Any]]) -> None:
    duplicates = 0
    if len(draft.segment.rolls) > 1:  # a number stands on a roll once
        wanted = select(func.count()).select_from(RollNumber).where(*segments.conditions(draft.segment))
        duplicates = (await session.scalar(wanted) or 0) - total
    row = await session.get_one(Broadcast, draft.id, with_for_update=True, populate_existing=True)
    if row.status != Status.DRAFT or row.prepared != "preparing" or _draft_of(row) != draft:
        raise DraftChanged
    row.prepared, row.prepared_at = "ready", clock.now()
    row.total, row.duplicates, row.waves = total, duplicates, plan
    await acts.note(session, row, "prepared", who=acts.MACHINE, total=total, duplicates=duplicates)


async def _fail(broadcast_id: int, sentence: str) -> None:
    async with transaction() as session:
        row = await session.get(Broadcast, broadcast_id, with_for_update=True)
        if row is None or row.status != Status.DRAFT or row.prepared == "ready":
            return
        row.prepared = "failed"
        await acts.note(session, row, "prepare_failed", who=acts.MACHINE, why=sentence)
