"""What departments are told of a ticket's events: noted in the same transaction, filled in from the rows after its commit.

A move writes its event before its dispatches, and whom a matter complains of is read after it is opened: only after the
commit is it sure who may see what. What is filled in is therefore never older than the event, and may be newer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Contact
from sms_gateway.events import filling, service
from sms_gateway.events.filling import Filled

from . import copies, push_parts
from .models import Accused, Child, Dispatch, Ticket, TicketChild, TicketEvent
from .told import TOLD_UNIT

TYPE = "cn.yunnan.12345.ticket."
TOLD = frozenset(
    {
        "details", "more", "lane", "category_set", "place_set", "urgent_set", "sealed_set", "sensitivity_set", "sealed",
        "accused_added", "accused_mended", "accused_removed", "child_added", "child_mended", "child_linked", "child_unlinked",
        "children_merged", "children_split", "warning", "supervision", "extension_asked", "extension_refused", "reply_refused", "ruled", "resumed",
        TOLD_UNIT, "took_in", "erased",
    }
)  # fmt: skip
"""Beside the moves. Whatever changes who may see a matter must be here: what waits is checked against the newest facts.
Everything else is between the hotline and the person, or the hotline's own duty, and no department is told.
"""


def is_told(what: str, to_status: str | None) -> bool:
    """Whether departments hear of an event."""
    return to_status is not None or what in TOLD


async def push(session: AsyncSession, ticket: Ticket, event: TicketEvent) -> None:
    """Note that departments are to be told of this event, which has its id. One small insert, no query."""
    if is_told(event.what, event.to_status):
        await service.publish(session, type=TYPE + event.what, subject=ticket.number, at=event.at, ref=event.id)


_NOTE = text(
    "INSERT INTO hotline_events (uid, type, subject, at, ref)"
    " SELECT gen_random_uuid(), :type || event.what, ticket.number, event.at, event.id"
    " FROM ticket_events AS event JOIN tickets AS ticket ON ticket.id = event.ticket_id"
    " WHERE event.uid = ANY(CAST(:uids AS uuid[])) AND (event.to_status IS NOT NULL OR event.what = ANY(CAST(:told AS text[]))) ORDER BY event.id"
)


async def push_many(session: AsyncSession, uids: Collection[UUID]) -> None:
    """`push` for many events at once, by their `uid`; one statement."""
    await session.execute(_NOTE, {"type": TYPE, "uids": list(uids), "told": sorted(TOLD)})


async def forget(session: AsyncSession, ticket: Ticket, events: Collection[TicketEvent]) -> None:
    """The words of these events were erased: what was kept of them for departments goes too."""
    await service.forget(session, subject=ticket.number, refs=[event.id for event in events])


async def fill(session: AsyncSession, refs: Sequence[int]) -> dict[int, Filled]:
    """Facts and data of these ticket events, as their tickets stand now; a handful of queries, however many."""
    told = select(TicketEvent, Ticket, Contact).join(Ticket, Ticket.id == TicketEvent.ticket_id)
    told = told.outerjoin(Contact, Contact.id == Ticket.contact_id).where(TicketEvent.id.in_(refs))
    events = (await session.execute(told.execution_options(populate_existing=True))).all()
    ids = {ticket.id for _, ticket, _ in events}
    hands, accused, children = await _hands(session, ids), await _accused(session, ids), await _children(session, ids)
    words: dict[int, dict[str, str]] = {}
    filled: dict[int, Filled] = {}
    for event, ticket, contact in events:
        held = hands[ticket.id]
        if ticket.id not in words:  # rewording reads every sentence: once a ticket
            copy = next((row.copy for row in held if row.role == "main" and row.copy), None)
            words[ticket.id] = copy or await copies.reworded(session, ticket)
        facts = push_parts.facts(ticket, held, accused[ticket.id])
        data = push_parts.whole(
            event, ticket, facts, words=words[ticket.id], children=children[ticket.id], accused=accused[ticket.id],
            contact=contact,
        )  # fmt: skip
        filled[event.id] = Filled(facts, data)
    return filled


async def _hands(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, list[Dispatch]]:
    held = select(Dispatch).where(
        Dispatch.ticket_id.in_(ticket_ids), Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None)
    )
    found: dict[int, list[Dispatch]] = defaultdict(list)
    for row in await session.scalars(held.order_by(Dispatch.id)):
        found[row.ticket_id].append(row)
    return found


async def _accused(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, list[Accused]]:
    found: dict[int, list[Accused]] = defaultdict(list)
    for row in await session.scalars(select(Accused).where(Accused.ticket_id.in_(ticket_ids)).order_by(Accused.id)):
        found[row.ticket_id].append(row)
    return found


async def _children(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, list[Child]]:
    about = select(TicketChild.ticket_id, Child).join(Child, Child.id == TicketChild.child_id)
    about = about.where(TicketChild.ticket_id.in_(ticket_ids), Child.merged_into.is_(None))
    found: dict[int, list[Child]] = defaultdict(list)
    for ticket_id, child in await session.execute(about.order_by(Child.id)):
        found[ticket_id].append(child)
    return found


filling.register(TYPE, fill)
