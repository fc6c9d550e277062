"""What the police asked for by letter (调取证据通知书), who allowed it, and what was handed over."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Stage(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    MADE = "made"


class PoliceRequest(SealedRow, Base):
    """One letter. The file's hash stays for good; the file itself, locked by a passphrase we do not keep, for hours only."""

    __tablename__ = "police_requests"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    letter_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    letter = Encrypted[str]()
    """文书号, as on the letter."""
    unit_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    unit = Encrypted[str]()
    officers_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    officers = Encrypted[str]()
    """Names and police numbers, two at least as the law wants."""
    scope: Mapped[str] = mapped_column(String(8))
    """`ticket` or `talk`."""
    ref: Mapped[int]
    """The ticket's or the talk's id; no foreign key: the record of a hand-over outlives what was handed over."""
    since: Mapped[datetime]
    until: Mapped[datetime]
    """What was written in this time, by the letter."""
    state: Mapped[str] = mapped_column(String(8), default=Stage.ASKED)
    asked_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    decided_at: Mapped[datetime | None]
    made_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the locked file, in hex."""
    inner_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the ZIP inside it."""
    size: Mapped[int | None]
    file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    file_until: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
