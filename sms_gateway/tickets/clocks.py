"""The sweep of the clocks: each second, what is due is warned about or supervised (督办), in a few statements a chunk.

Any number of processes may sweep: a ticket is claimed by one, under its row lock, together with everything written for
it. Nobody outside is texted by a clock: what it says stands in the ticket's events, day and night.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, cast, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction

from . import deadlines, pace
from .models import Dispatch, Extension, Ticket
from .record import Entry, Stand, heads_of, next_entry, write_events

CHUNK = 500


async def sweep() -> int:
    """Let every clock speak whose time has come; returns how many tickets were looked at."""
    looked = 0
    while True:
        async with transaction() as session:
            found = await look(session, limit=CHUNK)
        looked += found
        if found < CHUNK:
            return looked


async def look(session: AsyncSession, *, limit: int = CHUNK) -> int:
    """Look at up to `limit` tickets whose clock is due, those waiting longest first; returns how many there were."""
    now = clock.now()
    due = (
        select(
            Ticket.id, Ticket.uid, Ticket.events, Ticket.head, Ticket.lane, Ticket.urgent, Ticket.level, Ticket.due_at,
            Ticket.warned_at, Ticket.supervised, Ticket.paused_at,
        )
        .where(Ticket.next_clock_at <= now)
        .order_by(Ticket.next_clock_at)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    tickets = (await session.execute(due)).all()
    if not tickets:
        return 0
    ids = [ticket.id for ticket in tickets]
    unsigned = await _unsigned(session, ids)
    asked = await _undecided(session, ids)
    steps = [pace.next_step(_facts(each, unsigned.get(each.id), asked.get(each.id)), now) for each in tickets]
    both = list(zip(tickets, steps, strict=True))
    entries = {ticket.id: _entry(ticket, step, now) for ticket, step in both if step.what}
    await _set_clocks(session, both, list(entries.values()), now)
    await _note(
        session, "dispatches", [(unsigned[t.id].id, s.sign_supervised) for t, s in both if pace.SIGN in s.about], now
    )
    await _note(session, "extensions", [(asked[t.id].id, 0) for t, s in both if pace.EXTENSION in s.about], now)
    await write_events(session, list(entries.values()))
    return len(tickets)


async def _unsigned(session: AsyncSession, ids: Sequence[int]) -> dict[int, Any]:
    """By ticket, the main dispatch nobody has signed for. Read after the tickets are locked, as signing locks them too."""
    wanted = select(
        Dispatch.id, Dispatch.ticket_id, Dispatch.dispatched_at, Dispatch.sign_due_at, Dispatch.warned_at, Dispatch.supervised
    ).where(
        Dispatch.ticket_id == _any(ids), Dispatch.role == "main", Dispatch.signed_at.is_(None), Dispatch.closed_at.is_(None),
        Dispatch.returned_at.is_(None),
    )  # fmt: skip
    return {row.ticket_id: row for row in await session.execute(wanted)}


async def _undecided(session: AsyncSession, ids: Sequence[int]) -> dict[int, Any]:
    """By ticket, the request for more time nobody has decided."""
    wanted = select(Extension.id, Extension.ticket_id, Extension.asked_at, Extension.warned_at)
    open_ones = wanted.where(Extension.ticket_id == _any(ids), Extension.decided_at.is_(None))
    return {row.ticket_id: row for row in await session.execute(open_ones)}


def _facts(ticket: Any, unsigned: Any | None, asked: Any | None) -> pace.Facts:
    return pace.Facts(
        pace=deadlines.pace_of(ticket.lane, urgent=ticket.urgent), level=ticket.level, due_at=ticket.due_at,
        warned=ticket.warned_at is not None, supervised=ticket.supervised,
        stands=ticket.paused_at is not None and ticket.lane == "blue",
        signature=pace.Signature(
            unsigned.dispatched_at, unsigned.sign_due_at, unsigned.warned_at is not None, unsigned.supervised
        ) if unsigned else None,
        request=pace.Request(asked.asked_at, asked.warned_at is not None) if asked else None,
    )  # fmt: skip


def _entry(ticket: Any, step: pace.Step, now: datetime) -> Entry:
    detail: dict[str, Any] = {"about": list(step.about)}
    if step.what == pace.SUPERVISION:
        detail |= {"step": step.step, "level": step.level}
    stand = Stand(ticket.id, ticket.uid, ticket.events, ticket.head)
    return next_entry(stand, str(step.what), who="system", at=now, detail=detail)


def _any(ids: Sequence[int]) -> Any:
    """One array parameter instead of hundreds."""
    return any_(cast(list(ids), ARRAY(BigInteger)))


async def _set_clocks(
    session: AsyncSession, both: Sequence[tuple[Any, pace.Step]], entries: Sequence[Entry], now: datetime
) -> None:
    """The clocks, and where the chains of those end that have said something."""
    values = {
        "ids": [ticket.id for ticket, _ in both],
        "looks": [step.look_at for _, step in both],
        "warned": [now if pace.DUE in step.about else ticket.warned_at for ticket, step in both],
        "supervised": [step.supervised for _, step in both],
    }
    heads = heads_of(entries)
    await session.execute(_CLOCKS, values | {"spoke": heads.pop("ids"), **heads})


async def _note(session: AsyncSession, table: str, spoken: Sequence[tuple[int, int]], now: datetime) -> None:
    """Write down that the clock of these rows (id, how far supervision has gone) has spoken."""
    if spoken:
        values = {"ids": [row for row, _ in spoken], "steps": [step for _, step in spoken], "now": now}
        await session.execute(_NOTES[table], values)


_CLOCKS = text(
    "UPDATE tickets SET next_clock_at = new.look, warned_at = new.warned, supervised = new.supervised,"
    " events = coalesce(said.events, tickets.events), head = coalesce(said.head, tickets.head),"
    " head_seal = coalesce(said.seal, tickets.head_seal)"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:looks AS timestamptz[]), CAST(:warned AS timestamptz[]),"
    " CAST(:supervised AS bigint[])) AS new(id, look, warned, supervised)"
    " LEFT JOIN unnest(CAST(:spoke AS bigint[]), CAST(:events AS bigint[]), CAST(:heads AS bytea[]), CAST(:seals AS bytea[]))"
    " AS said(id, events, head, seal) ON said.id = new.id WHERE tickets.id = new.id"
)
"""One UPDATE, since each writes every index of the table."""
_NOTES = {
    "dispatches": text(
        "UPDATE dispatches SET warned_at = :now, supervised = new.step"
        " FROM unnest(CAST(:ids AS bigint[]), CAST(:steps AS bigint[])) AS new(id, step) WHERE dispatches.id = new.id"
    ),
    "extensions": text(
        "UPDATE extensions SET warned_at = :now"
        " FROM unnest(CAST(:ids AS bigint[]), CAST(:steps AS bigint[])) AS new(id, step) WHERE extensions.id = new.id"
    ),
}
