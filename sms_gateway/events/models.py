"""Events for departments, who subscribed, and what became of each event for each subscriber."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base
from sms_gateway.operators.models import Operator


class State(StrEnum):
    """What became of one event for one subscriber."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Tried for three days in vain: shown, and sent again when somebody asks for it."""
    REPLAYED = "replayed"
    """A dead one that somebody asked for again: its one try comes before anything else."""
    WITHHELD = "withheld"
    """Never sent: what became known before its turn forbids it (who is complained of, that it is sealed), or its words were erased."""


WAITS = text("event_deliveries.state IN ('pending', 'replayed')")
"""As the index of waiting deliveries is written: with parameters in it, a prepared plan would not use that index."""
DEAD = text("event_deliveries.state = 'dead'")


class HotlineEvent(SealedRow, Base):
    """Something that happened to a ticket, written in the transaction in which it happened. Append-only.

    `uid` is the event's id in CloudEvents and in `webhook-id`. `id` follows the order of writing, which is not the order
    of commits; `position` is given after the commit, one after the other, and is what readers count by.
    """

    __tablename__ = "hotline_events"
    __table_args__ = (
        Index("ix_hotline_events_new", "id", postgresql_where=text("position IS NULL")),
        Index("ix_hotline_events_subject_id", "subject", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int | None] = mapped_column(unique=True)
    type: Mapped[str] = mapped_column(String(80))
    """`cn.yunnan.12345.ticket.dispatched`."""
    subject: Mapped[str] = mapped_column(String(24))
    """The ticket's number."""
    at: Mapped[datetime]
    ref: Mapped[int | None]
    """What the event's source fills facts and data in from (`filling.py`)."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Codes only, the fields of `departments.visibility.Facts`: what decides who sees how much."""
    data_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    data = Encrypted[dict[str, Any] | None]()
    """None until filled in, and again once it was erased."""
    fanned_out_at: Mapped[datetime | None]


class Subscription(SealedRow, Base):
    """Where a unit wants its events. Everything up to `delivered_position` is settled: delivered, or dead."""

    __tablename__ = "event_subscriptions"
    __table_args__ = (UniqueConstraint("unit", "url"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    unit: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(String(500))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    secret = Encrypted[str]()
    """`whsec_…`, as Standard Webhooks write it."""
    categories: Mapped[list[str] | None] = mapped_column(ARRAY(String(40)))
    """None: all that the unit may see."""
    active: Mapped[bool] = mapped_column(default=True)
    paused_reason: Mapped[str | None] = mapped_column(String(16))
    """`asked`, or `gone` (the subscriber answered 410)."""
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey(Operator.id))
    """None: made at the command line."""
    delivered_position: Mapped[int] = mapped_column(default=0)
    last_delivered_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in vain since the last one that went well."""
    last_status: Mapped[str | None] = mapped_column(String(16))
    """`204`, `500`, `timeout`, `redirect`, `unreachable`, `not_allowed`: of the last try."""
    next_at: Mapped[datetime | None]
    """No try before; None: at once."""
    leased_by: Mapped[UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime | None]
    """One run at a time sends to a subscriber; a run that died is taken over after this."""


class Delivery(Base):
    """One event for one subscriber, and how much of it that unit sees. The database makes it once."""

    __tablename__ = "event_deliveries"
    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        Index(
            "ix_event_deliveries_waiting",
            "subscription_id",
            text("state DESC"),  # replayed before pending
            "position",
            postgresql_where=text("state IN ('pending', 'replayed')"),
        ),
        Index("ix_event_deliveries_dead", "id", postgresql_where=text("state = 'dead'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("event_subscriptions.id"))
    subscription: Mapped[Subscription] = relationship(lazy="raise")
    event_id: Mapped[int] = mapped_column(ForeignKey("hotline_events.id"))
    event: Mapped[HotlineEvent] = relationship(lazy="raise")
    position: Mapped[int]
    sight: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12), default=State.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    first_tried_at: Mapped[datetime | None]
    last_status: Mapped[str | None] = mapped_column(String(16))
    delivered_at: Mapped[datetime | None]
