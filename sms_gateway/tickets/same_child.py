"""Whether two records may be of one child: by name, by school and age, by who told. Suggestions, for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .children import is_live
from .models import Child, Ticket, TicketChild

YEAR_DAYS = 365.25
AGE_APART = 1
"""Years: people round, and a birthday comes in between."""
MOST = 12
NOT_A_REPORT = frozenset({"suggestion", "consultation", "transfer"})


class Likeness(StrEnum):
    NAME = "name"
    """The same name in the same county."""
    SCHOOL = "school"
    """The same school in the same county, and the same age."""
    CONTACT = "contact"
    """Told of by the same person."""


@dataclass(frozen=True)
class Candidate:
    """A record that may be of the same child, and why; `tickets` it is in."""

    child: Child
    why: tuple[Likeness, ...]
    tickets: tuple[int, ...]


def may_be_one(one: Child, other: Child) -> bool:
    """Whether nothing speaks against it: sex, or age with the time between the records taken into account."""
    if one.sex and other.sex and one.sex != other.sex:
        return False
    if one.age is None or other.age is None:
        return True
    years = (one.made_at - other.made_at).total_seconds() / 86_400 / YEAR_DAYS
    return abs(one.age - other.age - years) <= AGE_APART + 0.5


def likeness(one: Child, other: Child, *, same_contact: bool = False) -> tuple[Likeness, ...]:
    """Why they may be one child; empty when they are not, or nothing says so."""
    if not may_be_one(one, other):
        return ()
    ages = one.age is not None and other.age is not None
    holds = {
        Likeness.NAME: one.name_index is not None and one.name_index == other.name_index,
        Likeness.SCHOOL: one.school_index is not None and one.school_index == other.school_index and ages,
        Likeness.CONTACT: same_contact,
    }
    return tuple(reason for reason, true in holds.items() if true)


def is_certain(one: Child, other: Child) -> bool:
    """So alike that a machine may take them for one: name and county, and age or school as well."""
    if Likeness.NAME not in likeness(one, other):
        return False
    same_school = one.school_index is not None and one.school_index == other.school_index
    return same_school or (one.age is not None and other.age is not None)


async def find_same(session: AsyncSession, child: Child, *, ticket: Ticket) -> list[Candidate]:
    """Other records, not on `ticket`, that may be of `child`: the likeliest first, at most `MOST`."""
    told = select(TicketChild.child_id).join(Ticket, Ticket.id == TicketChild.ticket_id)
    told = told.where(Ticket.contact_id == ticket.contact_id)
    here = select(TicketChild.child_id).where(TicketChild.ticket_id == ticket.id)
    keys: list[ColumnElement[bool]] = [Child.id.in_(told)]
    if child.name_index is not None:
        keys.append(Child.name_index == child.name_index)
    if child.school_index is not None and child.age is not None:
        keys.append(Child.school_index == child.school_index)
    wanted = select(Child).where(is_live(), Child.id != child.id, Child.id.not_in(here), or_(*keys))
    rows = list(await session.scalars(wanted.order_by(Child.id.desc()).limit(20 * MOST)))
    by_contact = set(await session.scalars(told))
    tickets = await _tickets_of(session, [row.id for row in rows])
    found = [
        Candidate(row, why, tuple(tickets.get(row.id, ())))
        for row in rows
        if (why := likeness(child, row, same_contact=row.id in by_contact))
    ]
    return sorted(found, key=lambda one: (Likeness.NAME not in one.why, -len(one.why), -one.child.id))[:MOST]


async def find_certain(session: AsyncSession, child: Child) -> list[Child]:
    """Other records that are surely of `child` (`is_certain`), the oldest first."""
    if child.name_index is None:
        return []
    wanted = select(Child).where(is_live(), Child.id != child.id, Child.name_index == child.name_index)
    return [row for row in await session.scalars(wanted.order_by(Child.id)) if is_certain(child, row)]


async def _tickets_of(session: AsyncSession, child_ids: Sequence[int]) -> dict[int, list[int]]:
    wanted = select(TicketChild.child_id, TicketChild.ticket_id).where(TicketChild.child_id.in_(child_ids))
    found: dict[int, list[int]] = {}
    for child_id, ticket_id in await session.execute(wanted.order_by(TicketChild.ticket_id)):
        found.setdefault(child_id, []).append(ticket_id)
    return found


# ---- a second reporter ----


@dataclass(frozen=True)
class Report:
    """One ticket about a child: who brought it, what it is."""

    ticket_id: int
    contact_id: int
    kind: str
    is_open: bool


def reporters(reports: Sequence[Report]) -> int:
    """How many different people reported; questions and suggestions are no reports. Pure."""
    return len({one.contact_id for one in reports if one.kind not in NOT_A_REPORT})


def raises_by(reports: Sequence[Report], *, told_before: int) -> Report | None:
    """The matter a further reporter raises one step (PRACTICE section 1): the newest open one. None: there is nothing new. Pure.

    `told_before`: with how many reporters this child's matter was raised last; 1 when it never was.
    """
    if reporters(reports) < 2 or reporters(reports) <= told_before:
        return None
    standing = [one for one in reports if one.is_open and one.kind not in NOT_A_REPORT]
    return max(standing, key=lambda one: one.ticket_id, default=None)


async def reports_of(session: AsyncSession, child_id: int) -> list[Report]:
    """All tickets about a child, oldest first; those merged into another count for the person who brought them."""
    wanted = select(Ticket.id, Ticket.contact_id, Ticket.kind, Ticket.closed_at.is_(None))
    wanted = wanted.join(TicketChild, TicketChild.ticket_id == Ticket.id).where(TicketChild.child_id == child_id)
    rows = (await session.execute(wanted.order_by(Ticket.id))).all()
    return [Report(*row) for row in rows]


def age_now(child: Child) -> int | None:
    """The age as it is today, counted on from when it was told."""
    if child.age is None:
        return None
    return child.age + int((clock.now() - child.made_at).total_seconds() / 86_400 / YEAR_DAYS)
