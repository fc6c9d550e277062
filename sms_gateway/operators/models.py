"""Who works here, and what they were seen to do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base


class Role(StrEnum):
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    """Writes the handbook; has no talks, sees no queue, and is never on duty."""
    DEPARTMENT = "department"
    """Handles tickets for one unit (承办单位); sees that unit's matters only, and is never on duty."""
    QUALITY = "quality"
    """质检员: reads every red and orange talk a second time and the "no danger" texts with the highest scores; never on duty."""
    FOLLOWER = "follower"
    """个案跟进人 of one county (`12345@530627`): looks again after 24 h, 72 h, 7 and 30 days; has no talks, is never on duty."""


class Operator(SealedRow, Base):
    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    name = Encrypted[str]()
    badge: Mapped[str] = mapped_column(String(8), unique=True)
    """工号, what a child may see instead of a name."""
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str | None] = mapped_column(String(24))
    """The unit a department's account works for (`edu@530627`); a supervisor's region as `12345@530600`; None: the whole province."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    on_duty: Mapped[bool] = mapped_column(default=False)
    last_seen_at: Mapped[datetime | None]
    """Last heartbeat of an open console page."""
    must_change_password: Mapped[bool] = mapped_column(default=False)
    """The password was made by somebody else at the command line: good for one sign-in, which asks for an own one."""
    trained: Mapped[bool] = mapped_column(default=False)
    """未保专席: only a trained child-protection seat takes red and orange."""
    woman: Mapped[bool | None]
    """For girls who want a woman, and for shifts, which need at least one; None: not said."""
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone = Encrypted[str | None]()
    """The on-duty phone, E.164: rung when red waits for the supervisor."""
    duty_since: Mapped[datetime | None]
    break_until: Mapped[datetime | None]
    """After a severe case nothing is offered to them until then."""
    severe_in_a_row: Mapped[int] = mapped_column(default=0)
    """Severe cases since they last stepped out; at three they are relieved (PRACTICE section 8)."""
    needs_help_at: Mapped[datetime | None]
    """Since when they ask a supervisor to come ("我现在需要帮忙")."""


class OperatorSession(Base):
    """A signed-in browser: a row, so that any process serves any request."""

    __tablename__ = "operator_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    operator: Mapped[Operator] = relationship(lazy="raise")
    csrf: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    """The role it was opened with: an account whose role is another by now has no session left."""
    how: Mapped[str] = mapped_column(String(8), default="password")
    """`password` or `link`."""
    waits_for: Mapped[str | None] = mapped_column(String(8))
    """What is still asked before it is a session (`stepping.Step`); None: signed in."""
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInTry(Base):
    """Wrong tries on one budget (`tries.py`)."""

    __tablename__ = "sign_in_tries"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failed: Mapped[int]
    last_at: Mapped[datetime]
    until: Mapped[datetime | None]
    """No try is taken before."""


class SecondFactor(SealedRow, Base):
    """An authenticator app bound to an account (TOTP, RFC 6238)."""

    __tablename__ = "second_factors"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    secret = Encrypted[str]()
    """Base32."""
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """None until a first code was right: it asks for nothing before."""
    last_step: Mapped[int | None]
    """Time step of the last code taken: neither it nor an older one is taken again."""


class RecoveryCode(Base):
    """One of ten codes for the day the phone is lost; each works once."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), index=True)
    used_at: Mapped[datetime | None]


class Recusal(Base):
    """ "我认识这家人": this operator may see nothing of this person any more. Never taken back by themselves."""

    __tablename__ = "recusals"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    at: Mapped[datetime]


class ShiftHandover(SealedRow, Base):
    """交接班: what one shift leaves to the next, and who took it."""

    __tablename__ = "shift_handovers"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    written_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    written_at: Mapped[datetime]
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted[str | None]()
    left_open: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Ids only, as they stood: `{"threads": [..], "bridge": [..], "tickets": [..], "posts": [..]}`."""
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    taken_at: Mapped[datetime | None]


class SignInLink(Base):
    """A link that signs in once."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AuditRow(SealedRow, Base):
    """Who looked at or changed what, in a hash chain (`audit_chain.py`). Append-only (a trigger says so), ids only; a reason given in
    words is sealed. Written by `audit.write` alone; no foreign key: an account that goes takes nothing of this with it.
    """

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("stream", "seq"),
        Index("ix_audit_at", "at"),
        Index("ix_audit_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime]
    operator_id: Mapped[int | None]
    what: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))
    detail_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    detail = Encrypted[str | None]()
    """Why, in the operator's words: for an export."""
    has_detail: Mapped[bool]
    """Whether a reason was given; the words themselves may go after their time (`audit_anchors.blank_through`)."""
    stream: Mapped[str] = mapped_column(String(32))
    """Whose chain: `operator:7`, `key:3` (a department's system), `terminal` (the command line), `system`."""
    seq: Mapped[int]
    """Its place in that chain, from 1."""
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditStream(Base):
    """Where each chain of the audit ends."""

    __tablename__ = "audit_streams"

    stream: Mapped[str] = mapped_column(String(32), primary_key=True)
    length: Mapped[int]
    head: Mapped[bytes] = mapped_column(LargeBinary)
    seal: Mapped[bytes] = mapped_column(LargeBinary)
    """Keyed digest of both: who has the database but not our key cannot shorten a chain unseen."""


class AuditAnchor(Base):
    """One row a day: where each chain of the audit stood when the day was over. Kept for ever, also when its rows are dropped."""

    __tablename__ = "audit_anchors"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """Shanghai's date, `2026-11-30`."""
    rows: Mapped[int]
    """How many rows the day has."""
    heads: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Of the chains that moved: `{"operator:7": [12, "<chain hash in hex>"]}`."""
    root: Mapped[bytes] = mapped_column(LargeBinary)
    """HMAC over the root before it and this row."""
    at: Mapped[datetime]


class ApiKey(Base):
    """Lets a system of one unit read and move that unit's tickets through the REST API."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    unit: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
