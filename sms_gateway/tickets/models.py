"""Tickets and their events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Ticket(SealedRow, Base):
    """A matter somebody brought to the hotline: a promise with a clock."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("asked_in", "kind"),
        Index("ix_tickets_contact_id_id", "contact_id", "id"),
        Index("ix_tickets_open", "lane", "due_at", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(String(8), unique=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    contact: Mapped[Contact] = relationship(lazy="raise")
    asked_in: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """`help`, `complaint`, `report`, `mandated`, `callback` (nobody was on duty), `disclosure` (orange)."""
    lane: Mapped[str] = mapped_column(String(8), default="blue")
    status: Mapped[str] = mapped_column(String(16), default="accepted")
    county: Mapped[str | None] = mapped_column(String(6))
    answers_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answers = Encrypted[dict[str, str] | None]()
    """What the person said, by the form's question."""
    anonymous: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    evaluated: Mapped[int | None]


class TicketEvent(Base):
    """Every move of a ticket. Append-only."""

    __tablename__ = "ticket_events"
    __table_args__ = (Index("ix_ticket_events_ticket_id_id", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
