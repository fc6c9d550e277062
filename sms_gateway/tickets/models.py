"""Tickets, their events, and what is kept beside them: dispatches, children, persons complained of, clocks, records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, desc, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base

from .spoken import normal_form

PROVINCE = "530000"


class Answers(Encrypted[dict[str, str] | None]):
    """Answers, and beside them what search reads: bringing a text into its normal form costs ten times what opening it does."""

    def __set__(self, row: SealedRow, value: dict[str, str] | None) -> None:
        super().__set__(row, value)
        if isinstance(row, Ticket):
            row.words = normal_form(value) if value else None


class Ticket(SealedRow, Base):
    """A matter somebody brought to the hotline: a promise with a clock. Moved only by `moves.move`, under a row lock."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("asked_in", "kind"),
        Index("ix_tickets_contact_id_id", "contact_id", "id"),
        Index("ix_tickets_open", desc("lane"), "due_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_tickets_thread_id", "thread_id"),
        Index("ix_tickets_unit", "unit", "id"),
        Index("ix_tickets_place_id", "place", "id"),
        Index("ix_tickets_category_id", "category", "id"),
        Index("ix_tickets_status_id", "status", "id"),
        Index("ix_tickets_level_category", "level", "category"),
        Index("ix_tickets_received_at", "received_at"),
        Index("ix_tickets_evaluated", "evaluated", "id", postgresql_where=text("evaluated IS NOT NULL")),
        Index("ix_tickets_returned", "id", postgresql_where=text("returns > 0")),
        Index("ix_tickets_tail", text('"right"(number, 3)')),
        Index("ix_tickets_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_tickets_closed_at", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_tickets_next_clock_at", "next_clock_at", postgresql_where=text("next_clock_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(String(8), unique=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    contact: Mapped[Contact] = relationship(lazy="raise")
    asked_in: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """`help`, `complaint`, `report`, `mandated`, `callback` (nobody was on duty), `disclosure` (orange), `suggestion`, `consultation`, `transfer`."""
    lane: Mapped[str] = mapped_column(String(8), default="blue")
    status: Mapped[str] = mapped_column(String(16), default="accepted")
    county: Mapped[str | None] = mapped_column(String(6))
    """Where the person says it is; None while nobody asked."""
    place: Mapped[str] = mapped_column(String(6), default=PROVINCE)
    """The most exact place known: a county, a prefecture, or the province."""
    category: Mapped[str | None] = mapped_column(String(8))
    """A code of `data/categories.yml`."""
    level: Mapped[str] = mapped_column(String(12), default="county")
    """At which level it is handled: `county`, `prefecture`, `province`."""
    unit: Mapped[str | None] = mapped_column(String(24))
    """The unit that handles it now, `edu@530627`; None before it is dispatched and while it is returned."""
    urgent: Mapped[bool] = mapped_column(default=False)
    """Runs in wall-clock hours although blue."""
    sensitivity: Mapped[str | None] = mapped_column(String(20))
    """`sexual`, `domestic_violence`, `self_harm`, `hiv`, `adoption`, `sealed_record`: only the handling unit and the police see it."""
    sealed: Mapped[bool] = mapped_column(default=False)
    """Kept from the guardian (who is complained of) and from the unit complained of."""
    answers_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answers = Answers()
    """What the person said, by the form's question."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    words = Encrypted[str | None]()
    """The answers in the form search reads (`spoken.normal_form`); written with them, gone with them."""
    anonymous: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    """Goes up with every move; who moves an older one gets a 409."""
    received_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    next_clock_at: Mapped[datetime | None]
    """When the clock has to look again: a warning, an overdue step. None: the clock stands or has ended."""
    paused_at: Mapped[datetime | None]
    paused_from: Mapped[str | None] = mapped_column(String(16))
    """The state a clarification came from and goes back to."""
    extensions: Mapped[int] = mapped_column(default=0)
    returns: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None]
    supervised: Mapped[int] = mapped_column(default=0)
    """How far supervision has gone up: 0 nobody, 1 the level that handles it, then one level up each."""
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    closed_at: Mapped[datetime | None]
    evaluated: Mapped[int | None]
    erased_at: Mapped[datetime | None]
    """Its contents are gone (`retention`); number, kind, times and hashes stay."""
    events: Mapped[int] = mapped_column(default=0)
    """How many events its chain has."""
    head: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The chain's last hash."""
    head_seal: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed digest of `events` and `head`: who has the database but not our key cannot shorten a chain unseen."""


class TicketEvent(SealedRow, Base):
    """Every move of a ticket, in a hash chain (`chain.py`). Append-only."""

    __tablename__ = "ticket_events"
    __table_args__ = (
        UniqueConstraint("ticket_id", "seq"),
        Index("ix_ticket_events_at", "at"),
        Index("ix_ticket_events_operator", "who", "id", postgresql_where=text("who LIKE 'operator:%'")),
        Index("ix_ticket_events_unsolved", "ticket_id", postgresql_where=text("what = 'reworked' AND who = 'person'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    seq: Mapped[int]
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(40))
    """`system`, `assistant`, `person`, `operator:7`, `unit:edu@530627:12` (an account of that unit)."""
    at: Mapped[datetime]
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str | None] = mapped_column(String(16))
    why_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    why = Encrypted[str | None]()
    """Reason, reply or note in somebody's words."""
    why_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed digest of `why`: the chain holds it, so that erasing the words breaks nothing."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Ids and codes only."""
    erased_at: Mapped[datetime | None]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)


class TicketAnchor(Base):
    """One row a day over every ticket event of that day: what the chains said then."""

    __tablename__ = "ticket_anchors"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """Shanghai's date, `2026-11-30`."""
    events: Mapped[int]
    last_event_id: Mapped[int]
    """It covers every event after the anchor before it up to this id: a late row never changes an old day."""
    root: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class TicketLink(Base):
    """What a ticket belongs to: escalations, bridge calls, further talks."""

    __tablename__ = "ticket_links"
    __table_args__ = (UniqueConstraint("ticket_id", "kind", "ref"), Index("ix_ticket_links_kind_ref", "kind", "ref"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str] = mapped_column(String(12))
    """`escalation`, `bridge`, `thread`."""
    ref: Mapped[int]
    at: Mapped[datetime]


class Dispatch(SealedRow, Base):
    """A ticket in a unit's hands: the main one, or one that helps. `copy` is all the unit reads of what was said."""

    __tablename__ = "dispatches"
    __table_args__ = (
        Index("ix_dispatches_ticket_id", "ticket_id"),
        Index("ix_dispatches_unit_id", "unit", "id"),
        Index(
            "uq_dispatches_open", "ticket_id", "unit", unique=True,
            postgresql_where=text("closed_at IS NULL AND returned_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship(lazy="raise")
    unit: Mapped[str] = mapped_column(String(24))
    role: Mapped[str] = mapped_column(String(8))
    """`main` (handles and answers), `co` (helps), `copy` (is told)."""
    copy_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    copy = Encrypted[dict[str, str] | None]()
    dispatched_at: Mapped[datetime]
    sign_due_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    """That nobody has signed for it yet."""
    supervised: Mapped[int] = mapped_column(default=0)
    """How far supervision of the signature has gone up, as `Ticket.supervised`."""


class Extension(SealedRow, Base):
    """A unit asks for more time; a shift lead decides."""

    __tablename__ = "extensions"
    __table_args__ = (
        Index("uq_extensions_open", "ticket_id", unique=True, postgresql_where=text("decided_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship(lazy="raise")
    unit: Mapped[str] = mapped_column(String(24))
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    until: Mapped[datetime]
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason = Encrypted[str]()
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    approved: Mapped[bool | None]
    """None although decided: the matter left the unit's hands before anybody decided."""
    warned_at: Mapped[datetime | None]
    """That nobody has decided yet."""


class Child(SealedRow, Base):
    """A child a matter is about: not a phone. Two records of one child are merged, never deleted."""

    __tablename__ = "children"
    __table_args__ = (
        Index("ix_children_name_index", "name_index"),
        Index("ix_children_school_index", "school_index"),
        Index("ix_children_county", "county"),
        Index("ix_children_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    county: Mapped[str | None] = mapped_column(String(6))
    age: Mapped[int | None]
    sex: Mapped[str | None] = mapped_column(String(1))
    """`m`, `f`, or None while unknown."""
    about_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    about = Encrypted[dict[str, str] | None]()
    """`name`, `age_said`, `school`, `where_now`, `with_whom`, `siblings`, `more`: what is known, in words."""
    name_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Blind index of name and county: finds a second report of the same child."""
    school_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Blind index of school and county, for the same purpose where nobody told a name."""
    made_at: Mapped[datetime]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("children.id"))


class TicketChild(Base):
    """Which children a ticket is about, and which tickets a child is in."""

    __tablename__ = "ticket_children"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), primary_key=True, index=True)
    at: Mapped[datetime]
    via: Mapped[int | None] = mapped_column(ForeignKey("children.id"))
    """The merged record this link was taken over from: undoing the merge takes it away again."""


class Accused(SealedRow, Base):
    """A person or body complained of, kept apart from child and reporter."""

    __tablename__ = "accused"
    __table_args__ = (Index("ix_accused_ticket_id", "ticket_id"), Index("ix_accused_name_index", "name_index"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    child_id: Mapped[int | None] = mapped_column(ForeignKey("children.id"))
    relation: Mapped[str | None] = mapped_column(String(24))
    """`guardian`, `relative`, `teacher`, `student`, `official`, `body`, `stranger`, `other`."""
    lives_with: Mapped[bool | None]
    public_post: Mapped[bool | None]
    """Holds a public or teaching post."""
    unit: Mapped[str | None] = mapped_column(String(24))
    """The unit this person or body belongs to, where it is one of ours."""
    about_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    about = Encrypted[dict[str, str] | None]()
    """`name`, `body` (school, shop …), `more`."""
    name_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class DutyReport(SealedRow, Base):
    """The hotline's own duty to report suspected harm: to whom, by when, receipt, or why not (signed by a shift lead)."""

    __tablename__ = "duty_reports"
    __table_args__ = (
        UniqueConstraint("ticket_id", "body"),
        Index("ix_duty_reports_open", "due_at", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship(lazy="raise")
    body: Mapped[str] = mapped_column(String(24))
    """The unit told, `police@530627`."""
    arose_at: Mapped[datetime]
    due_at: Mapped[datetime]
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    receipt_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    receipt = Encrypted[dict[str, str] | None]()
    """`number`, `person` (name and badge of who took it), `how`."""
    why_not_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    why_not = Encrypted[str | None]()
    excused_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    settled_at: Mapped[datetime | None]
    """Reported, or its omission signed."""
    filed_at: Mapped[datetime | None]
    """When the police took or filed the case (受案、立案)."""
    feedback_due_at: Mapped[datetime | None]
    feedback_at: Mapped[datetime | None]
    evidence_until: Mapped[datetime | None]
    """72 hours after sexual harm: evidence and medicine."""
    evidence_from: Mapped[str | None] = mapped_column(String(8))
    """Counted from when it happened (`told`), or, where nobody said, from the text that told of it (`received`)."""
    overdue_steps: Mapped[int] = mapped_column(default=0)
    """How often its being late was put before the shift lead."""
    reporter_told_at: Mapped[datetime | None]


class FollowUp(Base):
    """What was asked after a matter was concluded, or why nothing was."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        Index("ix_follow_ups_ticket_id", "ticket_id"),
        Index("ix_follow_ups_contact_id", "contact_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    state: Mapped[str] = mapped_column(String(12))
    """`planned`, `sent`, `lost` (did not arrive, not sent again), `skipped`, `answered`."""
    due_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(32))
    """Why nothing was sent: a `follow_up_rules.Reason`; for a lost one the state of its text."""
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    """The safe contact it goes to."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    settled_at: Mapped[datetime | None]


class Inquiry(SealedRow, Base):
    """What the desk asked the person while their matter is `clarifying`: sent, reminded of once, answered or not."""

    __tablename__ = "inquiries"
    __table_args__ = (
        Index("uq_inquiries_open", "ticket_id", unique=True, postgresql_where=text("settled_at IS NULL")),
        Index("ix_inquiries_contact_id", "contact_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship(lazy="raise")
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    words_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    words = Encrypted[str]()
    """The question as an operator released it."""
    asked_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    asked_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    """The text; None until it is day."""
    reminded_at: Mapped[datetime | None]
    desk_told_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    """Answered, or the matter went on without an answer."""


class Transfer(SealedRow, Base):
    """A matter given to the general 12345 platform or another province, with its original words."""

    __tablename__ = "transfers"
    __table_args__ = (
        Index("ix_transfers_ticket_id", "ticket_id"),
        Index("ix_transfers_for_operator", "ticket_id", postgresql_where=text("state IN ('by_hand', 'refused')")),
        UniqueConstraint("partner", "their_number"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship(lazy="raise")
    partner: Mapped[str] = mapped_column(String(16))
    """`general` (12345总台) or a province's short name."""
    state: Mapped[str] = mapped_column(String(12))
    """`requested`, `accepted`, `by_hand`, `refused`, `returned`, `closed`."""
    words_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    words = Encrypted[str]()
    their_number: Mapped[str | None] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class Attachment(SealedRow, Base):
    """A file with a reply; checked by content, sealed as a whole."""

    __tablename__ = "attachments"
    __table_args__ = (Index("ix_attachments_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_events.id"))
    who: Mapped[str] = mapped_column(String(40))
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    name = Encrypted[str]()
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    content = Encrypted[bytes]()
    """Not there once it is sealed as a sensitive picture."""
    sealed_at: Mapped[datetime | None]
    shut = False
    """Whether nobody may have it, as `attachments.list_for` found it; no column."""
    kind: Mapped[str] = mapped_column(String(8))
    """`pdf`, `jpg`, `png`, `docx`, `xlsx`."""
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content, in hex."""
    at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    """Name and content are gone; size and digest stay."""


class Dashboard(Base):
    """A supervisor's figures for one region, counted anew every minute: a page reads one row, however many tickets there are."""

    __tablename__ = "dashboards"

    scope: Mapped[str] = mapped_column(String(6), primary_key=True)
    """An adcode: the province, a prefecture or a county."""
    at: Mapped[datetime]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)


class TicketGroup(Base):
    """Tickets that say the same, found by meaning (普遍性诉求): ids and codes only, found anew every hour."""

    __tablename__ = "ticket_groups"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    found_at: Mapped[datetime]
    since: Mapped[datetime]
    looked_at: Mapped[int]
    """How many tickets were compared; the newest ones when there were more than can be."""
    cut: Mapped[bool]
    category: Mapped[str | None] = mapped_column(String(8))
    """The category most of them have."""
    ticket_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """The most typical first."""
