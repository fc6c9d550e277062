"""What a list of tickets is narrowed to: read from a page's address, written back into links, and put into SQL.

One meaning of every word for lists, search, figures and exports, so that a number of the dashboards and the list behind
it agree. How a page uses it:

    wanted = Filter.from_query(request.query_params)     # never raises; what it could not read is in `wanted.unread`
    rows = await listing.list_page(session, wanted, within=filters.reach(seat.operator.role, seat.operator.unit))
    link = wanted.href(show="late", status="")           # /tickets?show=late&…

Parameters: `show` (open, danger, late, closed, all), `status` (one or several, by commas), `kind`, `lane`, `category` (a code, a
branch, or `none`), `region` (adcode: that place and all below), `exact` (1: only what names no place below `region`), `unit` (a
code or `none`), `level`, `age` (see AGES), `late` (1), `opened_from`, `opened_to` (Shanghai's days, both inside, of `received_at`),
`marked` (1-5, `any`, `unsolved`), `returned` (1), `supervised` (1), `extension` (1: more time is asked for), `unanswered` (1: the
person did not answer what the desk asked), `by_hand` (1: an operator has to transfer it), `by` (an operator's id: what that
operator had a hand in), `group` (the id of a `TicketGroup`: matters that say the same).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, and_, any_, exists, func, not_, or_, select, true

from sms_gateway import clock, regions
from sms_gateway.departments import categories, units
from sms_gateway.errors import HotlineError
from sms_gateway.operators.models import Role
from sms_gateway.operators.reach import region_of

from . import scope, transfer_rules, visible
from .lifecycle import Status
from .models import Extension, Inquiry, Ticket, TicketEvent, TicketGroup, Transfer

SHOWS = ("open", "danger", "late", "closed", "all")
LANES = ("red", "orange", "blue")
LEVELS = ("county", "prefecture", "province")
KINDS = (
    "help", "complaint", "report", "mandated", "callback", "disclosure", "suggestion", "consultation", "transfer",
)  # fmt: skip
NONE = "none"
AGES: Mapping[str, tuple[int, int | None]] = {
    "0-1": (0, 1), "1-3": (1, 3), "3-7": (3, 7), "7-15": (7, 15), "15-30": (15, 30), "30-": (30, None),
}  # fmt: skip
"""Days since the text that brought it (24 hours each): from, up to but not including."""
MARKS = ("1", "2", "3", "4", "5", "any", "unsolved")


@dataclass(frozen=True)
class Filter:
    """What is wanted; an empty value narrows nothing. `unread`: parameters that were given but could not be read."""

    show: str = "open"
    status: tuple[str, ...] = ()
    kind: str = ""
    lane: str = ""
    category: str = ""
    region: str = ""
    exact: bool = False
    unit: str = ""
    level: str = ""
    age: str = ""
    late: bool = False
    opened_from: date | None = None
    opened_to: date | None = None
    marked: str = ""
    returned: bool = False
    supervised: bool = False
    extension: bool = False
    unanswered: bool = False
    by_hand: bool = False
    by: int = 0
    group: int = 0
    unread: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Whatever a browser sends; never raises. A value that means nothing narrows nothing and is named in `unread`.

        Without `show`, a state that is closed shows closed ones too.
        """
        found: dict[str, object] = {}
        unread = []
        for name, read in _READERS.items():
            written = query.get(name, "").strip()[:200]
            if not written:
                continue
            value = read(written)
            if value:
                found[name] = value
            else:
                unread.append(name)
        if "show" not in found and "status" in found:
            found["show"] = "all"
        return cls(**found, unread=tuple(unread))  # type: ignore[arg-type]  # each reader gives its own field's type

    def to_query(self) -> dict[str, str]:
        """The parameters that differ from the default, as they are written into an address."""
        written = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "unread" or value == field.default:
                continue
            written[field.name] = "1" if value is True else ",".join(value) if isinstance(value, tuple) else str(value)
        return written

    def href(self, path: str = "/tickets", /, **changes: object) -> str:
        """The address of this list with `changes` made."""
        query = urlencode(replace(self, **changes).to_query())  # type: ignore[arg-type]
        return f"{path}?{query}" if query else path

    @property
    def narrows(self) -> bool:
        """Whether anything beside `show` is asked for."""
        return bool(self.to_query().keys() - {"show"})


def _one_of(*known: str) -> Callable[[str], object]:
    return lambda written: written if written in known else ""


def _statuses(written: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(written.split(",")))
    return wanted if all(one in set(Status) for one in wanted) else ()


def _category(written: str) -> str:
    tree = categories.load()
    return written if written == NONE or written in tree.categories or written in tree.branches else ""


def _region(written: str) -> str:
    try:
        return regions.get_region(written).adcode
    except HotlineError:
        return ""


def _unit(written: str) -> str:
    try:
        return written if written == NONE else units.get_unit(written).code
    except HotlineError:
        return ""


def _day(written: str) -> date | None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day <= date(2100, 1, 1) else None


