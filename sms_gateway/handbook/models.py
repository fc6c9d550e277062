"""What was asked of the handbook, drafts, and the versions of approved entries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base
from sms_gateway.messages.models import Message


class Outcome(StrEnum):
    """What a question got."""

    ANSWERED = "answered"
    UNCLEAR = "unclear"
    """Asked back which of two entries was meant; `answered` once they chose."""
    UNANSWERED = "unanswered"


class Verdict(StrEnum):
    """What the person said to it."""

    USEFUL = "useful"
    USELESS = "useless"
    """Digit 2, 没用."""
    NOT_THIS = "not_this"
    """"不是这个", or neither of the two entries."""
    HANDED_OVER = "handed_over"
    """They asked for a person next."""


GAP = "settled_at IS NULL AND (outcome <> 'answered' OR verdict IN ('useless', 'not_this', 'handed_over'))"
"""The rows an editor should look at."""


class Asked(Base):
    """One question to the handbook. Its words and vector stay on the message's row, sealed."""

    __tablename__ = "handbook_asked"
    __table_args__ = (
        Index("ix_handbook_asked_gap", "id", postgresql_where=text(GAP)),
        Index("ix_handbook_asked_thread_id_id", "thread_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), unique=True)
    message: Mapped[Message] = relationship(lazy="raise", foreign_keys=[message_id])
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16))
    entry_id: Mapped[str | None] = mapped_column(String(80))
    """The entry it was answered with."""
    score: Mapped[float | None]
    verdict: Mapped[str | None] = mapped_column(String(16))
    verdict_message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    settled_at: Mapped[datetime | None]
    """When an editor had done with it: an approved entry answers it, or nothing needs to."""
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("handbook_drafts.id"))


class Draft(SealedRow, Base):
    """An entry being written. `content` is the form as typed, which need not be right yet."""

    __tablename__ = "handbook_drafts"
    __table_args__ = (Index("ix_handbook_drafts_state", "state"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    state: Mapped[str] = mapped_column(String(16), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    """Counts saves: who saves an older one hears that somebody was quicker."""
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content = Encrypted[dict[str, Any]]()
    reason_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason = Encrypted[str | None]()
    """Why it was rejected, for the one who wrote it."""
    replaces: Mapped[str | None] = mapped_column(String(80))
    """Id of the entry it is a new version of."""
    author_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    writers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Everybody who wrote in it or proposed it since it was made: none of them may decide."""
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DraftEvent(Base):
    """Every move of a draft: who, what, when. Append-only."""

    __tablename__ = "handbook_draft_events"
    __table_args__ = (Index("ix_handbook_draft_events_draft_id_id", "draft_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("handbook_drafts.id"))
    what: Mapped[str] = mapped_column(String(24))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Published(SealedRow, Base):
    """One version of an approved entry. The newest one that is not retired lies over the file of the same id."""

    __tablename__ = "handbook_entries"
    __table_args__ = (
        UniqueConstraint("entry_id", "version"),
        Index("uq_handbook_entries_live", "entry_id", unique=True, postgresql_where=text("retired_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("handbook_drafts.id"))
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    content = Encrypted[str | None]()
    """The entry as its file would be; None: the file's entry of that id is not said any more."""
    vectors_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    vectors = Encrypted[bytes | None]()
    """float16 rows of every text of the entry (`policy_faq.passages.texts_of`), made once by `engine`."""
    engine: Mapped[str | None] = mapped_column(String(80))
    approved_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    approved_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
