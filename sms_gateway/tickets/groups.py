"""普遍性诉求: tickets of different people that say the same, found by meaning once an hour; kept as ids and codes only.

The vector is the one triage sealed with the message, so nothing is embedded again. It is that of the longest text the person
wrote on the day of the ticket: a form ends with "1". Sensitive matters are left out: they are counted, not compared.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, load_only

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.messages.models import Direction, Message
from texts.embedding import unpack

from . import visible
from .lifecycle import Status
from .models import Ticket, TicketGroup

DAYS = 30
EVERY = timedelta(hours=1)
MOST = 3_000
"""Tickets compared at a time, the newest: 3,000 take about 2 s and 150 MB, and both grow with the square."""
TOGETHER = 0.45
"""Average cosine from which two groups are one. 27 invented matters in 7 kinds: at 0.45 and 0.5 thirteen of thirty pairs of a
kind were joined and none across kinds; at 0.4 two across. The handbook groups its gaps at the same value."""
LEAST = 3
"""People who say the same before it is called common."""
SAID_ON_THE_DAY = timedelta(hours=24)
LOCK = 54_2026_02
_LEFT_OUT = (Status.MERGED.value, Status.WITHDRAWN.value, Status.TRANSFERRED.value)


@dataclass(frozen=True)
class Said:
    """A ticket as it is compared."""

    ticket_id: int
    contact_id: int
    category: str | None
    vector: NDArray[np.float32]


async def sweep() -> bool:
    """Find the groups anew when the last time is an hour ago; False when it is not."""
    async with transaction() as session:
        if not await _is_time(session):
            return False
        said = await _read(session)
    found = await asyncio.to_thread(group, said)
    async with (
        transaction() as session
    ):  # nothing stays open while it is computed; another process may have been quicker
        await session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        if await _is_time(session):
            await _keep(session, said, found)
    return True


async def _is_time(session: AsyncSession) -> bool:
    last = await session.scalar(select(func.max(TicketGroup.found_at)))
    return last is None or clock.now() - last >= EVERY


async def _read(session: AsyncSession) -> list[Said]:
    text = aliased(Message)
    longest = (
        select(text.id)
        .where(
            text.thread_id == Ticket.thread_id, text.id <= Ticket.asked_in, text.direction == Direction.IN,
            text.vector_sealed.is_not(None), text.at >= Ticket.received_at - SAID_ON_THE_DAY,
        )
        .order_by(func.octet_length(text.body_sealed).desc(), text.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip
    rows = await session.execute(
        select(Ticket.id, Ticket.contact_id, Ticket.category, Message)
        .join(Message, Message.id == longest)
        .where(
            Ticket.received_at >= clock.now() - timedelta(days=DAYS), Ticket.status.not_in(_LEFT_OUT),
            not_(visible.is_sensitive()),
        )
        .order_by(Ticket.id.desc())
        .limit(MOST + 1)
        .options(load_only(Message.uid, Message.vector_sealed))
    )  # fmt: skip
    return [
        Said(ticket, contact, category, unpack(message.vector or b"")) for ticket, contact, category, message in rows
    ]


def group(said: Sequence[Said]) -> list[list[Said]]:
    """Those who say the same, the largest group first, in each the most typical first. At least `LEAST` people each."""
    said = said[:MOST]
    if len(said) < LEAST:
        return []
    from sklearn.cluster import AgglomerativeClustering

    rows = np.stack([each.vector for each in said]).astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    joining = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - TOGETHER, metric="precomputed", linkage="average"
    )
    nearness = np.clip(rows @ rows.T, -1, 1)
    labels = joining.fit_predict(1 - nearness)
    found = []
    for label in np.unique(labels):
        places = [int(place) for place in np.flatnonzero(labels == label)]
        if len({said[place].contact_id for place in places}) >= LEAST:
            typical = nearness[np.ix_(places, places)].sum(axis=1)
            found.append([said[places[n]] for n in np.argsort(-typical, kind="stable")])
    return sorted(found, key=lambda each: (-len(each), -each[0].ticket_id))


async def _keep(session: AsyncSession, said: Sequence[Said], found: Sequence[Sequence[Said]]) -> None:
    """Replace what was found before. The first row is of no group: it says that and what was looked at."""
    now = clock.now()
    await session.execute(delete(TicketGroup))
    for each in [[], *found]:
        category = Counter(one.category for one in each).most_common(1)[0][0] if each else None
        session.add(
            TicketGroup(
                found_at=now, since=now - timedelta(days=DAYS), looked_at=min(len(said), MOST), cut=len(said) > MOST,
                category=category, ticket_ids=[one.ticket_id for one in each],
            )
        )  # fmt: skip
    await session.flush()


@dataclass(frozen=True)
class Common:
    """A group as one reader may see it: how many of its tickets they may open, and the most typical of those."""

    id: int
    category: str | None
    size: int
    examples: Sequence[Ticket]


@dataclass(frozen=True)
class Overview:
    """What is common among the tickets a reader may see; `run` is None before the first time."""

    run: TicketGroup | None
    groups: Sequence[Common]


async def overview(
    session: AsyncSession, *, within: ColumnElement[bool], limit: int = 10, examples: int = 3
) -> Overview:
    """The groups of which a reader sees at least `LEAST` tickets, the largest first. Shows words: the caller writes the audit."""
    rows = list(await session.scalars(select(TicketGroup).order_by(TicketGroup.id)))
    ids = {each for row in rows for each in row.ticket_ids}
    seen = set(
        await session.scalars(select(Ticket.id).where(Ticket.id.in_(ids), within, not_(visible.is_sensitive())))
        if ids
        else []
    )
    mine = [(row, [each for each in row.ticket_ids if each in seen]) for row in rows]
    mine = sorted((each for each in mine if len(each[1]) >= LEAST), key=lambda each: -len(each[1]))[:limit]
    shown = {each for _, members in mine for each in members[:examples]}
    tickets = {row.id: row for row in await session.scalars(select(Ticket).where(Ticket.id.in_(shown)))}
    common = [
        Common(row.id, row.category, len(members), [tickets[each] for each in members[:examples]]) for row, members in mine
    ]  # fmt: skip
    return Overview(rows[0] if rows else None, common)