def _id(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else 0


def _is_one(written: str) -> bool:
    return written in ("1", "true", "on", "yes")


_READERS: Mapping[str, Callable[[str], object]] = {
    "show": _one_of(*SHOWS), "status": _statuses, "kind": _one_of(*KINDS), "lane": _one_of(*LANES), "category": _category,
    "region": _region, "exact": _is_one, "unit": _unit, "level": _one_of(*LEVELS), "age": _one_of(*AGES), "late": _is_one,
    "opened_from": _day, "opened_to": _day, "marked": _one_of(*MARKS), "returned": _is_one, "supervised": _is_one,
    "extension": _is_one, "unanswered": _is_one, "by_hand": _is_one, "by": _id, "group": _id,
}  # fmt: skip


def where(wanted: Filter, *, now: datetime | None = None) -> ColumnElement[bool]:
    """Condition over `Ticket`: what `wanted` asks for, at `now`. Who may see it is `reach`'s to say."""
    now = now or clock.now()
    return and_(true(), *_shown(wanted, now), *_plain(wanted), *_when(wanted, now), *_history(wanted))


def is_late(now: datetime) -> ColumnElement[bool]:
    """Open and past its term. While a blue matter waits for the person's answer its clock stands."""
    standing = and_(Ticket.status == Status.CLARIFYING.value, Ticket.lane == "blue")
    return and_(Ticket.closed_at.is_(None), Ticket.due_at < now, not_(standing))


def _shown(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.show in ("open", "danger", "late"):
        conditions.append(Ticket.closed_at.is_(None))
    if wanted.show == "closed":
        conditions.append(Ticket.closed_at.is_not(None))
    if wanted.show == "danger":
        conditions.append(Ticket.lane.in_(("red", "orange")))
    if wanted.show == "late" or wanted.late:
        conditions.append(is_late(now))
    return conditions


def _plain(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(Ticket.status.in_(wanted.status))
    for column, value in ((Ticket.kind, wanted.kind), (Ticket.lane, wanted.lane), (Ticket.level, wanted.level)):
        if value:
            conditions.append(column == value)
    if wanted.category:
        conditions.append(_of_category(wanted.category))
    if wanted.region:
        conditions.append(Ticket.place == wanted.region if wanted.exact else scope.in_region(wanted.region))
    if wanted.unit:
        conditions.append(Ticket.unit.is_(None) if wanted.unit == NONE else Ticket.unit == wanted.unit)
    return conditions


def _of_category(category: str) -> ColumnElement[bool]:
    if category == NONE:
        return Ticket.category.is_(None)
    tree = categories.load()
    if category in tree.branches:
        return Ticket.category.in_([leaf.code for leaf in tree.categories.values() if leaf.branch == category])
    return Ticket.category == category


def _when(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.age:
        youngest, oldest = AGES[wanted.age]
        conditions.append(Ticket.received_at <= now - timedelta(days=youngest))
        if oldest is not None:
            conditions.append(Ticket.received_at > now - timedelta(days=oldest))
    if wanted.opened_from:
        conditions.append(Ticket.received_at >= start_of(wanted.opened_from))
    if wanted.opened_to:
        conditions.append(Ticket.received_at < start_of(wanted.opened_to + timedelta(days=1)))
    return conditions


def start_of(day: date) -> datetime:
    """When that day begins in Yunnan."""
    return datetime.combine(day, time(), clock.SHANGHAI)


def _history(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.marked == "unsolved":
        conditions.append(is_unsolved())
    elif wanted.marked == "any":
        conditions.append(or_(Ticket.evaluated.is_not(None), is_unsolved()))
    elif wanted.marked:
        conditions.append(Ticket.evaluated == int(wanted.marked))
    if wanted.returned:
        conditions.append(Ticket.returns > 0)
    if wanted.supervised:
        conditions.append(Ticket.supervised > 0)
    if wanted.extension:
        waiting = select(Extension.ticket_id).where(Extension.decided_at.is_(None))
        conditions.append(Ticket.id == any_(func.array(waiting.scalar_subquery())))
    if wanted.unanswered:
        told = select(Inquiry.ticket_id).where(Inquiry.desk_told_at.is_not(None), Inquiry.settled_at.is_(None))
        conditions.append(Ticket.id == any_(func.array(told.scalar_subquery())))
    if wanted.by_hand:
        waiting = select(Transfer.ticket_id).where(Transfer.state.in_(transfer_rules.FOR_AN_OPERATOR))
        conditions.append(Ticket.id == any_(func.array(waiting.scalar_subquery())))
    if wanted.by:
        conditions.append(_touched_by(wanted.by))
    if wanted.group:
        same = select(func.unnest(TicketGroup.ticket_ids)).where(TicketGroup.id == wanted.group)
        conditions.append(Ticket.id == any_(func.array(same.scalar_subquery())))
    return conditions


ACTS_LOOKED_AT = 2_000
"""Newest acts of one operator that `by` goes through: some weeks of work, and the same time however long somebody has been here."""


def _touched_by(operator_id: int) -> ColumnElement[bool]:
    """An array made once (see `visible`), from the partial index on the hands of operators."""
    acts = select(TicketEvent.ticket_id).where(
        TicketEvent.who == f"operator:{operator_id}", TicketEvent.who.like("operator:%")
    )
    newest = acts.order_by(TicketEvent.id.desc()).limit(ACTS_LOOKED_AT)
    return Ticket.id == any_(func.array(newest.scalar_subquery()))


def is_unsolved() -> ColumnElement[bool]:
    """The person answered the follow-up with 没解决, or with a mark so low that the matter came back."""
    return exists().where(
        TicketEvent.ticket_id == Ticket.id, TicketEvent.what == Status.REWORKED.value, TicketEvent.who == "person"
    )


def reach(role: str, unit: str | None) -> ColumnElement[bool]:
    """Which tickets an account may see at all: a department its unit's, the desk its region's."""
    if role == Role.DEPARTMENT:
        return visible.where(unit or "")
    return scope.in_region(region_of(unit))
