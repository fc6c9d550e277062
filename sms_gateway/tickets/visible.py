"""Which tickets a unit may see in a list: `departments.visibility`'s table as a filter, so that lists and single reads agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, and_, any_, exists, false, func, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments.categories import NOT_SENSITIVE, ordinary_codes
from sms_gateway.departments.visibility import (
    HARM_LANES,
    Facts,
    Reach,
    Secrecy,
    Sight,
    Standing,
    Term,
    View,
    sight_of,
    view_of,
)

from .models import Accused, Dispatch, Ticket

HANDLING_ROLES = ("main", "co")
COPY_ROLE = "copy"


def where(unit: str, least: Sight = Sight.WITHOUT_REPORTER) -> ColumnElement[bool]:
    """Condition over `Ticket`: exactly the tickets of which `unit` sees at least `least`. Nothing for a code that is no unit."""
    view = view_of(unit)
    if view is None:
        return false()
    complained_of = exists().where(Accused.ticket_id == Ticket.id, Accused.unit == unit)
    return and_(or_(false(), *(_condition(view, term) for term in view.terms(least))), not_(complained_of))


def _condition(view: View, term: Term) -> ColumnElement[bool]:
    conditions = (
        [_STANDINGS[term.standing](view)] if term.standing in _STANDINGS else []
    )  # else it is so for every ticket
    if term.reaches != view.reaches:
        conditions.append(or_(*(_reach(view, reach) for reach in sorted(term.reaches))))
    if term.secrecy is not None:
        conditions.append(is_sensitive() if term.secrecy is Secrecy.SENSITIVE else not_(is_sensitive()))
    return and_(true(), *conditions)


def _is_handling(view: View) -> ColumnElement[bool]:
    return or_(Ticket.unit == view.unit.code, _in_hands(view, *HANDLING_ROLES))


def _is_copied(view: View) -> ColumnElement[bool]:
    return _in_hands(view, COPY_ROLE)


def _in_hands(view: View, *roles: str) -> ColumnElement[bool]:
    """An array made once, not a subquery for each row: the index on the id can be joined with those on unit and place."""
    held = select(Dispatch.ticket_id).where(
        Dispatch.unit == view.unit.code, Dispatch.role.in_(roles),
        Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None),
    )  # fmt: skip
    return Ticket.id == any_(func.array(held.scalar_subquery()))


def _has_duty(view: View) -> ColumnElement[bool]:
    return func.coalesce(Ticket.category, "").in_(sorted(view.duties))


_STANDINGS: Mapping[Standing, Callable[[View], ColumnElement[bool]]] = {
    Standing.HANDLING: _is_handling,
    Standing.COPIED: _is_copied,
    Standing.DUTY: _has_duty,
}


def _reach(view: View, reach: Reach) -> ColumnElement[bool]:
    if reach in view.levels:
        return and_(Ticket.level.in_(view.levels[reach]), *_in_region(view))
    return not_(or_(*(_reach(view, nearer) for nearer in view.levels if nearer in view.reaches)))


def _in_region(view: View) -> list[ColumnElement[bool]]:
    """A range of codes rather than a pattern: it can use the plain index, whatever the database's collation."""
    prefix = view.place_prefix
    if len(prefix) == len(view.unit.adcode):
        return [Ticket.place == prefix]
    return [Ticket.place >= prefix.ljust(6, "0"), Ticket.place < str(int(prefix) + 1).ljust(6, "0")]


def is_sensitive() -> ColumnElement[bool]:
    """`visibility.is_sensitive`, in SQL; never NULL."""
    undecided = Ticket.sensitivity.is_(None)
    category = func.coalesce(Ticket.category, "")
    return or_(
        Ticket.sealed,
        func.coalesce(Ticket.sensitivity, NOT_SENSITIVE) != NOT_SENSITIVE,
        and_(undecided, Ticket.category.is_(None), Ticket.lane.in_(HARM_LANES)),
        and_(undecided, Ticket.category.is_not(None), category.not_in(sorted(ordinary_codes()))),
    )


async def facts_of(session: AsyncSession, ticket: Ticket) -> Facts:
    """What decides who sees this ticket, as it stands now."""
    held = await session.execute(
        select(Dispatch.unit, Dispatch.role).where(
            Dispatch.ticket_id == ticket.id, Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None)
        )
    )
    hands = [(unit, role) for unit, role in held]
    accused = select(Accused.unit).where(Accused.ticket_id == ticket.id, Accused.unit.is_not(None))
    return Facts(
        category=ticket.category,
        place=ticket.place,
        level=ticket.level,
        lane=ticket.lane,
        sensitivity=ticket.sensitivity,
        units=frozenset(
            {unit for unit, role in hands if role in HANDLING_ROLES} | ({ticket.unit} if ticket.unit else set())
        ),
        complained_of=frozenset(unit for unit in await session.scalars(accused) if unit),
        sealed=ticket.sealed,
        copied=frozenset(unit for unit, role in hands if role == COPY_ROLE),
    )


async def sight(session: AsyncSession, unit: str, ticket: Ticket) -> Sight:
    """How much of one ticket a unit may see. `Sight.NONE` is answered like a ticket that does not exist."""
    return sight_of(unit, await facts_of(session, ticket))
