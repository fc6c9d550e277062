"""Versions of approved entries: made, read, retired; every change is told to all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from policy_faq.entry import Entry, HandbookError, parse_entry
from policy_faq.passages import engine_name, texts_of, vectors
from policy_faq.ranking import Vector
from sms_gateway import clock, logs
from sms_gateway.database import notify
from sms_gateway.errors import NotFound
from texts.embedding import DIMENSIONS

from .models import Published

log = logs.get("handbook")

CHANNEL = "hotline_handbook"
"""Notified with a version's id whenever what is approved has changed."""

Stamp = tuple[int, int, int]
"""Changes whenever anything approved does: how many versions, how many retired, the newest id."""


class EntryNotFound(NotFound):
    sentence = "没有这一条问答，或者它已经停用。"


@dataclass(frozen=True)
class Live:
    """What is approved now: entries, ids of files that are not said any more, vectors by text."""

    stamp: Stamp
    entries: tuple[Entry, ...]
    withdrawn: frozenset[str]
    vectors: dict[str, Vector]


async def stamp(session: AsyncSession) -> Stamp:
    """The present state's mark: equal marks mean that nothing has changed."""
    found = select(func.count(), func.count(Published.retired_at), func.coalesce(func.max(Published.id), 0))
    versions, retired, newest = (await session.execute(found)).one()
    return versions, retired, newest


async def read_live(session: AsyncSession) -> Live:
    """All that is approved now. A version that today's rules refuse is left out, so that its file speaks again."""
    mark = await stamp(session)
    rows = (await session.scalars(select(Published).where(Published.retired_at.is_(None)))).all()
    entries: list[Entry] = []
    known: dict[str, Vector] = {}
    for row in rows:
        if row.content is None:
            continue
        try:
            entry = parse_entry(row.content, f"{row.entry_id}.md")
        except HandbookError as error:
            log.error("approved_entry_refused", version=row.id, field=error.field)
            continue
        entries.append(entry)
        known |= _vectors(row, entry)
    withdrawn = frozenset(row.entry_id for row in rows if row.content_sealed is None)
    return Live(mark, tuple(entries), withdrawn, known)


def _vectors(row: Published, entry: Entry) -> dict[str, Vector]:
    """The row's vectors by text; none when another engine made them (they are embedded anew then)."""
    texts, packed = texts_of(entry), row.vectors
    if packed is None or row.engine != engine_name() or len(packed) != len(texts) * DIMENSIONS * 2:
        return {}
    rows = np.frombuffer(packed, dtype="<f2").astype(np.float32).reshape(len(texts), DIMENSIONS)
    return dict(zip(texts, rows, strict=True))


def pack_vectors(entry: Entry) -> bytes:
    """The vectors of all texts of an entry, as a row keeps them; embeds (up to a second): call it in a thread."""
    return vectors(texts_of(entry)).astype("<f2").tobytes()


async def publish(
    session: AsyncSession, *, entry: Entry, content: str, packed: bytes, draft_id: int | None, approved_by: int
) -> Published:
    """A new version of an entry takes the place of the one before."""
    row = await _replace(session, entry.id, operator_id=approved_by)
    row.draft_id, row.content, row.vectors, row.engine = draft_id, content, packed, engine_name()
    return await _store(session, row)


async def retire(session: AsyncSession, *, entry_id: str, operator_id: int, has_file: bool) -> None:
    """An answer is no longer given, from now on; where a file of that id would speak instead, it is silenced too.

    Raises `EntryNotFound` when there is nothing to retire.
    """
    live = await find_live(session, entry_id)
    if live is None and not has_file:
        raise EntryNotFound
    if live is not None and live.content_sealed is None:
        raise EntryNotFound
    if has_file:
        await _store(session, await _replace(session, entry_id, operator_id=operator_id))
        return
    assert live is not None
    live.retired_at, live.retired_by = clock.now(), operator_id
    await notify(session, CHANNEL, str(live.id))


async def restore_file(session: AsyncSession, *, entry_id: str, operator_id: int) -> None:
    """A file that was silenced speaks again. Raises `EntryNotFound` when it was not."""
    live = await find_live(session, entry_id)
    if live is None or live.content_sealed is not None:
        raise EntryNotFound
    live.retired_at, live.retired_by = clock.now(), operator_id
    await notify(session, CHANNEL, str(live.id))


async def find_live(session: AsyncSession, entry_id: str) -> Published | None:
    """The version of that entry that counts now."""
    wanted = select(Published).where(Published.entry_id == entry_id, Published.retired_at.is_(None))
    return await session.scalar(wanted.with_for_update())


async def list_versions(session: AsyncSession, entry_id: str) -> Sequence[Published]:
    """Every version of that entry, newest first."""
    return (
        await session.scalars(
            select(Published).where(Published.entry_id == entry_id).order_by(Published.version.desc())
        )
    ).all()


async def list_live(session: AsyncSession) -> Sequence[Published]:
    """Every version that counts now, newest first."""
    return (
        await session.scalars(select(Published).where(Published.retired_at.is_(None)).order_by(Published.id.desc()))
    ).all()


async def _replace(session: AsyncSession, entry_id: str, *, operator_id: int) -> Published:
    """A new version of that entry without content; the one before is retired."""
    before = await find_live(session, entry_id)
    if before is not None:
        before.retired_at, before.retired_by = clock.now(), operator_id
        await session.flush()
    newest = await session.scalar(select(func.max(Published.version)).where(Published.entry_id == entry_id))
    return Published(entry_id=entry_id, version=(newest or 0) + 1, approved_by=operator_id, approved_at=clock.now())


async def _store(session: AsyncSession, row: Published) -> Published:
    session.add(row)
    await session.flush()
    await notify(session, CHANNEL, str(row.id))
    return row
