"""证据保全: set on a ticket or a talk, listed, lifted by two supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import recusing, talk
from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.operators import presence, roster
from sms_gateway.operators.reach import region_of
from sms_gateway.retention import holds, running
from sms_gateway.retention.models import EvidenceHold
from sms_gateway.tickets import scope
from sms_gateway.tickets.models import PROVINCE, Ticket

from . import pages
from .ids import Id
from .seat import KeepingEvidence, Seat
from .ticket_room import done, read_ticket

router = APIRouter()
PAGE = "/holds"
Reason = Annotated[str, Form()]


@router.get(PAGE)
async def show_holds(seat: KeepingEvidence) -> Response:
    """Every hold of the seat's region that is not of a family it knows, and the last purges."""
    async with transaction() as session:
        listed = [one for one in await holds.list_open(session) if await _may_see(session, seat, one)]
        numbers = {
            one.id: ticket.number
            for one in listed
            if one.ticket_id and (ticket := await session.get(Ticket, one.ticket_id)) is not None
        }
        people = {by for one in listed for by in (one.set_by, one.lift_asked_by) if by is not None}
        named = await roster.name_operators(session, people)
        runs = await running.list_runs(session)
        await presence.note(session, operator_id=seat.operator.id, what="see_holds", subject=f"holds:{len(listed)}")
    return pages.render(
        "holds.html",
        seat=seat,
        holds=listed,
        numbers=numbers,
        named=named,
        runs=runs,
        said=running.said_of,
        rules=holds,
    )


async def load_over(session: AsyncSession, seat: Seat, contact_id: int) -> tuple[bool, bool]:
    """For the pages of a ticket and a talk: whether it is held, and whether this seat may hold it."""
    from .rules import Act

    return bool(await holds.list_over(session, contact_id)), seat.may(Act.KEEP_EVIDENCE)


async def _may_see(session: AsyncSession, seat: Seat, one: EvidenceHold) -> bool:
    if one.ticket_id is not None:
        place = (await session.get_one(Ticket, one.ticket_id)).place
        shut = await recusing.is_shut(session, seat.operator.id, "ticket", one.ticket_id)
    else:
        place = (await session.get_one(Contact, one.contact_id)).region or PROVINCE
        shut = one.thread_id is not None and await recusing.is_shut(session, seat.operator.id, "talk", one.thread_id)
    inside = one.set_by == seat.operator.id or scope.lies_in(place, region_of(seat.operator.unit))
    return inside and not shut


@router.post("/tickets/{ticket_id}/hold")
async def hold_ticket(
    request: Request, ticket_id: Id, seat: KeepingEvidence, reason: Reason = "", letter: Reason = ""
) -> Response:
    """Raises `TicketNotFound`, `HoldNeedsReason`."""
    async with transaction() as session:
        ticket = await read_ticket(session, seat, ticket_id)
        await holds.set_hold(
            session,
            contact_id=ticket.contact_id,
            ticket_id=ticket.id,
            by=seat.operator.id,
            reason=reason,
            letter=letter,
        )
    return done(request, f"/tickets/{ticket_id}")


@router.post("/talks/{talk_id}/hold")
async def hold_talk(
    request: Request, talk_id: Id, seat: KeepingEvidence, reason: Reason = "", letter: Reason = ""
) -> Response:
    """Raises `TalkNotFound`, `HoldNeedsReason`."""
    async with transaction() as session:
        thread: Thread = await talk.get_talk(session, talk_id)
        await holds.set_hold(
            session,
            contact_id=thread.contact_id,
            thread_id=thread.id,
            by=seat.operator.id,
            reason=reason,
            letter=letter,
        )
    return done(request, f"/talks/{talk_id}")


@router.post(PAGE + "/{hold_id}/ask")
async def ask_to_lift(request: Request, hold_id: Id, seat: KeepingEvidence, reason: Reason = "") -> Response:
    """The first signature."""
    async with transaction() as session:
        await _check(session, seat, hold_id)
        await holds.ask_to_lift(session, hold_id, by=seat.operator.id, reason=reason)
    return done(request, PAGE)


@router.post(PAGE + "/{hold_id}/lift")
async def lift(request: Request, hold_id: Id, seat: KeepingEvidence) -> Response:
    """The second, of another supervisor."""
    async with transaction() as session:
        await _check(session, seat, hold_id)
        await holds.lift(session, hold_id, by=seat.operator.id)
    return done(request, PAGE)


@router.post(PAGE + "/{hold_id}/keep")
async def keep_on(request: Request, hold_id: Id, seat: KeepingEvidence) -> Response:
    """No: it goes on holding."""
    async with transaction() as session:
        await _check(session, seat, hold_id)
        await holds.keep_on(session, hold_id, by=seat.operator.id)
    return done(request, PAGE)


async def _check(session: AsyncSession, seat: Seat, hold_id: int) -> None:
    """Raises `HoldNotFound`, also for one that is not this seat's to see."""
    if not await _may_see(session, seat, await holds.get(session, hold_id)):
        raise holds.HoldNotFound
