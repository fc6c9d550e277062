"""Bridge calls, everything that happened to each, and the county's duty book."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base

WITH_DESK = ("accepted", "concluded")
"""States in which the desk has taken the matter and has not given it back."""


class BridgeCall(SealedRow, Base):
    """One hand-over to one emergency desk: `requested -> accepted -> concluded`, or `failed`, or `returned` (not theirs)."""

    __tablename__ = "bridge_calls"
    __table_args__ = (
        Index("uq_bridge_calls_open", "escalation_id", "service", unique=True, postgresql_where=text("state = 'requested'")),
        Index("ix_bridge_calls_thread_id", "thread_id"),
        Index("ix_bridge_calls_open", "state", "requested_at", postgresql_where=text("state IN ('requested', 'accepted', 'failed')")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    """The ticket the matter came from; for a returned one the ticket that was made of it."""
    service: Mapped[str] = mapped_column(String(3))
    """`110`, `119`, `120` or `122`."""
    desk: Mapped[str] = mapped_column(String(16))
    """Whose desk: service and adcode, `110@530600`."""
    driver: Mapped[str] = mapped_column(String(12))
    """`linkage`, `call`, `text12110`, `simulator` or `hand` (no desk is set up, or the operator called by telephone)."""
    state: Mapped[str] = mapped_column(String(12))
    requested_at: Mapped[datetime]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """None: the ladder did it (an automatic bridge)."""
    incident_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    incident = Encrypted[dict[str, Any]]()
    """What was handed over: `incident.Incident` as plain values."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(40))
    """A code of ours, never the desk's words."""
    alarmed_at: Mapped[datetime | None]
    """When it was called out that nobody had accepted in time."""
    receipt: Mapped[str | None] = mapped_column(String(40))
    """The desk's own number for it (警情编号)."""
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """The supervisor who saw a failed one and wrote how it was mended: until then it stays red on the wall."""
    settled_at: Mapped[datetime | None]


class BridgeEvent(SealedRow, Base):
    """Every step of a bridge call: sent, no answer, accepted, an update from the desk, a call state. Append-only."""

    __tablename__ = "bridge_events"
    __table_args__ = (Index("ix_bridge_events_call_id_id", "call_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("bridge_calls.id"))
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(24))
    """`system`, `operator:3` or `desk`."""
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Codes and ids only."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words = Encrypted[str | None]()
    """What the desk or the operator said."""


class BridgeHeard(Base):
    """Ids of messages a desk sent us: a replayed one is told from a new one."""

    __tablename__ = "bridge_heard"

    desk: Mapped[str] = mapped_column(String(16), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class DeskMatter(SealedRow, Base):
    """A matter an emergency desk handed to us because it is no emergency: the desk's number, our ticket, what the desk was told."""

    __tablename__ = "desk_matters"
    __table_args__ = (
        UniqueConstraint("desk", "number"),
        Index("ix_desk_matters_thread_id", "thread_id"),
        Index("ix_desk_matters_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    desk: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(40))
    """The desk's own."""
    said_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    said = Encrypted[dict[str, str]]()
    """What the desk wrote, by field: what, place, child, caller, phone, kind."""
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[str] = mapped_column(String(8))
    """The ticket's number, which the desk knows it by."""
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    """What has become of it, in words of `platforms.linkage`; `taken` at first."""
    told: Mapped[str] = mapped_column(String(12))
    """The last state the desk has heard; `taken` was the answer to its post."""
    tries: Mapped[int] = mapped_column(default=0)
    """Tries to tell the present state."""
    ended_at: Mapped[datetime | None]
    """When its last state was told, or telling it was given up: it is not looked at any more."""


class DutyPost(SealedRow, Base):
    """A line of a county's duty book (值守通讯录): who answers there, day or night."""

    __tablename__ = "duty_posts"
    __table_args__ = (Index("ix_duty_posts_region", "region", postgresql_where=text("ended_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region: Mapped[str] = mapped_column(String(6))
    """The county's adcode (a prefecture's or the province's for their own desks)."""
    kind: Mapped[str] = mapped_column(String(16))
    """A key of `duty_book.KINDS`: `desk110`, `police_post`, `civil_night`, `shelter`, `township`, `village`, `hospital` ..."""
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    name = Encrypted[str]()
    """Of the post, or of who keeps it."""
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone = Encrypted[str]()
    """As it is dialled: E.164, or a short number with its area code."""
    hours_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    hours = Encrypted[str]()
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    ended_at: Mapped[datetime | None]


class DutyTest(SealedRow, Base):
    """拨测: one monthly test call to a post. Append-only."""

    __tablename__ = "duty_tests"
    __table_args__ = (Index("ix_duty_tests_post_id_id", "post_id", "id"), UniqueConstraint("post_id", "call_reference"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("duty_posts.id"))
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """None: called by the machine."""
    result: Mapped[str] = mapped_column(String(12))
    """`calling`, `answered`, `unanswered` or `wrong_number`."""
    call_reference: Mapped[str | None] = mapped_column(String(64))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted[str | None]()
