"""派单、签收、退单: a ticket goes to a unit, is signed for, or comes back with the unit whose duty it is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments import units
from sms_gateway.errors import Conflict

from . import accused, copies, deadlines, duty, lifecycle, moves
from .actors import Actor
from .lifecycle import Evidence, Status
from .models import Dispatch, Ticket, TicketEvent


class ComplainedOf(Conflict):
    sentence = "这个单位正是被投诉的一方，不能派给它。"


class DutyComesFirst(Conflict):
    sentence = "先把“报没报、报给谁、回执号”写好（不报要写理由，值班长签字），再派单。"


async def dispatch(
    session: AsyncSession, ticket: Ticket, *, unit: str, actor: Actor, co: Iterable[str] = (), why: str | None = None,
    category: str | None = None,
) -> TicketEvent:  # fmt: skip
    """Hand the locked ticket to `unit` and, to help, to `co`. What was in another unit's hands leaves them.

    Each gets a reworded copy of what was said. Raises `UnitNotFound`, `ComplainedOf`, `DutyComesFirst` (an orange matter
    whose duty to report is open goes to nobody but who has to be told: PRACTICE section 1), and what `moves.move` raises.
    """
    helpers = [code for code in dict.fromkeys(co) if code != unit]
    avoided = await accused.units_complained_of(session, ticket.id)
    for code in (unit, *helpers):
        units.get_unit(code)
        if code in avoided:
            raise ComplainedOf
    if ticket.lane == "orange":
        owed = {row.body for row in await duty.list_unsettled(session, ticket.id)}
        if owed and not {unit, *helpers} <= owed:
            raise DutyComesFirst
    main = units.get_unit(unit)
    event = await moves.move(
        session, ticket, Status.DISPATCHED, actor=actor, evidence=frozenset({Evidence.UNIT}), why=why,
        detail={"unit": unit, "co": helpers, "category": category or ticket.category},
    )  # fmt: skip
    await take_back(session, ticket)
    ticket.unit, ticket.level, ticket.category = unit, main.level, category or ticket.category
    now = clock.now()
    for code in (unit, *helpers):
        row = Dispatch(
            ticket_id=ticket.id, unit=code, role="main" if code == unit else "co", dispatched_at=now,
            copy=await copies.reworded(session, ticket, unit=code),
            sign_due_at=deadlines.sign_due_at(ticket.lane, now, urgent=ticket.urgent),
        )  # fmt: skip
        session.add(row)
    await session.flush()
    return event


async def take_back(session: AsyncSession, ticket: Ticket) -> None:
    """End every dispatch that is still open: the ticket leaves their hands."""
    for row in await open_dispatches(session, ticket.id):
        row.closed_at = clock.now()
    await session.flush()


async def open_dispatches(session: AsyncSession, ticket_id: int) -> list[Dispatch]:
    """Who has the ticket now, the main one first."""
    wanted = select(Dispatch).where(
        Dispatch.ticket_id == ticket_id, Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None)
    )
    return sorted(await session.scalars(wanted.order_by(Dispatch.id)), key=lambda row: row.role != "main")


async def sign(session: AsyncSession, ticket: Ticket, *, actor: Actor) -> TicketEvent:
    """签收: the unit takes the matter on."""
    event = await moves.move(session, ticket, Status.SIGNED_FOR, actor=actor)
    for row in await open_dispatches(session, ticket.id):
        if row.unit == actor.unit:
            row.signed_at = row.signed_at or clock.now()
    return event


async def give_back(session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str, duty: str) -> TicketEvent:
    """退单: not our duty; `duty` names the unit whose it is. The second return is marked for a meeting of the bodies."""
    units.get_unit(duty)
    meeting = ticket.returns + 1 >= lifecycle.RETURNS_UNTIL_MEETING
    event = await moves.move(
        session, ticket, Status.RETURNED, actor=actor, evidence=frozenset({Evidence.DUTY}), why=why,
        detail={"unit": ticket.unit, "duty": duty, "meeting": meeting},
    )  # fmt: skip
    for row in await open_dispatches(session, ticket.id):
        if row.unit == ticket.unit:
            row.returned_at = clock.now()
        else:
            row.closed_at = clock.now()
    ticket.returns, ticket.unit = ticket.returns + 1, None
    await session.flush()
    return event


async def give_again(session: AsyncSession, ticket: Ticket) -> None:
    """Put a reworked ticket back into the hands of the unit that had it; without one the desk dispatches it."""
    if ticket.unit is None:
        return
    last = select(Dispatch).where(Dispatch.ticket_id == ticket.id, Dispatch.unit == ticket.unit)
    before = await session.scalar(last.order_by(Dispatch.id.desc()).limit(1))
    if before is None:
        return
    now = clock.now()
    again = Dispatch(
        ticket_id=ticket.id, unit=ticket.unit, role="main", copy=before.copy, dispatched_at=now,
        sign_due_at=deadlines.sign_due_at(ticket.lane, now, urgent=ticket.urgent), signed_at=now,
    )  # fmt: skip
    session.add(again)
    await session.flush()
