"""Sensitive pictures: kept apart from all other files, opened by two people, handed to the police only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class SealedImage(SealedRow, Base):
    """The bytes of an attachment that nobody may see by the way; its own row holds none any more."""

    __tablename__ = "sealed_images"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachments.id", ondelete="CASCADE"), unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    content = Encrypted[bytes]()
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content, in hex, as it came."""
    why: Mapped[str] = mapped_column(String(8))
    """`matter`: a file in a matter of that kind; `marked`: somebody said so."""
    who: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Opening(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    OPENED = "opened"


class ImageOpening(SealedRow, Base):
    """One person asks to see one picture once, another allows it."""

    __tablename__ = "image_openings"
    __table_args__ = (
        Index("ix_image_openings_image_id", "image_id"),
        Index("ix_image_openings_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("sealed_images.id", ondelete="CASCADE"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    state: Mapped[str] = mapped_column(String(8), default=Opening.ASKED)
    asked_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    asked_at: Mapped[datetime]
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason = Encrypted[str]()
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """Until when it may be allowed; then, once allowed, until when it may be opened."""
    opened_at: Mapped[datetime | None]
