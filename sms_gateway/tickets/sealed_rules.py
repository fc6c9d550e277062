"""Which files are sealed as sensitive, and who may open one when. Pure."""

from __future__ import annotations

from datetime import datetime

from sms_gateway.departments import categories, visibility

from .models import Ticket
from .sealed_models import Opening

IMAGES = frozenset({"jpg", "png"})
"""Kinds that a page can show; PDF and Office files hold the same pictures and words, and are handed over as a download."""
HARM_KINDS = frozenset({"disclosure", "mandated", "report"})
"""Matters that are about harm by what they are."""


def is_sensitive_matter(facts: visibility.Facts, kind: str) -> bool:
    """Whether every file in it is sealed: rather too many than one. Harm by its lane or kind, sealed, sensitive or not yet known."""
    return facts.lane in visibility.HARM_LANES or kind in HARM_KINDS or visibility.is_sensitive(facts)


def is_harm(ticket: Ticket) -> bool:
    """The same of a ticket as it lies there: no list shows its words, and reading it asks why."""
    by_kind = ticket.lane in visibility.HARM_LANES or ticket.kind in HARM_KINDS
    return by_kind or ticket.sealed or categories.is_sensitive(ticket.category, ticket.sensitivity)


def may_decide(*, state: str, asked_by: int, by: int, expires_at: datetime, now: datetime) -> bool:
    """Whether `by` may allow or refuse it now: never who asked."""
    return state == Opening.ASKED and asked_by != by and now < expires_at


def may_open(*, state: str, asked_by: int, by: int, expires_at: datetime, now: datetime) -> bool:
    """Whether `by` may open it now: only who asked, once, in time."""
    return state == Opening.APPROVED and asked_by == by and now < expires_at
