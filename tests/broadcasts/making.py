"""Broadcasts and their ledgers as tests and measures need them: made by hand, without an import or a preparation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.broadcasts import addresses, completing, governing
from sms_gateway.broadcasts.models import Broadcast, BroadcastLane, BroadcastRecipient, BroadcastTally
from sms_gateway.database import transaction
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role

FIRST_NUMBER = 13_800_000_000
REGION = "530627"
_logins = count(1)


def phone(number: int) -> str:
    """The telephone number of row `number`."""
    return f"+86{FIRST_NUMBER + number}"


async def govern() -> None:
    """What workers do each second."""
    await governing.govern()
    await completing.complete_ended()


async def make_operator(*, role: Role = Role.EDITOR, login: str | None = None) -> int:
    """An account's id."""
    name = login or f"editor{next(_logins)}"
    async with transaction() as session:
        return (await accounts.add(session, login=name, name=name, role=role, password=None)).id


async def make_broadcast(*, author: int | None = None, **fields: Any) -> int:
    """A broadcast's id; `fields` are those of the model. Running unless told otherwise, without an audience yet."""
    written_by = author if author is not None else await make_operator()
    wanted = {
        "title": "开学提醒",
        "body": "{county}的家长您好，孩子有难处可以打12345。",
        "status": "running",
        "created_by": written_by,
        "created_at": clock.now(),
        "authors": [written_by],
        "rate": 1000.0,
        **fields,
    }
    async with transaction() as session:
        made = Broadcast(**wanted)
        session.add(made)
        await session.flush()
        return made.id


async def make_ledger(
    broadcast_id: int, rows: int | Mapping[str, int], *, wave: int = 0, first: int = 1, state: str = "created"
) -> None:
    """A partition with so many rows (of one region, or by region in that order), their lanes, their tallies; `ready`.

    Row n has the telephone number `phone(n)`; `first`: the first row's number. Only one call a broadcast.
    """
    by_region = {REGION: rows} if isinstance(rows, int) else dict(rows)
    async with transaction() as session:
        partition = f"CREATE TABLE broadcast_recipients_{broadcast_id} PARTITION OF broadcast_recipients"
        await session.execute(text(f"{partition} FOR VALUES IN ({broadcast_id})"))
        start = first
        for region, size in by_region.items():
            if size == 0:
                continue
            await _copy_rows(session, broadcast_id, range(start, start + size), wave=wave, region=region, state=state)
            session.add(
                BroadcastLane(
                    broadcast_id=broadcast_id, wave=wave, region=region, first=start, last=start + size - 1, next=start
                )
            )
            session.add(BroadcastTally(broadcast_id=broadcast_id, region=region, state=state, change=size))
            start += size
        broadcast = await session.get_one(Broadcast, broadcast_id)
        broadcast.total, broadcast.prepared, broadcast.prepared_at = start - first, "ready", clock.now()
        broadcast.waves = [
            {"number": wave, "region": None, "limit": None, "asks": False, "total": start - first},
        ]


async def _copy_rows(
    session: AsyncSession, broadcast_id: int, numbers: range, *, wave: int, region: str, state: str
) -> None:
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    assert raw is not None
    columns = "broadcast_id, number, wave, region, state, address_index, address_sealed"
    async with raw.cursor() as cursor, cursor.copy(f"COPY broadcast_recipients ({columns}) FROM STDIN") as copy:
        for number in numbers:
            index = addresses.index_of(phone(number))
            sealed = addresses.seal(phone(number), index)
            await copy.write_row((broadcast_id, number, wave, region, state, index, sealed))


async def states(broadcast_id: int) -> dict[int, str]:
    """The state of each row, by number."""
    wanted = select(BroadcastRecipient.number, BroadcastRecipient.state)
    async with transaction() as session:
        found = await session.execute(wanted.where(BroadcastRecipient.broadcast_id == broadcast_id))
        return {row.number: row.state for row in found}


async def recipient(broadcast_id: int, number: int) -> BroadcastRecipient:
    async with transaction() as session:
        return await session.get_one(BroadcastRecipient, (broadcast_id, number))


async def set_rows(broadcast_id: int, numbers: Mapping[int, str]) -> None:
    """Put rows into a state as a sender would, with their tallies; `suppressed:opted_out` with its reason."""
    async with transaction() as session:
        for number, state in numbers.items():
            row = await session.get_one(BroadcastRecipient, (broadcast_id, number))
            before = f"{row.state}:{row.why}" if row.why else row.state
            for changed, change in ((before, -1), (state, 1)):
                await session.execute(
                    insert(BroadcastTally).values(
                        broadcast_id=broadcast_id, region=row.region, state=changed, change=change
                    )
                )
            row.state, _, why = state.partition(":")
            row.why = why or None


async def tallies(broadcast_id: int) -> dict[tuple[str, str], int]:
    """The counts as the tallies say, by region and state; without zeros."""
    total = func.sum(BroadcastTally.change)
    wanted = select(BroadcastTally.region, BroadcastTally.state, total).group_by(
        BroadcastTally.region, BroadcastTally.state
    )
    async with transaction() as session:
        found = await session.execute(wanted.where(BroadcastTally.broadcast_id == broadcast_id))
        return {(region, state): int(total) for region, state, total in found if total}


async def counted(broadcast_id: int) -> dict[tuple[str, str], int]:
    """The counts as the ledger itself says, in the shape of `tallies`: `suppressed` with its reason."""
    row = BroadcastRecipient
    wanted = select(row.region, row.state, row.why, func.count()).group_by(row.region, row.state, row.why)
    async with transaction() as session:
        found = await session.execute(wanted.where(row.broadcast_id == broadcast_id))
        return {(region, f"{state}:{why}" if why else state): many for region, state, why, many in found}
