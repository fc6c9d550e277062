"""The purge of everything that is nobody's talk or ticket: pushes, jobs, sessions, references, notes. One line a kind.

Each batch is its own transaction. What stands under an evidence hold is left, here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge.models import DutyTest
from sms_gateway.calls.models import Call
from sms_gateway.calls.words import Purpose
from sms_gateway.crypto import sealed_for
from sms_gateway.handbook.lifecycle import State
from sms_gateway.handbook.models import Draft
from sms_gateway.operators.models import ShiftHandover
from sms_gateway.tickets.models import Ticket

from . import connected
from .blanking import blank
from .models import EvidenceHold, SubjectRequest

BATCH = 1_000


@dataclass(frozen=True)
class Held:
    """What the sweeps must leave: Rasa's names of the talks, and the numbers of the tickets, under an evidence hold."""

    senders: Sequence[str] = field(default_factory=list)
    numbers: Sequence[str] = field(default_factory=list)


async def load_held(session: AsyncSession) -> Held:
    """Everything that belongs together with any hold."""
    contacts = await session.scalars(select(EvidenceHold.contact_id).where(EvidenceHold.lifted_at.is_(None)).distinct())
    together = await connected.load(session, *contacts)
    numbers = await session.scalars(select(Ticket.number).where(Ticket.id.in_(together.tickets)))
    return Held([f"thread-{thread}" for thread in sorted(together.threads)], list(numbers))


@dataclass(frozen=True)
class Deleting:
    """Rows that go whole. `due`: in SQL, with `:before` and, where it asks for them, `:senders` and `:numbers`."""

    kind: str
    table: str
    due: str

    async def count(self, session: AsyncSession, before: datetime, held: Held) -> int:
        counted = text(f"SELECT count(*) FROM {self.table} WHERE {self.due}")  # noqa: S608 - our own words
        return int(await session.scalar(counted, self._values(before, held)) or 0)

    async def act(self, session: AsyncSession, before: datetime, held: Held) -> int:
        found = f"SELECT ctid FROM {self.table} WHERE {self.due} LIMIT {BATCH} FOR UPDATE SKIP LOCKED"  # noqa: S608
        gone = f"WITH gone AS (DELETE FROM {self.table} WHERE ctid = ANY(ARRAY({found})) RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608
        return int(await session.scalar(text(gone), self._values(before, held)) or 0)

    def _values(self, before: datetime, held: Held) -> dict[str, Any]:
        known = {"before": before, "senders": list(held.senders), "numbers": list(held.numbers)}
        return {name: value for name, value in known.items() if f":{name}" in self.due}


@dataclass(frozen=True)
class Blanking:
    """Rows that stay without their words."""

    kind: str
    model: type[Any]
    due: Callable[[datetime], ColumnElement[bool]]
    names: tuple[str, ...]

    @property
    def table(self) -> str:
        return str(self.model.__tablename__)

    def _rows(self, before: datetime) -> ColumnElement[bool]:
        """Only rows that still hold more than an empty text, whose seal is short."""
        first = getattr(self.model, f"{self.names[0]}_sealed")
        return self.due(before) & (func.octet_length(first) > _empty())

    async def count(self, session: AsyncSession, before: datetime, _held: Held) -> int:
        return await session.scalar(select(func.count()).select_from(self.model).where(self._rows(before))) or 0

    async def act(self, session: AsyncSession, before: datetime, _held: Held) -> int:
        instead: dict[str, object] | None = {"content": {}} if self.model is Draft else None
        return await blank(session, self.model, self._rows(before), *self.names, instead=instead, limit=BATCH)


@lru_cache(maxsize=1)
def _empty() -> int:
    """Octets of an empty value, sealed: what holds words is longer."""
    return len(sealed_for("", "", UUID(int=0), ""))


FINISHED = "('succeeded', 'failed', 'cancelled', 'aborted')"
_OLD_JOB = f"status IN {FINISHED} AND NOT EXISTS (SELECT FROM procrastinate_events AS event WHERE event.job_id = procrastinate_jobs.id AND event.at >= :before)"
_OLD_EVENT = "SELECT id FROM hotline_events WHERE at < :before AND position IS NOT NULL AND subject <> ALL(CAST(:numbers AS text[]))"

SWEEPS: tuple[Deleting | Blanking, ...] = (
    Deleting("trackers", "bot_trackers", "updated_at < :before AND sender <> ALL(CAST(:senders AS text[]))"),
    Deleting("events", "event_deliveries", f"state NOT IN ('pending', 'replayed') AND event_id IN ({_OLD_EVENT})"),
    Deleting(
        "events", "hotline_events",
        f"id IN ({_OLD_EVENT}) AND NOT EXISTS (SELECT FROM event_deliveries WHERE event_id = hotline_events.id)",
    ),
    Deleting("jobs", "procrastinate_jobs", _OLD_JOB),
    Deleting("jobs", "timers", "done_at < :before"),
    Deleting("sessions", "operator_sessions", "coalesce(ended_at, last_seen_at) < :before"),
    Deleting("links", "sign_in_links", "expires_at < :before"),
    Deleting("references", "receipts", "at < :before"),
    Deleting("references", "outreach_carrier_references", "at < :before"),
    Deleting("references", "outreach_early_receipts", "at < :before"),
    Deleting("references", "carrier_parts", "at < :before"),
    Deleting("references", "uplink_parts", "at < :before"),
    Deleting("references", "carrier_unclaimed_reports", "at < :before"),
    Deleting("calls", "bridge_heard", "at < :before"),
    Blanking(
        "calls", Call, lambda before: (Call.made_at < before) & Call.purpose.in_((Purpose.NOTICE, Purpose.DUTY_TEST)), ("to",)
    ),
    Blanking("drafts", Draft, lambda before: (Draft.state == State.RETIRED) & (Draft.changed_at < before), ("content", "reason")),
    Blanking("handovers", ShiftHandover, lambda before: ShiftHandover.written_at < before, ("note",)),
    Blanking("handovers", DutyTest, lambda before: DutyTest.at < before, ("note",)),
    Blanking("requests", SubjectRequest, lambda before: SubjectRequest.done_at < before, ("words",)),
    Blanking("holds", EvidenceHold, lambda before: EvidenceHold.lifted_at < before, ("reason", "letter", "lift_reason")),
)  # fmt: skip
