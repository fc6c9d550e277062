"""Events of a ticket: the only place that writes one. The ticket's row must be locked, or new in this transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index, sealed_for
from sms_gateway.database import notify

from . import chain, pushing
from .models import Ticket, TicketEvent

WHY_PURPOSE = "ticket_events.why"
HEAD_PURPOSE = "tickets.head"
CHANNEL = "hotline_ticket"


@dataclass(frozen=True)
class Stand:
    """How far a ticket's chain has come: `events` are written, `head` is the last hash (None: none yet)."""

    id: int
    uid: UUID
    events: int
    head: bytes | None


@dataclass(frozen=True)
class Entry:
    """One event to be, as the table holds it (`row`), and what it makes of the ticket."""

    row: dict[str, Any] = field(repr=False)
    events: int
    head: bytes
    head_seal: bytes


def why_digest(why: str | None) -> bytes | None:
    """The keyed digest of somebody's words."""
    return blind_index(why, WHY_PURPOSE) if why else None


def head_seal(ticket_uid: UUID, events: int, head: bytes) -> bytes:
    """The keyed digest of where a chain ends."""
    return blind_index(f"{ticket_uid.hex}:{events}:{head.hex()}", HEAD_PURPOSE)


def next_entry(
    stand: Stand, what: str, *, who: str, at: datetime, from_status: str | None = None, to_status: str | None = None,
    why: str | None = None, detail: Mapping[str, Any] | None = None,
) -> Entry:  # fmt: skip
    """The next event of a chain; nothing is written."""
    uid, seq = uuid4(), stand.events + 1
    hashed: dict[str, Any] = {
        "uid": uid, "seq": seq, "what": what, "who": who, "at": at, "from_status": from_status, "to_status": to_status,
        "why_digest": why_digest(why), "detail": dict(detail or {}),
    }  # fmt: skip
    content = chain.content_hash(**hashed)
    head = chain.link(stand.head or chain.start(stand.uid), content)
    sealed = sealed_for(TicketEvent.__tablename__, "why_sealed", uid, why) if why else None
    row = {**hashed, "ticket_id": stand.id, "why_sealed": sealed, "content_hash": content, "chain_hash": head}
    return Entry(row, seq, head, head_seal(stand.uid, seq, head))


async def record_event(
    session: AsyncSession, ticket: Ticket, what: str, *, who: str, from_status: str | None = None,
    to_status: str | None = None, why: str | None = None, detail: Mapping[str, Any] | None = None, at: datetime | None = None,
) -> TicketEvent:  # fmt: skip
    """Append one event to the ticket's chain, tell listening pages, and hand it to the push. `detail`: ids and codes only.

    Two writers at once: the second one's (ticket, seq) is taken, and its transaction fails.
    """
    entry = next_entry(
        Stand(ticket.id, ticket.uid, ticket.events, ticket.head), what, who=who, at=at or clock.now(),
        from_status=from_status, to_status=to_status, why=why, detail=detail,
    )  # fmt: skip
    event = TicketEvent(**entry.row)
    session.add(event)
    ticket.events, ticket.head, ticket.head_seal = entry.events, entry.head, entry.head_seal
    await session.flush()
    await pushing.push(session, ticket, event)
    await notify(session, CHANNEL, str(ticket.id))
    return event


async def record_events(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """`record_event` for many locked tickets at once, one event each: four statements, however many there are.

    The tickets' `events`, `head` and `head_seal` are written here; no ORM object of them may be in the session.
    """
    if entries:
        await write_events(session, entries)
        await session.execute(_HEADS, heads_of(entries))


def heads_of(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """What these events make of their tickets, by column, as arrays for one UPDATE."""
    return {
        "ids": [entry.row["ticket_id"] for entry in entries],
        "events": [entry.events for entry in entries],
        "heads": [entry.head for entry in entries],
        "seals": [entry.head_seal for entry in entries],
    }


async def write_events(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """The events' rows alone, their push and the notice: for a caller who writes `heads_of` together with what else it changes."""
    if not entries:
        return
    values = {name: [entry.row[name] for entry in entries] for name in _COLUMNS}
    values["detail"] = [json.dumps(detail, ensure_ascii=False) for detail in values["detail"]]
    await session.execute(_EVENTS, values)
    await pushing.push_many(session, values["uid"])
    await session.execute(_TELL, {"channel": CHANNEL, "ids": values["ticket_id"]})


_COLUMNS = {
    "uid": "uuid", "ticket_id": "bigint", "seq": "bigint", "what": "text", "who": "text", "at": "timestamptz",
    "from_status": "text", "to_status": "text", "why_sealed": "bytea", "why_digest": "bytea", "detail": "jsonb",
    "content_hash": "bytea", "chain_hash": "bytea",
}  # fmt: skip
_EVENTS = text(
    f"INSERT INTO ticket_events ({', '.join(_COLUMNS)})"  # noqa: S608 - our own column names
    f" SELECT * FROM unnest({', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _COLUMNS.items())})"
)
"""One array a column: a fifth of the time of a row at a time."""
_HEADS = text(
    "UPDATE tickets SET events = new.events, head = new.head, head_seal = new.seal"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:events AS bigint[]), CAST(:heads AS bytea[]), CAST(:seals AS bytea[]))"
    " AS new(id, events, head, seal) WHERE tickets.id = new.id"
)
_TELL = text("SELECT pg_notify(:channel, id::text) FROM unnest(CAST(:ids AS bigint[])) AS id")
