"""Opening a ticket in two statements: one reads all that decides, one writes ticket, first event, push and notice.

Beside a bare transaction of two rows, it is the round trips that cost; see `make bench AREA=casework`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from . import pushing
from .models import Ticket
from .numbers import new_number
from .record import CHANNEL, Stand, next_entry

DRAWS = 4
"""Numbers drawn at once; with a million tickets the chance that none is free is one in a hundred million."""


@dataclass(frozen=True)
class Around:
    """What decides how a matter is opened. `again`: its ticket, if it was opened before; `disclosure`: the talk's open one."""

    received_at: datetime
    region: str | None
    again: int | None
    disclosure: int | None
    number: str
    id: int


async def look_around(session: AsyncSession, *, asked_in: int, kind: str, thread_id: int, since: datetime) -> Around:
    """Everything about message `asked_in` in one statement. `since`: disclosures opened before are another matter."""
    await session.flush()
    values = {"asked_in": asked_in, "kind": kind, "thread_id": thread_id, "since": since}
    while True:
        draws = [new_number() for _ in range(DRAWS)]
        found = Around(*(await session.execute(_AROUND, {**values, "draws": draws})).one())
        if found.number is not None:
            return replace(found, disclosure=found.disclosure if kind != "disclosure" else None)


async def write(session: AsyncSession, ticket: Ticket, *, who: str, detail: Mapping[str, Any]) -> None:
    """Insert the new `ticket` (its id set) with its first event, and put it into the session as loaded.

    Every column not set yet gets its default here, so that nothing has to be read back.
    """
    entry = next_entry(
        Stand(ticket.id, ticket.uid, 0, None), "accepted", who=who, at=ticket.opened_at, to_status=ticket.status, detail=detail
    )  # fmt: skip
    ticket.events, ticket.head, ticket.head_seal = entry.events, entry.head, entry.head_seal
    known = vars(ticket)
    for name, default in _DEFAULTS.items():
        if known.get(name) is None:
            setattr(ticket, name, default)
    values = {f"t_{name}": value for name, value in _filled(ticket).items()}
    values |= {f"e_{name}": value for name, value in entry.row.items() if value is not None}
    values["e_detail"] = json.dumps(entry.row["detail"], ensure_ascii=False)
    push = {"push_uid": uuid4(), "push_type": pushing.TYPE + "accepted", "channel": CHANNEL, "payload": str(ticket.id)}
    await session.execute(_writing(tuple(values)), values | push)
    make_transient_to_detached(ticket)
    session.add(ticket)


_AROUND = text(
    "SELECT messages.at, contacts.region,"
    " (SELECT id FROM tickets WHERE asked_in = :asked_in AND kind = :kind),"
    " (SELECT id FROM tickets WHERE thread_id = :thread_id AND kind = 'disclosure' AND closed_at IS NULL"
    "  AND opened_at >= :since ORDER BY id DESC LIMIT 1),"
    " (SELECT draw FROM unnest(CAST(:draws AS text[])) AS draw"
    "  WHERE NOT EXISTS (SELECT 1 FROM tickets WHERE number = draw) LIMIT 1),"
    " nextval(pg_get_serial_sequence('tickets', 'id'))"
    " FROM messages JOIN contacts ON contacts.id = messages.contact_id WHERE messages.id = :asked_in"
)


_DEFAULTS = {
    column.key: column.default.arg if column.default is not None else None for column in Ticket.__table__.columns
}
"""Every column of a ticket with its default."""


def _filled(ticket: Ticket) -> dict[str, Any]:
    known = vars(ticket)
    return {name: value for name in _DEFAULTS if (value := known.get(name)) is not None}


@lru_cache(maxsize=64)
def _writing(names: tuple[str, ...]) -> TextClause:
    """The statement for these columns; the empty ones are left out, since psycopg keeps no plan for over 50 parameters."""
    return text(
        f"WITH ticket AS ({_insert('tickets', 't_', names)}),"  # noqa: S608 - our own column names
        f" event AS ({_insert('ticket_events', 'e_', names)} RETURNING id, at),"
        " push AS (INSERT INTO hotline_events (uid, type, subject, at, ref)"
        "  SELECT :push_uid, :push_type, :t_number, event.at, event.id FROM event)"
        " SELECT pg_notify(:channel, :payload)"
    )


def _insert(table: str, mark: str, names: tuple[str, ...]) -> str:
    mine = [name for name in names if name.startswith(mark)]
    values = ", ".join(f"CAST(:{name} AS jsonb)" if name == "e_detail" else f":{name}" for name in mine)
    return f"INSERT INTO {table} ({', '.join(name.removeprefix(mark) for name in mine)}) VALUES ({values})"  # noqa: S608
