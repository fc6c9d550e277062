"""Tickets: opened, found, evaluated. Every move is an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import NotFound
from sms_gateway.messages.models import Message
from sms_gateway.triage.judgement import LANE_RANK

from .deadlines import due_at
from .models import Ticket, TicketEvent
from .numbers import new_number

SAME_MATTER_WITHIN = timedelta(hours=24)
"""A form filled in after a disclosure in the same talk belongs to the disclosure's ticket."""


class TicketNotFound(NotFound):
    sentence = "没有这个工单。"


async def open_ticket(
    session: AsyncSession, *, thread_id: int, contact_id: int, asked_in: int, kind: str, county: str | None = None,
    answers: Mapping[str, str] | None = None, anonymous: bool = False, lane: str = "blue",
) -> Ticket:  # fmt: skip
    """Open a ticket for what was asked in message `asked_in`; the same asked twice is one.

    An open disclosure of the same talk takes the form's answers in instead of standing beside it.
    """
    again = select(Ticket).where(Ticket.asked_in == asked_in, Ticket.kind == kind)
    if (ticket := await session.scalar(again)) is not None:
        return ticket
    if kind != "disclosure" and (ticket := await _find_disclosure(session, thread_id)) is not None:
        ticket.kind, ticket.county = kind, county or ticket.county
        ticket.answers = {**(ticket.answers or {}), **(answers or {})}
        ticket.anonymous = anonymous
        _event(session, ticket, "details", who="assistant", detail={"message": asked_in, "kind": kind})
        return ticket
    received_at = (await session.scalars(select(Message.at).where(Message.id == asked_in))).one()
    ticket = Ticket(
        number=await _free_number(session), thread_id=thread_id, contact_id=contact_id, asked_in=asked_in, kind=kind, lane=lane,
        status="accepted", county=county, answers=dict(answers or {}), anonymous=anonymous, received_at=received_at,
        opened_at=clock.now(), due_at=due_at(lane, received_at, kind=kind),
    )  # fmt: skip
    session.add(ticket)
    await session.flush()
    _event(session, ticket, "accepted", who="assistant", detail={"message": asked_in, "lane": lane})
    await notify(session, "hotline_ticket", str(ticket.id))
    return ticket


async def _find_disclosure(session: AsyncSession, thread_id: int) -> Ticket | None:
    wanted = select(Ticket).where(
        Ticket.thread_id == thread_id, Ticket.kind == "disclosure", Ticket.closed_at.is_(None)
    )
    return await session.scalar(
        wanted.where(Ticket.opened_at >= clock.now() - SAME_MATTER_WITHIN).order_by(Ticket.id.desc()).limit(1)
    )


async def _free_number(session: AsyncSession) -> str:
    while True:
        number = new_number()
        if await session.scalar(select(Ticket.id).where(Ticket.number == number)) is None:
            return number


def _event(session: AsyncSession, ticket: Ticket, what: str, *, who: str, detail: dict[str, Any] | None = None) -> None:
    session.add(TicketEvent(ticket_id=ticket.id, what=what, who=who, at=clock.now(), detail=detail or {}))


async def raise_lane(session: AsyncSession, *, thread_id: int, lane: str) -> None:
    """The talk went up a lane: its open tickets go with it, and their clocks."""
    for ticket in await session.scalars(
        select(Ticket).where(Ticket.thread_id == thread_id, Ticket.closed_at.is_(None))
    ):
        if LANE_RANK[lane] > LANE_RANK[ticket.lane]:
            ticket.lane, ticket.due_at = lane, min(ticket.due_at, due_at(lane, clock.now(), kind=ticket.kind))
            _event(session, ticket, "lane", who="system", detail={"lane": lane})


async def list_tickets(session: AsyncSession, *, contact_id: int) -> Sequence[Ticket]:
    """This contact's tickets, the newest first."""
    return (
        await session.scalars(select(Ticket).where(Ticket.contact_id == contact_id).order_by(Ticket.id.desc()))
    ).all()


async def list_open(session: AsyncSession, *, limit: int = 200) -> Sequence[Ticket]:
    """Open tickets: red, orange, the rest; the first due first."""
    order = case(LANE_RANK, value=Ticket.lane, else_=0).desc()
    wanted = select(Ticket).where(Ticket.closed_at.is_(None)).options(joinedload(Ticket.contact))
    return (await session.scalars(wanted.order_by(order, Ticket.due_at).limit(limit))).all()


async def get_ticket(session: AsyncSession, ticket_id: int) -> Ticket:
    """The ticket of that id; raises `TicketNotFound`."""
    ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id).options(joinedload(Ticket.contact)))
    if ticket is None:
        raise TicketNotFound
    return ticket


async def list_events(session: AsyncSession, ticket_id: int) -> Sequence[TicketEvent]:
    """What happened to it, oldest first."""
    return (
        await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id))
    ).all()


async def find_latest(session: AsyncSession, *, thread_id: int) -> Ticket | None:
    """The newest ticket of that talk."""
    return await session.scalar(select(Ticket).where(Ticket.thread_id == thread_id).order_by(Ticket.id.desc()).limit(1))


async def evaluate(
    session: AsyncSession, *, contact_id: int, stars: int | None, message_id: int, unsolved: bool = False
) -> Ticket | None:
    """Note the mark (5 best, 1 worst) or the 没解决 for this contact's concluded ticket; None when none waits for one."""
    wanted = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.status.in_(("concluded", "followed_up")))
    ticket = await session.scalar(wanted.order_by(Ticket.id.desc()).limit(1).with_for_update())
    if ticket is None:
        return None
    ticket.evaluated = stars or ticket.evaluated
    reopen = unsolved or (stars is not None and stars <= 2)
    ticket.status = "reworked" if reopen else "evaluated"
    if reopen:
        ticket.closed_at = None
    _event(session, ticket, ticket.status, who="person", detail={"stars": stars, "message": message_id})
    await notify(session, "hotline_ticket", str(ticket.id))
    return ticket


async def open_disclosure(
    session: AsyncSession, *, thread_id: int, contact_id: int, asked_in: int, county: str | None, words: str
) -> Ticket:
    """The orange ticket of a talk: opened with the person's own words, or taken further when it is open already."""
    ticket = await _find_disclosure(session, thread_id)
    if ticket is None:
        answers = {"what": words}
        return await open_ticket(
            session, thread_id=thread_id, contact_id=contact_id, asked_in=asked_in, kind="disclosure", county=county,
            answers=answers, lane="orange",
        )  # fmt: skip
    _event(session, ticket, "more", who="person", detail={"message": asked_in})
    return ticket
