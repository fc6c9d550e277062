"""Texts in and out, and the talk they belong to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Author(StrEnum):
    PERSON = "person"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    """A fixed text: safe reply, confirmation, hand-over."""
    OPERATOR = "operator"


class Thread(Base):
    """One person's talk on one channel. `owner` is moved only by `conversations`, by compare-and-set on `version`."""

    __tablename__ = "threads"
    __table_args__ = (UniqueConstraint("contact_id", "channel"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    contact: Mapped[Contact] = relationship(lazy="raise")
    channel: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(16), default="assistant")
    version: Mapped[int] = mapped_column(default=1)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    lane: Mapped[str] = mapped_column(String(8), default="blue")
    created_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    """When the text that put the talk into `waiting` was received."""


class Message(SealedRow, Base):
    """One text, in or out. The judgement columns are of texts in, `state` and what follows of texts out."""

    __tablename__ = "messages"
    __table_args__ = (
        Index(
            "uq_messages_carrier_carrier_id_direction",
            "carrier",
            "carrier_id",
            "direction",
            unique=True,
            postgresql_where=text("carrier_id IS NOT NULL"),
        ),
        Index("ix_messages_thread_id_id", "thread_id", "id"),
        Index("ix_messages_at", "at", postgresql_using="brin"),  # the last minutes of a table that only grows
        Index(
            "ix_messages_unsettled",
            "state",
            "sending_at",
            postgresql_where=text("state IN ('queued', 'sending', 'unknown')"),
        ),
        Index("ix_messages_kept", "contact_id", "at", postgresql_where=text("erased_at IS NULL")),
        Index("ix_messages_unanswered", "at", postgresql_where=text("direction = 'in' AND answered_by IS NULL")),
        Index(
            "uq_messages_reply_to_reply_slot",
            "reply_to",
            "reply_slot",
            unique=True,
            postgresql_where=text("reply_to IS NOT NULL"),
        ),
        Index(
            "uq_messages_thread_id_client_token",
            "thread_id",
            "client_token",
            unique=True,
            postgresql_where=text("client_token IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    thread: Mapped[Thread] = relationship(lazy="raise")
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    contact: Mapped[Contact] = relationship(lazy="raise")
    direction: Mapped[str] = mapped_column(String(3))
    author: Mapped[str] = mapped_column(String(12))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    body = Encrypted[str]()
    at: Mapped[datetime]
    """Texts in: when our door read it (`received_at`). Texts out: when it was queued."""
    carrier: Mapped[str] = mapped_column(String(16))
    carrier_id: Mapped[str | None] = mapped_column(String(64))
    extension: Mapped[str | None] = mapped_column(String(12))
    """A text in: the digits behind our number that it was sent to, which say what it answers (`carriers.cmpp.numbers`)."""
    trace: Mapped[str | None] = mapped_column(String(16))
    """A text in: its own. A text out: of the text or the act it comes from, so that a receipt finds back (`tracing`)."""

    lane: Mapped[str | None] = mapped_column(String(8))
    harm: Mapped[str | None] = mapped_column(String(24))
    services: Mapped[list[str] | None] = mapped_column(ARRAY(String(3)))
    immediacy: Mapped[str | None] = mapped_column(String(8))
    score: Mapped[float | None]
    writer: Mapped[str | None] = mapped_column(String(16))
    sexual: Mapped[bool | None]
    unsure: Mapped[bool | None]
    reply_key: Mapped[str | None] = mapped_column(String(40))
    reasons_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reasons = Encrypted[list[str] | None]()
    vector_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    vector = Encrypted[bytes | None]()
    judged_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(12))
    """`judge`, `turn`, `operator`, `spool`, `rescue` or `later` (its answer is put off): who dealt with this text; nothing more is sent for it."""
    turn_tries: Mapped[int] = mapped_column(default=0)

    state: Mapped[str | None] = mapped_column(String(16))
    text_key: Mapped[str | None] = mapped_column(String(40))
    reply_to: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    reply_slot: Mapped[int | None]
    """Number of this reply among the replies to one text: a retried turn cannot answer twice."""
    client_token: Mapped[str | None] = mapped_column(String(36))
    """Made by the operator's page for each reply: a post repeated after a lost answer sends once."""
    segments: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    looked_up_at: Mapped[datetime | None]
    """When the sweep last cared for a text that hangs."""
    error: Mapped[str | None] = mapped_column(String(40))
    erased_at: Mapped[datetime | None]
    """Its words are gone: `retention` put a sentence in their place."""


class Receipt(Base):
    """A delivery receipt as a carrier gave it, kept since it may come before our own record of the sending."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("carrier", "carrier_id", "state"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    carrier: Mapped[str] = mapped_column(String(16))
    carrier_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]


class CarrierPart(Base):
    """A part of a long text, with a report of its own: the text arrived when all of them did. Only texts of several parts have any."""

    __tablename__ = "carrier_parts"
    __table_args__ = (Index("ix_carrier_parts_carrier_carrier_id", "carrier", "carrier_id"),)

    carrier: Mapped[str] = mapped_column(String(16), primary_key=True)
    part_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    carrier_id: Mapped[str] = mapped_column(String(64))
    """The id the text goes by: that of its first part."""
    reference: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str | None] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]


class UplinkPart(SealedRow, Base):
    """A part of a long text in, until the text is whole (`uplink_parts`); then a mark by which it is known when it comes again."""

    __tablename__ = "uplink_parts"
    __table_args__ = (
        UniqueConstraint("part_index"),
        Index("ix_uplink_parts_whole_index", "whole_index"),
        Index("ix_uplink_parts_waiting", "at", postgresql_where=text("taken_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    carrier: Mapped[str] = mapped_column(String(16))
    part_index: Mapped[bytes] = mapped_column(LargeBinary)
    whole_index: Mapped[bytes] = mapped_column(LargeBinary)
    reference: Mapped[int]
    total: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    part_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    part = Encrypted[list[Any] | None]()
    at: Mapped[datetime]
    taken_at: Mapped[datetime | None]


class UnclaimedReport(Base):
    """A report whose text we do not know by its id: our note may still come, or it is of a text whose answer was lost (`unclaimed`)."""

    __tablename__ = "carrier_unclaimed_reports"
    __table_args__ = (Index("ix_carrier_unclaimed_reports_try_at", "try_at"),)

    carrier: Mapped[str] = mapped_column(String(16), primary_key=True)
    carrier_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), primary_key=True)
    error: Mapped[str | None] = mapped_column(String(40))
    address_index: Mapped[bytes] = mapped_column(LargeBinary)
    extension: Mapped[str | None] = mapped_column(String(12))
    submitted_at: Mapped[datetime | None]
    """The minute in which the gateway had it; None where it wrote none."""
    at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    try_at: Mapped[datetime]


class PendingQuestion(Base):
    """The one question a person may still answer with a digit."""

    __tablename__ = "pending_questions"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    asked_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Ids and slot names only."""


class ThreadEvent(Base):
    """Every move of a talk: who, what, when. Append-only."""

    __tablename__ = "thread_events"
    __table_args__ = (Index("ix_thread_events_thread_id_id", "thread_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
