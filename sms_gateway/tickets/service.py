"""Tickets: opened, found, evaluated. Every move is an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.departments.visibility import HARM_LANES
from sms_gateway.triage.judgement import LANE_RANK

from . import classing, concluding, follow_up, moves, opening, taking_in
from .actors import PERSON
from .deadlines import due_at
from .finer import is_finer
from .lifecycle import Status
from .models import PROVINCE, Ticket, TicketEvent
from .moves import TicketNotFound
from .record import record_event

SAME_MATTER_WITHIN = timedelta(hours=24)
"""A form filled in after a disclosure in the same talk belongs to the disclosure's ticket."""
LOW_MARK = 2
"""Not satisfied (2) or very dissatisfied (1): the matter comes back."""


async def open_ticket(
    session: AsyncSession, *, thread_id: int, contact_id: int, asked_in: int, kind: str, county: str | None = None,
    answers: Mapping[str, str] | None = None, anonymous: bool = False, lane: str = "blue",
) -> Ticket:  # fmt: skip
    """Open a ticket for what was asked in message `asked_in`; the same asked twice is one.

    An open disclosure of the same talk takes the form's answers in instead of standing beside it.
    """
    since = clock.now() - SAME_MATTER_WITHIN
    around = await opening.look_around(session, asked_in=asked_in, kind=kind, thread_id=thread_id, since=since)
    if around.again is not None:
        return (await session.scalars(select(Ticket).where(Ticket.id == around.again))).one()
    if around.disclosure is not None and (ticket := await find_disclosure(session, thread_id)) is not None:
        return await _take_in(session, ticket, asked_in, kind, county=county, answers=answers, anonymous=anonymous)
    ticket = Ticket(
        id=around.id, number=around.number, thread_id=thread_id, contact_id=contact_id, asked_in=asked_in, kind=kind, lane=lane,
        status=Status.ACCEPTED.value, county=county, place=county or around.region or PROVINCE, answers=dict(answers or {}),
        anonymous=anonymous, received_at=around.received_at, opened_at=clock.now(),
        due_at=due_at(lane, around.received_at, kind=kind), next_clock_at=clock.now(),
    )  # fmt: skip
    _file(ticket)
    detail = {"message": asked_in, "lane": lane, "category": ticket.category}
    await opening.write(session, ticket, who="assistant", detail=detail)
    await taking_in.opened(session, ticket)
    return ticket


async def _take_in(
    session: AsyncSession, ticket: Ticket, asked_in: int, kind: str, *, county: str | None,
    answers: Mapping[str, str] | None, anonymous: bool,
) -> Ticket:  # fmt: skip
    """The talk's open disclosure gets the form's answers; what was told first is kept, and so is what it is where nobody filled a form."""
    if kind != "callback":
        ticket.kind = kind
    elif county is not None and not is_finer(ticket.place, county):
        county = None  # nobody was asked where: what the desk has set stands
    ticket.answers = _joined(ticket.answers or {}, answers or {})
    ticket.anonymous, ticket.county, ticket.place = anonymous, county or ticket.county, county or ticket.place
    _file(ticket)
    await record_event(session, ticket, "details", who="assistant", detail={"message": asked_in, "kind": kind})
    await taking_in.told_more(session, ticket, ticket.answers)
    return ticket


