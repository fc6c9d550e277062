"""The children a ticket is about and who is complained of, on its page: every button is a route here, every route one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs, regions
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.departments import units
from sms_gateway.departments.units import Unit
from sms_gateway.messages.models import Message
from sms_gateway.operators.reach import region_of
from sms_gateway.regions import Region
from sms_gateway.tickets import accused, child_merging, children, same_child, scope
from sms_gateway.tickets.children import ChildFacts, ChildIsIncomplete, ChildNotFound
from sms_gateway.tickets.models import Accused, Child, Ticket, TicketEvent
from sms_gateway.tickets.same_child import Candidate

from . import reasons
from .ids import LARGEST, Id
from .seat import KeepingChildren, Seat
from .ticket_room import Version, actor_of, done, note, read_ticket

log = logs.get("console")
router = APIRouter(prefix="/tickets/{ticket_id}")
SHUT = ("name", "siblings")
"""What of a child (of somebody complained of, the name) is shown only once somebody said why."""
LIKELY_UNITS = ("edu", "police", "civil", "health", "culture", "market", "hrss")
"""Bodies that are complained of most."""


@dataclass(frozen=True)
class ChildView:
    """One child on the page. `tickets`: the others it is in; `merged`: records that can be split off again."""

    child: Child
    age: int | None
    tickets: Sequence[Ticket]
    candidates: Sequence[Candidate]
    merged: Sequence[Child]


@dataclass(frozen=True)
class Family:
    """What `_ticket_children.html` shows. `talks`: when the earlier talks were that raised the lane; `beside`: tickets by id."""

    children: Sequence[ChildView]
    accused: Sequence[Accused]
    beside: Mapping[int, Ticket]
    earlier: Sequence[Ticket]
    talks: Sequence[datetime]
    counties: Sequence[Region]
    units: Sequence[Unit]
    shown: bool = False
    """Whether names stand in it."""
    reason: str | None = None
    """Why they may be opened without saying why."""

    @property
    def has_names(self) -> bool:
        """Whether there is anything to open."""
        rows = [*(one.child.about for one in self.children), *(row.about for row in self.accused)]
        return any((about or {}).get(key) for about in rows for key in SHUT)


async def load(session: AsyncSession, seat: Seat, ticket: Ticket, *, shown: bool = False) -> Family:
    """The part of a ticket's page; only of tickets in the seat's region. `shown`: with names."""
    rows = await children.list_children(session, ticket.id)
    region = region_of(seat.operator.unit)
    pairs = [
        pair
        for pair in await children.list_tickets(session, [row.id for row in rows])
        if scope.lies_in(pair[1].place, region)
    ]
    merged = await child_merging.list_merged_into(session, [row.id for row in rows])
    found = {row.id: await same_child.find_same(session, row, ticket=ticket) for row in rows}
    beside = await _tickets(session, {id_ for some in found.values() for one in some for id_ in one.tickets}, seat)
    earlier, talks = await _earlier(session, ticket)
    return Family(
        children=[
            ChildView(
                row, same_child.age_now(row), [one for id_, one in pairs if id_ == row.id and one.id != ticket.id],
                [one for one in found[row.id] if any(id_ in beside for id_ in one.tickets)],
                [one for one in merged if one.merged_into == row.id],
            )
            for row in rows
        ],
        accused=await accused.list_accused(session, ticket.id), beside=beside,
        earlier=list((await _tickets(session, earlier, seat)).values()), talks=talks, counties=_counties(ticket),
        units=[units.unit_at(code, ticket.place) for code in LIKELY_UNITS], shown=shown,
        reason=reasons.by_itself(ticket.lane, on_duty=seat.operator.on_duty, is_open=ticket.closed_at is None),
    )  # fmt: skip


async def _tickets(session: AsyncSession, ids: set[int], seat: Seat) -> dict[int, Ticket]:
    """Those of the seat's region, of nobody it knows."""
    if not ids:
        return {}
    wanted = select(Ticket).where(Ticket.id.in_(ids), scope.in_region(region_of(seat.operator.unit)))
    rows = await session.scalars(wanted.where(recusing.tickets_open_to(seat.operator.id)).order_by(Ticket.id))
    return {row.id: row for row in rows}


async def _earlier(session: AsyncSession, ticket: Ticket) -> tuple[set[int], list[datetime]]:
    """Tickets and talks that an event laid beside this one: the third talk of harm, another reporter of the child."""
    wanted = select(TicketEvent.detail).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.what.in_(("lane", "same_child"))
    )
    details = list(await session.scalars(wanted.order_by(TicketEvent.seq)))
    tickets = {id_ for detail in details for id_ in detail.get("tickets") or () if id_ != ticket.id}
    texts = {id_ for detail in details for id_ in detail.get("talks") or ()}
    if not texts:
        return tickets, []
    return tickets, list(await session.scalars(select(Message.at).where(Message.id.in_(texts)).order_by(Message.at)))


