"""What passes between colleagues about a talk: transfers, whispers, drills, second readings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class TalkTransfer(SealedRow, Base):
    """A talk offered to a colleague. Who has it keeps it until the other has taken it: it has an owner at every instant."""

    __tablename__ = "talk_transfers"
    __table_args__ = (
        Index("uq_talk_transfers_offered", "thread_id", unique=True, postgresql_where=text("state = 'offered'")),
        Index("ix_talk_transfers_thread_id", "thread_id"),
        Index("ix_talk_transfers_to_operator", "to_operator", postgresql_where=text("state = 'offered'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    from_operator: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    to_operator: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    mode: Mapped[str] = mapped_column(String(4))
    """`cold`: theirs at once; `warm`: offered with a note, theirs when they say yes."""
    state: Mapped[str] = mapped_column(String(10))
    """`offered`, `accepted`, `declined`, `timed_out` or `cancelled`."""
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted[str | None]()
    offered_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class TalkOpening(Base):
    """This operator may read this talk until two hours after `at`. Ids only; the reason is in the audit."""

    __tablename__ = "talk_openings"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    at: Mapped[datetime]


class Whisper(SealedRow, Base):
    """A word from a colleague to whoever has the talk; the person never sees it."""

    __tablename__ = "whispers"
    __table_args__ = (Index("ix_whispers_thread_id_id", "thread_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    from_operator: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    to_operator: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    words_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    words = Encrypted[str]()
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class Review(SealedRow, Base):
    """A second pair of eyes: every red and orange call of a day, and its 50 "no danger" texts with the highest scores."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("escalation_id"),
        UniqueConstraint("message_id"),
        Index("ix_reviews_thread_id", "thread_id"),
        Index("ix_reviews_unread", "day", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    day: Mapped[date]
    """The day in Shanghai the matter belongs to."""
    kind: Mapped[str] = mapped_column(String(12))
    """`second_read` (an escalation) or `no_danger` (a text)."""
    escalation_id: Mapped[int | None] = mapped_column(ForeignKey("escalations.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    score: Mapped[float | None]
    read_at: Mapped[datetime | None]
    read_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    verdict: Mapped[str | None] = mapped_column(String(16))
    """`fine`, `learn` (something to learn from) or `missed` (it was danger: the talk is raised at once)."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words = Encrypted[str | None]()


class ReviewDay(Base):
    """A day whose reviews were drawn: an empty day is told from one that was missed in an outage."""

    __tablename__ = "review_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class DrillRun(Base):
    """演练: made-up emergencies on the drill channel, and what came of each."""

    __tablename__ = "drill_runs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    planned: Mapped[int]


class DrillCase(Base):
    """One made-up emergency. Times are read from its escalation and its texts when the drill ends."""

    __tablename__ = "drill_cases"
    __table_args__ = (UniqueConstraint("run_id", "thread_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("drill_runs.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    harm: Mapped[str] = mapped_column(String(24))
    sent_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    first_word_at: Mapped[datetime | None]
    """The first text a person wrote (or sent with their take-over)."""
    handed_over_at: Mapped[datetime | None]
    ended: Mapped[str | None] = mapped_column(String(16))
    """`human`, `bridge` or `nobody`."""