def _joined(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Both, where they say different things: words of harm are never written over."""
    joined = {**before, **after}
    if (first := before.get("what")) and (more := after.get("what")) and more not in first:
        joined["what"] = more if first in more else f"{first}；{more}"
    return joined


def _file(ticket: Ticket) -> None:
    """Category and sensitivity from the words, where nobody has written them yet.

    Harm gets no category from a machine: an ordinary one would show it to departments that only a person may let in.
    """
    found = classing.classify(ticket.answers or {})
    if ticket.lane not in HARM_LANES:
        ticket.category = ticket.category or found.category
    ticket.sensitivity = ticket.sensitivity or found.sensitivity


async def find_disclosure(session: AsyncSession, thread_id: int) -> Ticket | None:
    """The talk's open matter of harm that more of the same belongs to, locked."""
    wanted = select(Ticket).where(
        Ticket.thread_id == thread_id, Ticket.kind == "disclosure", Ticket.closed_at.is_(None)
    )
    return await session.scalar(
        wanted.where(Ticket.opened_at >= clock.now() - SAME_MATTER_WITHIN)
        .order_by(Ticket.id.desc())
        .limit(1)
        .with_for_update(key_share=True)
    )


async def raise_lane(session: AsyncSession, *, thread_id: int, lane: str, since: datetime | None = None) -> None:
    """The talk went up a lane: its open tickets go with it, and their clocks. `since`: when the text that raised it came."""
    for ticket in await session.scalars(
        select(Ticket)
        .where(Ticket.thread_id == thread_id, Ticket.closed_at.is_(None))
        .order_by(Ticket.id)
        .with_for_update(key_share=True)
    ):
        await raise_one(session, ticket, lane=lane, who="system", reason="talk", since=since)


async def raise_one(
    session: AsyncSession, ticket: Ticket, *, lane: str, who: str, reason: str, detail: Mapping[str, Any] | None = None,
    since: datetime | None = None,
) -> bool:  # fmt: skip
    """Put the locked ticket up to `lane`, with its clock; False when it stands as high already. `reason`: a code.

    `since`: when what raised it came; now by default.
    """
    if LANE_RANK[lane] <= LANE_RANK[ticket.lane]:
        return False
    if ticket.unit is None and ticket.category == classing.classify(ticket.answers or {}).category:
        ticket.category = None  # the machine's, from when it was no matter of harm: a person files it now
    ticket.lane, ticket.due_at = lane, min(ticket.due_at, due_at(lane, since or clock.now(), kind=ticket.kind))
    ticket.version, ticket.next_clock_at = ticket.version + 1, clock.now()
    ticket.warned_at, ticket.supervised = None, 0  # what was said of the lesser matter says nothing of this one
    await record_event(session, ticket, "lane", who=who, detail={"lane": lane, "reason": reason, **(detail or {})})
    await taking_in.raised(session, ticket, since=since or clock.now())
    return True


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
        await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq))
    ).all()


async def find_latest(session: AsyncSession, *, thread_id: int) -> Ticket | None:
    """The newest ticket of that talk."""
    return await session.scalar(select(Ticket).where(Ticket.thread_id == thread_id).order_by(Ticket.id.desc()).limit(1))


async def evaluate(
    session: AsyncSession, *, contact_id: int, stars: int | None, message_id: int, unsolved: bool = False,
    ticket_id: int | None = None,
) -> Ticket | None:  # fmt: skip
    """Note the mark (5 best, 1 worst) or the 没解决 for this contact's concluded ticket; None when none waits for one.

    `ticket_id`: the one the survey was about, else the newest. 没解决, or a mark of 2 and less, brings it back to be
    handled once more.
    """
    wanted = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.status.in_(("concluded", "followed_up")))
    asked_first = (Ticket.id == ticket_id).desc() if ticket_id is not None else Ticket.id.desc()
    newest = wanted.order_by(asked_first, Ticket.id.desc()).limit(1)
    ticket = await session.scalar(newest.with_for_update(key_share=True))
    if ticket is None:
        return None
    await follow_up.note_answer(session, ticket.id)
    ticket.evaluated = stars or ticket.evaluated
    if unsolved or (stars is not None and stars <= LOW_MARK):
        await concluding.rework(session, ticket, actor=PERSON, message_id=message_id, stars=stars)
    else:
        detail = {"stars": stars, "message": message_id}
        await moves.move(session, ticket, Status.EVALUATED, actor=PERSON, detail=detail)
    return ticket


async def open_disclosure(
    session: AsyncSession, *, thread_id: int, contact_id: int, asked_in: int, county: str | None, words: str
) -> Ticket:
    """The orange ticket of a talk: opened with the person's own words, or taken further when it is open already."""
    ticket = await find_disclosure(session, thread_id)
    if ticket is None:
        answers = {"what": words}
        return await open_ticket(
            session, thread_id=thread_id, contact_id=contact_id, asked_in=asked_in, kind="disclosure", county=county,
            answers=answers, lane="orange",
        )  # fmt: skip
    await record_event(session, ticket, "more", who="person", detail={"message": asked_in})
    await taking_in.told_more(session, ticket, {"what": words})
    return ticket
