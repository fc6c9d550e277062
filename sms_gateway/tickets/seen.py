"""A ticket as a unit sees it: the reworded copy, as far as its sight goes. One rule for single reads and lists (`visible.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments.visibility import Sight

from . import copies, lifecycle, visible
from .children import is_live
from .lifecycle import Status, Who
from .models import Child, Dispatch, Ticket, TicketChild
from .moves import TicketNotFound


@dataclass(frozen=True)
class Seen:
    """One ticket before a unit. `words`: what was said, reworded, by the form's question; `dispatch`: None where it is not in its hands."""

    ticket: Ticket
    sight: Sight
    words: dict[str, str]
    dispatch: Dispatch | None
    children: tuple[tuple[int | None, str | None], ...] = ()
    """(age, sex) of each child."""

    @property
    def may(self) -> frozenset[Status]:
        """Where the unit may move it now."""
        if self.dispatch is None or self.dispatch.role != "main" or self.ticket.unit != self.dispatch.unit:
            return frozenset()
        return lifecycle.may(self.ticket.status, Who.UNIT, paused_from=self.ticket.paused_from)


async def get_seen(session: AsyncSession, unit: str, *, number: str | None = None, ticket_id: int | None = None) -> Seen:  # fmt: skip
    """The ticket of that number or id as `unit` sees it.

    Raises `TicketNotFound` (404) both for one that does not exist and for one that is not the unit's to see.
    """
    wanted = Ticket.number == number if ticket_id is None else Ticket.id == ticket_id
    ticket = await session.scalar(select(Ticket).where(wanted))
    if ticket is None:
        raise TicketNotFound
    sight = await visible.sight(session, unit, ticket)
    if not sight.reaches(Sight.WITHOUT_REPORTER):
        raise TicketNotFound
    return (await _dressed(session, unit, [ticket], {ticket.id: sight}))[0]


async def list_seen(
    session: AsyncSession, unit: str, *, conditions: Sequence[ColumnElement[bool]] = (), before_id: int | None = None,
    limit: int = 50,
) -> list[Seen]:  # fmt: skip
    """Tickets `unit` may see, the newest first; `before_id`: those before that one (keyset)."""
    wanted = select(Ticket).where(visible.where(unit), *conditions)
    if before_id is not None:
        wanted = wanted.where(Ticket.id < before_id)
    tickets = list(await session.scalars(wanted.order_by(Ticket.id.desc()).limit(limit)))
    sights = {ticket.id: Sight.WITHOUT_REPORTER for ticket in tickets}
    return await _dressed(session, unit, tickets, sights)


async def _dressed(session: AsyncSession, unit: str, tickets: list[Ticket], sights: dict[int, Sight]) -> list[Seen]:
    ids = [ticket.id for ticket in tickets]
    held = select(Dispatch).where(
        Dispatch.ticket_id.in_(ids), Dispatch.unit == unit, Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None)
    )
    mine = {row.ticket_id: row for row in await session.scalars(held.order_by(Dispatch.id))}
    about = select(TicketChild.ticket_id, Child.age, Child.sex).join(Child, Child.id == TicketChild.child_id)
    children: dict[int, list[tuple[int | None, str | None]]] = {}
    for ticket_id, age, sex in await session.execute(
        about.where(TicketChild.ticket_id.in_(ids), is_live()).order_by(Child.id)
    ):
        children.setdefault(ticket_id, []).append((age, sex))
    found = []
    for ticket in tickets:
        row = mine.get(ticket.id)
        words = row.copy if row is not None and row.copy is not None else await copies.reworded(session, ticket)
        found.append(Seen(ticket, sights[ticket.id], words, row, tuple(children.get(ticket.id, ()))))
    return found