def _counties(ticket: Ticket) -> list[Region]:
    """Counties to choose from: those of the ticket's prefecture, or all."""
    place = regions.get_region(ticket.place)
    parent = {"county": place.parent_adcode, "prefecture": place.adcode}.get(place.level)
    return regions.list_regions("county", parent)


class ChildForm(BaseModel):
    """Everything may be left empty, but not all of it."""

    version: int
    county: str = ""
    age: str = ""
    sex: str = ""
    name: str = ""
    age_said: str = ""
    school: str = ""
    where_now: str = ""
    with_whom: str = ""
    siblings: str = ""
    more: str = ""
    names_kept: bool = False
    """The form did not show the names, and so says nothing about them."""

    def facts(self, before: Mapping[str, str] | None = None) -> ChildFacts:
        age = self.age.strip()
        if age and not (age.isascii() and age.isdigit() and len(age) <= 2):
            raise ChildIsIncomplete
        about = {key: getattr(self, key) for key in children.ABOUT}
        if self.names_kept:
            about |= {key: (before or {}).get(key, "") for key in SHUT}
        return ChildFacts(self.county or None, int(age) if age else None, self.sex or None, about)


@router.post("/children")
async def add_child(
    request: Request, ticket_id: Id, seat: KeepingChildren, sent: Annotated[ChildForm, Form()]
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await children.add(session, ticket_id=ticket_id, version=sent.version, facts=sent.facts(), actor=actor_of(seat))
        await note(session, seat, "add_child", ticket_id)
    return _back(request, ticket_id)


@router.post("/children/{child_id}")
async def mend_child(
    request: Request, ticket_id: Id, child_id: Id, seat: KeepingChildren, sent: Annotated[ChildForm, Form()]
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        known = {row.id: row.about for row in await children.list_children(session, ticket_id)}
        await children.mend(
            session,
            ticket_id=ticket_id,
            version=sent.version,
            child_id=child_id,
            facts=sent.facts(known.get(child_id)),
            actor=actor_of(seat),
        )
        await note(session, seat, "mend_child", ticket_id)
    return _back(request, ticket_id)


@router.post("/children/{child_id}/link")
async def link_child(
    request: Request, ticket_id: Id, child_id: Id, seat: KeepingChildren, version: Version
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await _check_reach(session, seat, child_id)
        await children.link(session, ticket_id=ticket_id, version=version, child_id=child_id, actor=actor_of(seat))
        await note(session, seat, "link_child", ticket_id)
    return _back(request, ticket_id)


@router.post("/children/{child_id}/unlink")
async def unlink_child(
    request: Request, ticket_id: Id, child_id: Id, seat: KeepingChildren, version: Version
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await children.unlink(session, ticket_id=ticket_id, version=version, child_id=child_id, actor=actor_of(seat))
        await note(session, seat, "unlink_child", ticket_id)
    return _back(request, ticket_id)


class Merging(BaseModel):
    """`into`: the record that stays."""

    version: int
    into: int = Field(ge=1, le=LARGEST)


@router.post("/children/{child_id}/merge")
async def merge_child(
    request: Request, ticket_id: Id, child_id: Id, seat: KeepingChildren, sent: Annotated[Merging, Form()]
) -> Response:
    """两条是同一个孩子: this one's record is taken over by `into`."""
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await _check_reach(session, seat, child_id)
        await _check_reach(session, seat, sent.into)
        await child_merging.merge(
            session,
            ticket_id=ticket_id,
            version=sent.version,
            child_id=child_id,
            into_id=sent.into,
            actor=actor_of(seat),
        )
        await note(session, seat, "merge_children", ticket_id)
    log.info("children_merged", child=child_id, into=sent.into, operator=seat.operator.id)
    return _back(request, ticket_id)


@router.post("/children/{child_id}/split")
async def split_child(
    request: Request, ticket_id: Id, child_id: Id, seat: KeepingChildren, version: Version
) -> Response:
    """A merge is taken back."""
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await child_merging.split(
            session, ticket_id=ticket_id, version=version, child_id=child_id, actor=actor_of(seat)
        )
        await note(session, seat, "split_children", ticket_id)
    return _back(request, ticket_id)


async def _check_reach(session: AsyncSession, seat: Seat, child_id: int) -> None:
    """A child of tickets elsewhere only is not this desk's to see."""
    region = region_of(seat.operator.unit)
    if not any(scope.lies_in(ticket.place, region) for _id, ticket in await children.list_tickets(session, [child_id])):
        raise ChildNotFound
    await recusing.check(session, seat.operator.id, "child", child_id)


def _back(request: Request, ticket_id: int) -> Response:
    return done(request, f"/tickets/{ticket_id}")
