"""Outreach on disk: the broadcast, its ledger (one row a number, a partition a broadcast), and what moves it.

The ledger is cut from top to bottom by number, never searched by state: no index names the state, so a row's moves stay
on its own page (PostgreSQL's HOT updates), and nothing of the send path counts rows (FIELD 2.2, GOV.UK Notify).
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.crypto import Encrypted, SealedRow
from sms_gateway.database import Base

from .lifecycle import Status


class OutreachTemplate(SealedRow, Base):
    """A text as registered with the carriers. `state`: see `templates.Registration`."""

    __tablename__ = "outreach_templates"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    title = Encrypted[str]()
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    registered_as: Mapped[str | None] = mapped_column(String(40))
    """The carrier's own number of the template."""
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted[str | None]()
    changed_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    changed_at: Mapped[datetime]


class Broadcast(SealedRow, Base):
    """One text to many. Its words are public, so they lie open; who gets it, and what colleagues call it, is sealed."""

    __tablename__ = "broadcasts"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    title = Encrypted[str]()
    body: Mapped[str] = mapped_column(Text)
    """As the editor wrote it: without signature and footer, with `{county}` and `{prefecture}` where wanted."""
    template_id: Mapped[int | None] = mapped_column(ForeignKey("outreach_templates.id"))
    status: Mapped[str] = mapped_column(String(12), default=Status.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    """Counts every change; a page that has an older one is refused."""
    created_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    created_at: Mapped[datetime]
    authors: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    """Everybody who wrote or changed any of it: none of them approves it."""
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    approved_at: Mapped[datetime | None]

    audience: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """`segments.Segment` as data: rolls, regions, groups, consent, exclusions."""
    prepared: Mapped[str] = mapped_column(String(12), default="none")
    """`none`, `preparing`, `ready`, `failed`: whether the ledger holds that audience."""
    prepared_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    """Rows of the ledger."""
    duplicates: Mapped[int] = mapped_column(default=0)
    """Numbers that stood on several rolls: they are in the ledger once."""

    scheduled_at: Mapped[datetime | None]
    """Not before then; None: as soon as it is let go."""
    hours_start: Mapped[time] = mapped_column(Time, default=time(9))
    hours_end: Mapped[time] = mapped_column(Time, default=time(20))
    """Texts arrive within these hours of each day (Asia/Shanghai)."""
    region_hours: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict)
    """Other hours of a region: adcode (of a county or a prefecture) to `["09:30", "18:00"]`."""
    pilot: Mapped[int] = mapped_column(Integer, default=1000)
    first_county: Mapped[str | None] = mapped_column(String(6))
    """Where the second wave goes; None: `waves.plan` chooses."""
    wave: Mapped[int] = mapped_column(SmallInteger, default=0)
    """The last wave that is let go."""
    waves: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """`waves.Wave` as data, with `total`."""

    carrier_segments: Mapped[float] = mapped_column(Float, default=10.0)
    """Segments a second of the whole line; outreach uses the share `pacing` leaves it."""
    reply_share: Mapped[float] = mapped_column(Float, default=0.001)
    """How many of those texted are expected to write back; what is measured takes its place."""
    quiet_days: Mapped[float] = mapped_column(Float, default=7.0)
    """Whoever got outreach in these days gets none."""
    waiting_seconds: Mapped[float] = mapped_column(Float, default=120.0)
    danger_replies: Mapped[int] = mapped_column(Integer, default=3)
    error_share: Mapped[float] = mapped_column(Float, default=0.1)
    """When it stops by itself: `pacing.Limits`."""

    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(String(12))
    """`pacing.Pause`, `person` or `wave`."""
    danger_seen: Mapped[int] = mapped_column(default=0)
    """Replies in red or orange a person has seen by letting it go on."""
    resumed_at: Mapped[datetime | None]
    rate: Mapped[float] = mapped_column(Float, default=0.0)
    """Texts a second it may send now, reckoned each second."""
    held_by: Mapped[str | None] = mapped_column(String(12))
    """Why that is less than the carrier takes (`lifecycle.Held`); None: nothing holds it."""
    measured: Mapped[float] = mapped_column(Float, default=0.0)
    """Texts a second that left lately."""
    measured_left: Mapped[int] = mapped_column(default=0)
    measured_at: Mapped[datetime | None]
    """What `measured` was reckoned from last."""
    figures_kept: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What the report reads from the ledger, kept when the ledger was dropped (`forgetting`); None: it is there."""


class BroadcastRecipient(Base):
    """One number of a broadcast: `number` counts from 1 in the order of sending. States: `recipients.State`."""

    __tablename__ = "broadcast_recipients"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "address_index"),
        {"postgresql_partition_by": "LIST (broadcast_id)"},
    )

    broadcast_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    wave: Mapped[int] = mapped_column(SmallInteger)
    region: Mapped[str] = mapped_column(String(6), default="")
    state: Mapped[str] = mapped_column(String(10), default="created")
    why: Mapped[str | None] = mapped_column(String(10))
    """`recipients.Why`, of the suppressed."""
    address_index: Mapped[bytes] = mapped_column(LargeBinary)
    """As of `contacts` (purpose `contacts.address.sms`)."""
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed for `addresses.place`: bound to the index, so it opens in a roll and in a ledger alike."""
    carrier: Mapped[str | None] = mapped_column(String(16))
    carrier_id: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(String(40))
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    """When a receipt gave the last word."""


