"""Reports whose text is not known by its id: kept and tried again, since our note of it may be on its way, or its answer was lost.

A text whose answer was lost stands as `unknown`; it is settled by the report whose number, extension and minute of submission
fit it and no other (`list_lost`, `broadcasts.unknowns.list_lost`), else it stays as it is. Nothing is ever sent again for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact

from .delivery import State
from .models import Direction, Message, UnclaimedReport

KEPT = timedelta(days=3)
"""Gateways try a text for two days at most; what nobody has claimed by then is of no text of ours."""
MOST_AT_ONCE = 500
LONGEST_WAIT = 3600
"""Seconds between two tries, at last."""
EARLIER, LATER = timedelta(minutes=2), timedelta(minutes=2)
"""How long before and after the beginning of the minute a report names its text may have been handed over: it waited for a place, the
minute has 60 seconds, and the gateway's clock is not ours."""


@dataclass(frozen=True)
class Report:
    """A report as its gateway wrote it, in our states. `extension`: what stood behind our number, None for nothing."""

    carrier: str
    carrier_id: str
    state: str
    error: str | None
    address_index: bytes
    extension: str | None
    submitted_at: datetime | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.carrier, self.carrier_id, self.state


async def keep(session: AsyncSession, reports: Iterable[Report]) -> None:
    """Keep these; those that are kept already stay as they are."""
    now = clock.now()
    rows = {one.key: {**vars(one), "at": now, "tries": 0, "try_at": now} for one in reports}
    if rows:
        await session.execute(insert(UnclaimedReport).on_conflict_do_nothing(), [rows[key] for key in sorted(rows)])


async def take_due(session: AsyncSession, carrier: str) -> list[Report]:
    """Up to 500 that are to be tried again now; each waits twice as long for its next turn. Old ones are forgotten."""
    now = clock.now()
    row = UnclaimedReport
    await session.execute(delete(row).where(row.carrier == carrier, row.at < now - KEPT))
    due = select(row).where(row.carrier == carrier, row.try_at <= now).order_by(row.try_at).limit(MOST_AT_ONCE)
    found = (await session.scalars(due.with_for_update(skip_locked=True))).all()
    for one in found:
        one.tries += 1
        one.try_at = now + timedelta(seconds=min(2**one.tries, LONGEST_WAIT))
    await session.flush()
    return [
        Report(one.carrier, one.carrier_id, one.state, one.error, one.address_index, one.extension, one.submitted_at)
        for one in found
    ]


async def drop(session: AsyncSession, carrier: str, ids: Sequence[str]) -> None:
    """The texts of these ids of the carrier's were found."""
    if ids:
        row = UnclaimedReport
        await session.execute(delete(row).where(row.carrier == carrier, row.carrier_id.in_(ids)))


async def find_of_talks(session: AsyncSession, carrier: str, ids: Sequence[str]) -> set[str]:
    """Those of a carrier's ids that are of texts of talks."""
    row = Message
    known = select(row.carrier_id).where(
        row.direction == Direction.OUT, row.carrier == carrier, row.carrier_id.in_(ids)
    )
    return {found for found in await session.scalars(known) if found is not None}


async def count_old(session: AsyncSession) -> dict[str, int]:
    """By carrier: those nobody has claimed within an hour."""
    row = UnclaimedReport
    old = select(row.carrier, func.count()).where(row.at < clock.now() - timedelta(hours=1)).group_by(row.carrier)
    return dict((await session.execute(old)).all())


def window(report: Report) -> tuple[datetime, datetime] | None:
    """When its text may have been handed over; None where the report says nothing of it. Pure."""
    if report.submitted_at is None:
        return None
    return report.submitted_at - EARLIER, report.submitted_at + LATER


@dataclass(frozen=True)
class Lost:
    """A text of ours nobody has an id of. `in_flight`: its answer may still come; `whole`: it is one part, so a part's report is its own."""

    reference: int
    in_flight: bool
    whole: bool


async def list_lost(
    session: AsyncSession, *, carrier: str, address_index: bytes, handed_over: tuple[datetime, datetime]
) -> list[Lost]:
    """Texts to that number that `carrier` may have taken in that time, without our knowing under which id."""
    person = Contact.channel == Channel.SMS, Contact.address_index == address_index
    wanted = select(Message.id, Message.state, Message.segments).join(Contact, Contact.id == Message.contact_id)
    wanted = wanted.where(*person, Message.direction == Direction.OUT, Message.carrier == carrier)
    wanted = wanted.where(Message.carrier_id.is_(None), Message.state.in_((State.SENDING, State.UNKNOWN)))
    wanted = wanted.where(Message.sending_at.between(*handed_over))
    return [
        Lost(message_id, in_flight=state == State.SENDING, whole=segments == 1)
        for message_id, state, segments in await session.execute(wanted)
    ]
