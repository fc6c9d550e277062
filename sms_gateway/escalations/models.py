"""Calls for a human, and what happened to each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Escalation(SealedRow, Base):
    """Open until a person ends it. One open escalation a talk; red rings, orange is on top without ringing, blue waits in line."""

    __tablename__ = "escalations"
    __table_args__ = (
        Index("uq_escalations_open_thread", "thread_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_escalations_thread_id", "thread_id"),
        Index("ix_escalations_acknowledged_at", "acknowledged_at"),
        Index("ix_escalations_open", "lane", "received_at", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    contact: Mapped[Contact] = relationship(lazy="raise")
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    cause: Mapped[str] = mapped_column(String(24))
    """`danger`, `disclosure`, `asked_for_person`, `assistant_silent`, `unsure`, `silence_word`."""
    lane: Mapped[str] = mapped_column(String(8))
    harm: Mapped[str | None] = mapped_column(String(24))
    services: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default=list)
    reasons_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reasons = Encrypted[list[str] | None]()
    state: Mapped[str] = mapped_column(String(16), default="ringing")
    received_at: Mapped[datetime]
    """When our door read the text: every clock runs from here."""
    opened_at: Mapped[datetime]
    step: Mapped[int] = mapped_column(default=-1)
    """The last step of the ladder that was taken; -1: none yet."""
    ring_from: Mapped[datetime | None]
    """What the ladder counts from, where it is not `received_at`: the moment the talk was given back."""
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(24))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted[str | None]()
    signed_off_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """The supervisor who let it end although a bridge was used."""


class LookBack(SealedRow, Base):
    """回看: after the child was seen somebody looks again at 24 h, 72 h, 7 d and 30 d, through the safe contact or on the spot."""

    __tablename__ = "look_backs"
    __table_args__ = (
        UniqueConstraint("escalation_id", "mark"),
        Index("ix_look_backs_contact_id", "contact_id"),
        Index("ix_look_backs_open", "due_at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    region: Mapped[str | None] = mapped_column(String(6))
    mark: Mapped[str] = mapped_column(String(4))
    """`24h`, `72h`, `7d` or `30d`."""
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    result: Mapped[str | None] = mapped_column(String(16))
    """`safe`, `not_reached` or `unsafe` (which opens the danger again)."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words = Encrypted[str | None]()


class DutyNotice(Base):
    """A text or a call to a supervisor's on-duty phone while danger waits: nothing about the child in it."""

    __tablename__ = "duty_notices"
    __table_args__ = (UniqueConstraint("escalation_id", "operator_id", "kind", "round"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """None: the hotline's own duty phone (`HOTLINE_DUTY_PHONE`)."""
    kind: Mapped[str] = mapped_column(String(4))
    """`text` or `call`."""
    round: Mapped[int]
    """Counts the times this escalation came to that step, from 1; 0: orange, unread."""
    state: Mapped[str] = mapped_column(String(12))
    """`queued`, `sent` or `failed`."""
    at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(40))


class EscalationEvent(Base):
    """Every step of an escalation. Append-only."""

    __tablename__ = "escalation_events"
    __table_args__ = (Index("ix_escalation_events_escalation_id_id", "escalation_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
