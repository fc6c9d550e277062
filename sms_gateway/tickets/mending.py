"""What the desk mends on a ticket: what kind of matter it is, where it is, how urgent, how secret. Each leaves an event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.departments.categories import NOT_SENSITIVE, Sensitivity, get_category
from sms_gateway.errors import BadInput, HotlineError

from . import deadlines, duty_arising
from .actors import Actor
from .lifecycle import Who
from .models import Ticket, TicketEvent
from .record import record_event


class PlaceUnknown(BadInput):
    sentence = "没有这个行政区划代码，请从列表里选。"


class SensitivityUnknown(BadInput):
    sentence = "没有这种敏感类别，请从列表里选。"


class OnlyTheLeadOpensUp(HotlineError):
    status_code = 403
    sentence = "把敏感、保密的改成不敏感、不保密，要值班长来改。"


async def set_category(session: AsyncSession, ticket: Ticket, *, actor: Actor, category: str) -> TicketEvent | None:
    """Put the locked ticket into a category; None when it is there. Raises `CategoryNotFound` (422)."""
    get_category(category)
    before = ticket.category
    if before == category:
        return None
    ticket.category = category
    event = await _mended(session, ticket, "category_set", actor, {"category": category, "before": before})
    await duty_arising.arise(session, ticket, since=clock.now())
    return event


async def set_place(session: AsyncSession, ticket: Ticket, *, actor: Actor, place: str) -> TicketEvent | None:
    """Put it at a place, an adcode of any level; None when it is there. Raises `PlaceUnknown` (422)."""
    try:
        region = regions.get_region(place)
    except regions.RegionNotFound:
        raise PlaceUnknown from None
    before = ticket.place
    if before == place:
        return None
    ticket.place = place
    ticket.county = place if region.level == "county" else None
    event = await _mended(session, ticket, "place_set", actor, {"place": place, "before": before})
    await duty_arising.arise(session, ticket, since=clock.now())
    return event


async def set_urgent(session: AsyncSession, ticket: Ticket, *, actor: Actor, urgent: bool) -> TicketEvent | None:
    """Urgent: a blue matter runs in wall-clock hours, counted from now, and is never due later than before.

    No longer urgent: its working days count from the text that brought it; red and orange keep their clocks.
    """
    if ticket.urgent == urgent:
        return None
    ticket.urgent = urgent
    if ticket.lane == "blue":
        ticket.due_at = _due(ticket, clock.now())
        ticket.warned_at = None
        ticket.next_clock_at = clock.now() if ticket.next_clock_at is not None else None
    return await _mended(session, ticket, "urgent_set", actor, {"urgent": urgent})


def _due(ticket: Ticket, now: datetime) -> datetime:
    if ticket.urgent:
        return min(ticket.due_at, deadlines.due_at("blue", now, kind=ticket.kind, urgent=True))
    return max(ticket.due_at, deadlines.due_at("blue", ticket.received_at, kind=ticket.kind))


async def set_secrecy(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, sealed: bool, sensitivity: str | None
) -> list[TicketEvent]:
    """Sealed (kept from guardian and unit complained of), and how sensitive: None is the category's default.

    Whoever is at the desk may close a matter up; opening it up is the lead's. Raises `SensitivityUnknown` (422),
    `OnlyTheLeadOpensUp` (403).
    """
    if sensitivity is not None and sensitivity not in {*Sensitivity, NOT_SENSITIVE}:
        raise SensitivityUnknown
    opens = (ticket.sealed and not sealed) or (
        ticket.sensitivity != sensitivity and sensitivity in (None, NOT_SENSITIVE)
    )
    if opens and actor.who is not Who.LEAD:
        raise OnlyTheLeadOpensUp
    events = []
    if ticket.sealed != sealed:
        ticket.sealed = sealed
        events.append(await _mended(session, ticket, "sealed_set", actor, {"sealed": sealed}))
    if ticket.sensitivity != sensitivity:
        ticket.sensitivity = sensitivity
        events.append(await _mended(session, ticket, "sensitivity_set", actor, {"sensitivity": sensitivity}))
    return events


async def _mended(
    session: AsyncSession, ticket: Ticket, what: str, actor: Actor, detail: dict[str, Any]
) -> TicketEvent:
    ticket.version += 1
    return await record_event(session, ticket, what, who=str(actor), detail=detail)