class BroadcastLane(Base):
    """A run of numbers of one wave and region: sent from `first` to `last`, each once; `next` is the first not yet given out."""

    __tablename__ = "broadcast_lanes"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"), primary_key=True)
    wave: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    region: Mapped[str] = mapped_column(String(6), primary_key=True)
    first: Mapped[int] = mapped_column(Integer)
    last: Mapped[int] = mapped_column(Integer)
    next: Mapped[int] = mapped_column(Integer)


class BroadcastChunk(Base):
    """Numbers a worker has in hand; without a worker they wait for one. Gone once every number of it is settled."""

    __tablename__ = "broadcast_chunks"
    __table_args__ = (Index("ix_broadcast_chunks_broadcast_id", "broadcast_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"))
    wave: Mapped[int] = mapped_column(SmallInteger)
    region: Mapped[str] = mapped_column(String(6))
    first: Mapped[int] = mapped_column(Integer)
    last: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str | None] = mapped_column(String(80))
    beat_at: Mapped[datetime]
    """By the database's clock: machines need not agree on the time."""
    not_before: Mapped[datetime | None]
    """By the database's clock: a carrier that was busy gets a pause."""


class BroadcastUnknown(Base):
    """A number whose text may have left: looked up at the carrier, never sent again unless proven absent."""

    __tablename__ = "broadcast_unknowns"
    __table_args__ = (Index("ix_broadcast_unknowns_look_up_at", "look_up_at"),)

    broadcast_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    look_up_at: Mapped[datetime | None]
    """By the database's clock; None: nobody can say, it stays unknown."""
    tries: Mapped[int] = mapped_column(Integer, default=0)


class BroadcastCount(Base):
    """How many numbers of a region are in a state; with the `BroadcastTally` rows not yet added it is exact at every moment."""

    __tablename__ = "broadcast_counts"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"), primary_key=True)
    region: Mapped[str] = mapped_column(String(6), primary_key=True)
    state: Mapped[str] = mapped_column(String(24), primary_key=True)
    """A `recipients.State`, or `suppressed:` with the reason."""
    count: Mapped[int] = mapped_column(BigInteger)


class BroadcastTally(Base):
    """A change of a count: rows are only added, by whoever moved recipients in the same transaction, so nobody waits for anybody.

    The governor adds them to `BroadcastCount` each second and drops them.
    """

    __tablename__ = "broadcast_tallies"
    __table_args__ = (Index("ix_broadcast_tallies_broadcast_id", "broadcast_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(BigInteger)
    region: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(24))
    """As of `BroadcastCount`."""
    change: Mapped[int] = mapped_column(BigInteger)


class BroadcastMinute(Base):
    """What happened in a minute of a broadcast, for its curves: texts `sent`, `delivered`, `failed` …, replies by lane."""

    __tablename__ = "broadcast_minutes"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


IS_DANGER = "lane IN ('red', 'orange')"
NEEDS_SOMEBODY = "kind NOT IN ('opt_out', 'thanks', 'doubt', 'not_mine')"
"""`replies.LANES` and all but `replies.NEEDS_NOBODY`: counted each second, of hundreds of thousands that are neither."""


class BroadcastReply(Base):
    """A text that came back within the days a broadcast is remembered. `kind`: `replies.Kind`."""

    __tablename__ = "broadcast_replies"
    __table_args__ = (
        Index("ix_broadcast_replies_broadcast_id_at", "broadcast_id", "at"),
        Index("ix_broadcast_replies_danger", "broadcast_id", postgresql_where=text(IS_DANGER)),
        Index("ix_broadcast_replies_people", "broadcast_id", postgresql_where=text(NEEDS_SOMEBODY)),
    )

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"))
    number: Mapped[int] = mapped_column(Integer)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"), index=True)
    lane: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]


class BroadcastEvent(SealedRow, Base):
    """Every act on a broadcast: who, what, when. Append-only."""

    __tablename__ = "broadcast_events"
    __table_args__ = (Index("ix_broadcast_events_broadcast_id_id", "broadcast_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"))
    what: Mapped[str] = mapped_column(String(24))
    who: Mapped[str] = mapped_column(String(24))
    """`operator:3`, or `machine`."""
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Codes, names of fields and counts, never words."""
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words = Encrypted[str | None]()
    """Why it was sent back, as a colleague wrote it."""


class OutreachPace(Base):
    """What may go out right now, shared by all workers: tokens of a `carrier:…` (segments) or a `broadcast:…` (texts)."""

    __tablename__ = "outreach_pace"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    given: Mapped[float] = mapped_column(Float)
    """What the last one who asked was given."""
    at: Mapped[datetime]
    """By the database's clock."""


class CarrierReference(Base):
    """The carrier's id of a text to our reference, kept only for carriers whose receipts carry no reference of ours."""

    __tablename__ = "outreach_carrier_references"

    carrier: Mapped[str] = mapped_column(String(16), primary_key=True)
    carrier_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    reference: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class EarlyReceipt(Base):
    """A receipt with the carrier's own id only, here before our note of that text (`CarrierReference`)."""

    __tablename__ = "outreach_early_receipts"

    carrier: Mapped[str] = mapped_column(String(16), primary_key=True)
    carrier_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), primary_key=True)
    error: Mapped[str | None] = mapped_column(String(40))
    person_refuses: Mapped[bool]
    at: Mapped[datetime]
    """By the database's clock."""
