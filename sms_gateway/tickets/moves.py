"""Moving a ticket: lock it, ask the state machine, change it, write the event. Every verb of the loop goes through `move`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import Conflict, NotFound

from . import lifecycle, open_harm, pace
from .actors import Actor
from .lifecycle import Evidence, Status, Step, Who
from .models import Dispatch, Extension, Ticket, TicketEvent
from .record import record_event


class TicketNotFound(NotFound):
    sentence = "没有这个工单。"


class SomebodyWasQuicker(Conflict):
    sentence = "刚刚有人动过这一单，请刷新后再看。"


async def lock(session: AsyncSession, ticket_id: int, *, version: int | None = None) -> Ticket:
    """The ticket, its row locked until the transaction ends. Raises `TicketNotFound`; `SomebodyWasQuicker` (409) when
    `version` (what the page or client had read) is not the ticket's any more.
    """
    wanted = select(Ticket).where(Ticket.id == ticket_id).with_for_update(key_share=True)
    ticket = await session.scalar(wanted.execution_options(populate_existing=True))
    if ticket is None:
        raise TicketNotFound
    if version is not None and version != ticket.version:
        raise SomebodyWasQuicker
    return ticket


async def move(
    session: AsyncSession, ticket: Ticket, to: Status, *, actor: Actor, evidence: frozenset[Evidence] = frozenset(),
    why: str | None = None, detail: Mapping[str, Any] | None = None, what: str | None = None, at: datetime | None = None,
) -> TicketEvent:  # fmt: skip
    """Move the locked `ticket` and write the event (`what`, by default the new state's name); its clock is set anew.

    `why`: reason, reply or question in words; counts as evidence WHY and WORDS. A unit moves only what it has in hand.
    Raises what `lifecycle.check` raises.
    """
    brought = evidence | ({Evidence.WHY, Evidence.WORDS} if why and why.strip() else frozenset())
    before = Status(ticket.status)
    if actor.who is Who.UNIT and not await has_in_hand(session, ticket, actor.unit):
        raise lifecycle.NotYoursToMove
    lifecycle.check(
        before, Step(to, actor.who, brought), kind=ticket.kind, lane=ticket.lane, paused_from=ticket.paused_from
    )
    now = at or clock.now()
    pace.on_move(ticket, before, to, now)
    was_open = ticket.closed_at is None
    ticket.status, ticket.version = to.value, ticket.version + 1
    ticket.closed_at = None if lifecycle.is_open(to) else ticket.closed_at or now
    if was_open and ticket.closed_at is not None:
        await open_harm.ended(session, ticket)
    elif not was_open and ticket.closed_at is None:
        await open_harm.mark(session, ticket)
    if to is not Status.CLARIFYING and Status.EXTENDED not in lifecycle.MOVES[to]:
        await _let_requests_lapse(session, ticket.id, now)
    return await record_event(
        session, ticket, what or to.value, who=str(actor), from_status=before.value, to_status=to.value, why=why,
        detail=detail, at=now,
    )  # fmt: skip


async def _let_requests_lapse(session: AsyncSession, ticket_id: int, now: datetime) -> None:
    """A request for more time ends undecided where the unit has the matter in hand no more, or has answered."""
    undecided = update(Extension).where(Extension.ticket_id == ticket_id, Extension.decided_at.is_(None))
    await session.execute(undecided.values(decided_at=now))


async def has_in_hand(session: AsyncSession, ticket: Ticket, unit: str | None) -> bool:
    """Whether `unit` is the one that handles the ticket now: helpers and those who are told do not move it."""
    if unit is None or ticket.unit != unit:
        return False
    mine = select(Dispatch.id).where(
        Dispatch.ticket_id == ticket.id, Dispatch.unit == unit, Dispatch.role == "main", Dispatch.closed_at.is_(None),
        Dispatch.returned_at.is_(None),
    )  # fmt: skip
    return await session.scalar(mine.limit(1)) is not None
