"""Evidence holds, the runs of the purge, and people's requests about their own data."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class EvidenceHold(SealedRow, Base):
    """证据保全: nothing of this person, nor of what belongs together with them, is purged or erased until two people lift it."""

    __tablename__ = "evidence_holds"
    __table_args__ = (
        Index("ix_evidence_holds_contact_id", "contact_id", postgresql_where=text("lifted_at IS NULL")),
        Index("ix_evidence_holds_lifted_at", "lifted_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    """The page it was set on: this ticket, or (None) the person's talk."""
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id"))
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason = Encrypted[str]()
    letter_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    letter = Encrypted[str | None]()
    """The police's or court's letter or case number, where there is one."""
    set_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    set_at: Mapped[datetime]
    lift_reason_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    lift_reason = Encrypted[str | None]()
    lift_asked_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """Another than `lift_asked_by`."""
    lifted_at: Mapped[datetime | None]


class RetentionRun(Base):
    """One day's purge: how far it has come and what went, by kind. Whoever goes on after a crash goes on here."""

    __tablename__ = "retention_runs"

    day: Mapped[date] = mapped_column(primary_key=True)
    """The day in Shanghai."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    """Work so far."""
    cut: Mapped[bool] = mapped_column(default=False)
    """Ended by its time, not because nothing was left: the next day goes on."""
    step: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)


class SubjectRequest(SealedRow, Base):
    """Somebody asks for what we have of a number, or that it be erased. The answer said is the same whatever comes of it."""

    __tablename__ = "subject_requests"
    __table_args__ = (Index("ix_subject_requests_open", "id", postgresql_where=text("done_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    """None: we know nobody with that number, or it was not to be looked up. The number itself is not kept."""
    wants: Mapped[str] = mapped_column(String(8))
    """`access` or `erasure`."""
    asker: Mapped[str] = mapped_column(String(12))
    """`request_rules.Asker`."""
    checked: Mapped[str] = mapped_column(String(12))
    """`request_rules.Checked`."""
    outcome: Mapped[str] = mapped_column(String(12))
    """`request_rules.Outcome`."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words = Encrypted[str | None]()
    """Who asked and how it was checked, in the supervisor's words."""
    recorded_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    recorded_at: Mapped[datetime]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    done_at: Mapped[datetime | None]
