"""Rolls (名册) from upload to removal. What is in the file is read by `importing`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import keyring
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.jobs import defer
from texts.normalise import clean

from .lifecycle import ENDED
from .models import Broadcast
from .roll_models import Roll, RollPart, RollRefusal
from .sources import OVERHEAD, PART_BYTES, place_of_part

MOST_BYTES = 4 << 30
"""Of an uploaded file: 50 million lines of 80 bytes."""
ABANDONED_AFTER = timedelta(days=1)
LONGEST_TITLE = 80


class RollState(StrEnum):
    WAITING = "waiting"
    """Made; its file is being uploaded, or its import has not begun."""
    IMPORTING = "importing"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"


class RollNotFound(NotFound):
    sentence = "没有这份名册。"


class RollHasNoTitle(BadInput):
    sentence = "请给名册起个名字，最多 80 个字。"


class RollIsClosed(Conflict):
    sentence = "这份名册已经开始导入，不能再传文件。"


class PartsAreMissing(BadInput):
    sentence = "文件没有传完整，请再传一次。"


class FileIsTooLarge(BadInput):
    sentence = "文件超过 4 GB，请分成几份。"


class RollIsInUse(Conflict):
    sentence = "有群发正在用这份名册，先取消那条群发或换掉它的名册。"


class RollIsBeingRead(Conflict):
    retryable = True
    sentence = "这份名册正被读取，请过一会儿再试。"


async def create(session: AsyncSession, *, title: str, created_by: int | None, file_size: int | None = None) -> Roll:
    """A roll that waits for its file. Raises `RollHasNoTitle`, `FileIsTooLarge`."""
    title = clean(title)
    if not 0 < len(title) <= LONGEST_TITLE:
        raise RollHasNoTitle
    if file_size is not None and file_size > MOST_BYTES:
        raise FileIsTooLarge
    roll = Roll(
        title=title, created_by=created_by, created_at=clock.now(), state=RollState.WAITING, file_size=file_size
    )
    session.add(roll)
    await session.flush()
    return roll


async def add_part(session: AsyncSession, *, roll_id: int, part: int, data: bytes) -> None:
    """Keep a piece of the file, sealed. Pieces count from 0 and hold `PART_BYTES`, the last one less; one sent twice
    takes its own place. Raises `RollNotFound`, `RollIsClosed`, `FileIsTooLarge`, `PartsAreMissing` for a piece that cannot be.
    """
    roll = await get(session, roll_id, lock=True)
    if roll.state != RollState.WAITING:
        raise RollIsClosed
    if not 0 < len(data) <= PART_BYTES or part < 0:
        raise PartsAreMissing
    if part * PART_BYTES + len(data) > MOST_BYTES:
        raise FileIsTooLarge
    sealed = keyring().seal(data, place_of_part(roll_id, part))
    added = insert(RollPart).values(roll_id=roll_id, part=part, sealed=sealed)
    await session.execute(
        added.on_conflict_do_update(index_elements=["roll_id", "part"], set_={"sealed": added.excluded.sealed})
    )


async def start(session: AsyncSession, *, roll_id: int) -> Roll:
    """The file is here whole: let it be imported. A second call does nothing.

    Raises `RollNotFound`, `RollIsClosed` for a roll that is over, `PartsAreMissing` where a piece lacks or the size is not the announced.
    """
    roll = await get(session, roll_id, lock=True)
    if roll.state == RollState.IMPORTING:
        return roll
    if roll.state != RollState.WAITING:
        raise RollIsClosed
    size = func.octet_length(RollPart.sealed) - OVERHEAD
    count, last, whole, total = (
        await session.execute(
            select(
                func.count(), func.max(RollPart.part), func.count().filter(size == PART_BYTES), func.sum(size)
            ).where(RollPart.roll_id == roll_id)
        )
    ).one()
    if not count or last != count - 1 or whole < count - 1:
        raise PartsAreMissing
    if roll.file_size not in (None, int(total)):
        raise PartsAreMissing
    roll.file_size = int(total)
    roll.state = RollState.IMPORTING
    await session.flush()
    await defer(session, "broadcasts.import_roll", roll_id=roll_id)
    return roll


async def get(session: AsyncSession, roll_id: int, *, lock: bool = False) -> Roll:
    """The roll, as it stands in the database now. Raises `RollNotFound`, also for one that is removed."""
    query = select(Roll).where(Roll.id == roll_id).execution_options(populate_existing=True)
    roll = await session.scalar(query.with_for_update() if lock else query)
    if roll is None or roll.state == RollState.REMOVED:
        raise RollNotFound
    return roll


async def list_rolls(session: AsyncSession, *, limit: int = 200) -> list[Roll]:
    """The newest first, removed ones left out."""
    query = select(Roll).where(Roll.state != RollState.REMOVED).order_by(Roll.id.desc()).limit(limit)
    return list(await session.scalars(query))


async def refusals(session: AsyncSession, roll_id: int) -> AsyncIterator[tuple[int, str]]:
    """Line and `numbers.Refused` of what was not taken, by line; at most `apart.MOST_REFUSALS` of them are kept."""
    query = (
        select(RollRefusal.line, RollRefusal.reason).where(RollRefusal.roll_id == roll_id).order_by(RollRefusal.line)
    )
    async for line, reason in await session.stream(query.execution_options(yield_per=2000)):
        yield line, reason


async def remove(session: AsyncSession, *, roll_id: int, wait_ms: int = 3000) -> None:
    """Drop its numbers for good; an import at work stops. Raises `RollNotFound`, `RollIsInUse`, `RollIsBeingRead`."""
    roll = await get(session, roll_id, lock=True)
    audience = Broadcast.audience
    uses = select(Broadcast.id).where(
        Broadcast.status.not_in(ENDED),
        or_(audience["rolls"].contains([roll_id]), audience["without"].contains([roll_id])),
    )
    if await session.scalar(uses.limit(1)) is not None:
        raise RollIsInUse
    importing = roll.state == RollState.IMPORTING
    roll.state = RollState.REMOVED
    await session.flush()
    await forget_file(session, roll_id)
    await session.execute(delete(RollRefusal).where(RollRefusal.roll_id == roll_id))
    if not importing:  # else the import sees it within a second and drops what it made
        await drop_numbers(session, roll_id, wait_ms=wait_ms)


async def forget_file(session: AsyncSession, roll_id: int) -> None:
    """Delete the pieces of its file."""
    await session.execute(delete(RollPart).where(RollPart.roll_id == roll_id))


async def forget_abandoned(session: AsyncSession) -> int:
    """Remove rolls whose file was never sent whole, a day after; how many."""
    query = select(Roll).where(Roll.state == RollState.WAITING, Roll.created_at < clock.now() - ABANDONED_AFTER)
    abandoned = list(await session.scalars(query.with_for_update(skip_locked=True)))
    for roll in abandoned:
        roll.state = RollState.REMOVED
        await forget_file(session, roll.id)
    return len(abandoned)


def table_of(roll_id: int) -> str:
    """The partition's name."""
    return f"outreach_roll_numbers_{int(roll_id)}"


async def drop_numbers(session: AsyncSession, roll_id: int, *, wait_ms: int = 3000) -> None:
    """Drop the partition, attached or half made. Raises `RollIsBeingRead` when a long query holds it.

    The lock is waited for shortly: everything that reads any roll would queue up behind it.
    """
    await session.execute(text(f"SET LOCAL lock_timeout = {int(wait_ms)}"))
    try:
        await session.execute(text(f"DROP TABLE IF EXISTS {table_of(roll_id)}"))
    except OperationalError:
        raise RollIsBeingRead from None
    await session.execute(text("SET LOCAL lock_timeout = 0"))
