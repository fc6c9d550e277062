"""Tickets and events in the API's words."""

from __future__ import annotations

from datetime import datetime

from sms_gateway import regions
from sms_gateway.departments import categories
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.seen import Seen
from sms_gateway.tickets.told import Told

from .schemas import ChildOut, EventOut, TicketOut


def ticket_out(seen: Seen, now: datetime) -> TicketOut:
    """A ticket as the unit sees it."""
    ticket, row = seen.ticket, seen.dispatch
    return TicketOut(
        number=ticket.number, version=ticket.version, kind=ticket.kind, lane=ticket.lane, status=Status(ticket.status),
        category=ticket.category, category_name=_category_name(ticket.category), place=ticket.place,
        place_name=regions.full_name(ticket.place), level=ticket.level, unit=ticket.unit,
        in_hand=row is not None and row.role == "main" and row.unit == ticket.unit, urgent=ticket.urgent,
        received_at=ticket.received_at, due_at=ticket.due_at, sign_due_at=row.sign_due_at if row else None,
        signed_at=row.signed_at if row else None, overdue=ticket.closed_at is None and ticket.due_at < now,
        returns=ticket.returns, extensions=ticket.extensions, may=sorted(seen.may), words=seen.words,
        children=[ChildOut(age=age, sex=sex) for age, sex in seen.children],
    )  # fmt: skip


def _category_name(code: str | None) -> str | None:
    found = categories.load().categories.get(code) if code else None
    return found.name if found else None


def event_out(line: Told, unit: str) -> EventOut:
    """One event; words only where the unit wrote them or they were written to it (`tickets.told`)."""
    event = line.event
    return EventOut(
        seq=event.seq, what=event.what, at=event.at, from_status=event.from_status, to_status=event.to_status,
        by=_by(event.who, unit), words=line.words,
    )  # fmt: skip


def _by(who: str, unit: str) -> str:
    if who.startswith("operator:"):
        return "desk"
    if who.startswith("unit:"):
        return "unit" if who.removeprefix("unit:").split(":")[0] == unit else "other_unit"
    return "person" if who == "person" else "system"
