"""A person as the hotline knows them: an address on a channel, and what they wish."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Channel(StrEnum):
    SMS = "sms"
    WEB = "web"
    DRILL = "drill"
    """A made-up person of `hotline drill`: goes the whole way, but reaches no carrier, no real desk and no figure."""
    DESK = "desk"
    """A matter an emergency desk handed to us: real, read and worked on like any, but there is nobody to write to."""


class Contact(SealedRow, Base):
    """`address` is an E.164 number (sms), a random token (web) or a desk with its own number (desk); found by its blind index only."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("channel", "address_index"),
        Index("ix_contacts_keep_until", "keep_until", postgresql_where=text("keep_until IS NOT NULL")),
        Index(
            "ix_contacts_not_looked_at", "created_at", postgresql_where=text("keep_until IS NULL AND erased_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    channel: Mapped[str] = mapped_column(String(8))
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    address = Encrypted[str]()
    address_index: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    region: Mapped[str | None] = mapped_column(String(6))
    outreach_opted_out_at: Mapped[datetime | None]
    silent_at: Mapped[datetime | None]
    """Since when the line sends nothing (88, 别回)."""
    open_case: Mapped[bool] = mapped_column(default=False)
    """Written by tickets and escalations, read by broadcasts: no outreach to an open case."""
    keep_until: Mapped[datetime | None]
    """When `retention` looks at this person again; None: at the next purge."""
    erased_at: Mapped[datetime | None]
    """Nobody is found under this address any more; its rows stay as figures."""
