"""Rolls (名册): the numbers an editor brought, as they were read, and what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Roll(SealedRow, Base):
    """One imported file. `state`: `rolls.RollState`. Its name is often the file's, and may name people."""

    __tablename__ = "outreach_rolls"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    title = Encrypted[str]()
    created_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    """None: from the command line."""
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    lines: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    refused: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    """By `numbers.Refused`; with `taken` they add up to `lines`."""
    regions: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    """Numbers taken by county, "" where unknown."""
    groups_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    groups = Encrypted[dict[str, int] | None]()
    """Numbers taken by the group's name, which is whatever stood in the file; None: none yet."""
    consented: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(200))
    """Why the file could not be read, for the editor: speaks of lines and columns, never of a number."""
    finished_at: Mapped[datetime | None]


class RollPart(Base):
    """A piece of an uploaded file, sealed, until it is read: any machine's worker can read it, no disk keeps it."""

    __tablename__ = "outreach_roll_parts"

    roll_id: Mapped[int] = mapped_column(ForeignKey("outreach_rolls.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RollNumber(Base):
    """A number of a roll; once by roll. Sealed as in the ledger (`addresses.place`)."""

    __tablename__ = "outreach_roll_numbers"
    __table_args__ = {"postgresql_partition_by": "LIST (roll_id)"}  # noqa: RUF012 - SQLAlchemy's own form

    roll_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    address_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    region: Mapped[str] = mapped_column(String(6), default="")
    group: Mapped[str] = mapped_column(String(40), default="")
    """`addresses.group_key` of the group's name."""
    consented: Mapped[bool] = mapped_column(default=False)


class RollRefusal(Base):
    """A line that was not taken: its number in the file and why, never what stood there."""

    __tablename__ = "outreach_roll_refusals"

    roll_id: Mapped[int] = mapped_column(ForeignKey("outreach_rolls.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reason: Mapped[str] = mapped_column(String(16))


class SavedSegment(SealedRow, Base):
    """A choice of people kept under a name (`segments.Segment` as data)."""

    __tablename__ = "outreach_segments"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    title = Encrypted[str]()
    title_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    chosen: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    created_at: Mapped[datetime]
