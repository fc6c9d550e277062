"""The calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Call(SealedRow, Base):
    """One call to one phone. Addresses that leave us carry its random `uid` only."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_purpose_subject_id", "purpose", "subject_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(12))
    """See `words.Purpose`."""
    subject_id: Mapped[int]
    """The bridge call, duty notice or duty test it is for."""
    to_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    to = Encrypted[str]()
    """As it is dialled."""
    conference: Mapped[str | None] = mapped_column(String(32))
    """The random name of the conference it joins."""
    state: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    exchange_id: Mapped[str | None] = mapped_column(String(64))
    """The exchange's own id for it."""
    key: Mapped[str | None] = mapped_column(String(1))
    """What was pressed."""
    error: Mapped[str | None] = mapped_column(String(40))
    """A code, never the exchange's words."""
