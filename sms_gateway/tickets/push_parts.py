"""The parts of what departments get of a ticket's event, from its rows. Pure; `events.shaping` decides who gets which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.departments import rewording
from sms_gateway.departments.visibility import Facts, is_sensitive

from .draft import OPTIONS
from .lifecycle import Status
from .models import Accused, Child, Dispatch, Ticket, TicketEvent
from .told import MEANT_FOR_UNITS, unit_of
from .visible import COPY_ROLE, HANDLING_ROLES

SHOWN_DETAIL = ("unit", "co", "duty", "meeting", "category", "lane", "level", "until")
"""Of an event's detail; ids of messages, people and talks stay here."""
NAMED_TO_HANDLER = frozenset({"help", "complaint", "suggestion", "consultation", "callback"})
"""Kinds in which the unit that handles the matter may ask the person itself. Whoever reports harm is never named: even the
police get the number only after asking (PRACTICE section 7).
"""
OPEN, CALL_ME = OPTIONS["secret"][1], OPTIONS["contact"][1]
"""Answers by which a person lets the unit know their number."""
ABOUT_CHILD = ("name", "school")
TOLD_OF_CHILD = ("where_now", "with_whom", "siblings", "more")
"""In somebody's words: reworded."""
ABOUT_ACCUSED = ("name", "body")


def facts(ticket: Ticket, hands: Sequence[Dispatch], accused: Sequence[Accused]) -> Facts:
    """As `visible.facts_of`, from rows that are there already."""
    handling = {row.unit for row in hands if row.role in HANDLING_ROLES} | ({ticket.unit} if ticket.unit else set())
    return Facts(
        category=ticket.category, place=ticket.place, level=ticket.level, lane=ticket.lane, sensitivity=ticket.sensitivity,
        units=frozenset(handling), complained_of=frozenset(row.unit for row in accused if row.unit), sealed=ticket.sealed,
        copied=frozenset(row.unit for row in hands if row.role == COPY_ROLE),
    )  # fmt: skip


def ticket_part(ticket: Ticket, known: Facts) -> dict[str, Any]:
    return {
        "number": ticket.number, "kind": ticket.kind, "category": ticket.category, "status": ticket.status,
        "lane": ticket.lane, "urgent": ticket.urgent, "place": ticket.place, "level": ticket.level,
        "units": sorted(known.units), "received_at": ticket.received_at.isoformat(), "due_at": ticket.due_at.isoformat(),
        "sensitivity": ticket.sensitivity, "sealed": ticket.sealed, "anonymous": ticket.anonymous,
    }  # fmt: skip


def event_part(event: TicketEvent) -> dict[str, Any]:
    """What and when; `by` is a unit's code, `hotline` or `person`.

    `why`: the desk's words to the units that handle the matter. `reply`: a unit's answer, reworded for all others.
    """
    unit = unit_of(event.who)
    by = unit or ("person" if event.who == "person" else "hotline")
    part: dict[str, Any] = {
        "what": event.what, "at": event.at.isoformat(), "by": by, "from_status": event.from_status,
        "to_status": event.to_status, "detail": {name: event.detail[name] for name in SHOWN_DETAIL if name in event.detail},
    }  # fmt: skip
    if event.why and event.what in MEANT_FOR_UNITS and event.who.startswith("operator:"):
        part["why"] = event.why
    if event.why and unit is not None and event.what == Status.REPLIED:
        part["reply"] = rewording.reword(event.why, keep_times=True)
    return part


def child_part(child: Child) -> dict[str, Any]:
    about = child.about or {}
    part: dict[str, Any] = {"age": child.age, "sex": child.sex, "county": child.county}
    part |= {name: about[name] for name in ABOUT_CHILD if name in about}
    return part | {name: rewording.reword(about[name], keep_times=True) for name in TOLD_OF_CHILD if name in about}


def accused_part(row: Accused) -> dict[str, Any]:
    """Without `more`: what answers say of somebody ("我爸") says who wrote it."""
    about = row.about or {}
    known = {
        "relation": row.relation, "lives_with": row.lives_with, "public_post": row.public_post, "unit": row.unit,
    }  # fmt: skip
    return known | {name: about[name] for name in ABOUT_ACCUSED if name in about}


def reporter_part(ticket: Ticket, known: Facts, contact: Contact | None) -> dict[str, str] | None:
    """The number to ask back at, where the person said that it need not be kept or that they want to be called; else None."""
    said = ticket.answers or {}
    allowed = said.get("secret") == OPEN or said.get("contact") == CALL_ME
    harmless = ticket.kind in NAMED_TO_HANDLER and ticket.lane == "blue" and not is_sensitive(known)
    if contact is None or ticket.anonymous or not (allowed and harmless):
        return None
    if contact.channel != Channel.SMS or contact.silent_at is not None:
        return None
    return {"number": contact.address}


def whole(
    event: TicketEvent, ticket: Ticket, known: Facts, *, words: Mapping[str, str], children: Sequence[Child],
    accused: Sequence[Accused], contact: Contact | None,
) -> dict[str, Any]:  # fmt: skip
    """Everything; `words` are the reworded ones."""
    data: dict[str, Any] = {
        "ticket": ticket_part(ticket, known),
        "event": event_part(event),
        "words": {"copy": dict(words)},
        "children": [child_part(child) for child in children],
        "accused": [accused_part(row) for row in accused],
    }
    reporter = reporter_part(ticket, known, contact)
    return data | ({"reporter": reporter} if reporter else {})
