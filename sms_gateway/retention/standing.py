"""How a person's matters stand: what `decision.plan` needs, read in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge.models import BridgeCall, DeskMatter
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.conversations.ownership import Owner
from sms_gateway.departments.visibility import HARM_LANES
from sms_gateway.escalations.models import Escalation, LookBack
from sms_gateway.messages.models import Message, Thread
from sms_gateway.tickets import visible
from sms_gateway.tickets.models import Accused, Child, DutyReport, FollowUp, Inquiry, Ticket, TicketChild
from sms_gateway.tickets.police_models import PoliceRequest, Stage

from .connected import Connected
from .decision import Matter, Seen, Standing
from .models import EvidenceHold, SubjectRequest
from .request_rules import Outcome, Wants

OF_HARM = ("report", "mandated", "disclosure")
"""Kinds of tickets that tell of harm, whatever their lane."""
UNMADE = (Stage.ASKED, Stage.APPROVED)
"""A letter of the police whose file is still to be made, from these very words."""
IN_HAND = (Owner.WAITING, Owner.OPERATOR)


async def load(session: AsyncSession, contact: Contact, together: Connected) -> Standing:
    """The standing of `contact` with all that belongs `together` with them."""
    matters = [
        *await _tickets(session, contact.id, together),
        *await _calls(session, together.calls),
        *await _texts(session, together.threads),
    ]
    return Standing(
        tuple(matters),
        held=await is_held(session, together),
        open=await _is_open(session, together),
        followed=await _is_followed(session, together),
        drill=contact.channel == Channel.DRILL,
    )


async def is_held(session: AsyncSession, together: Connected) -> bool:
    """Whether a supervisor holds any of it as evidence."""
    of = (
        EvidenceHold.contact_id.in_(together.contacts),
        EvidenceHold.ticket_id.in_(together.tickets),
        EvidenceHold.thread_id.in_(together.threads),
    )
    held = select(EvidenceHold.id).where(EvidenceHold.lifted_at.is_(None), or_(*of))
    return await session.scalar(held.limit(1)) is not None


async def _tickets(session: AsyncSession, contact_id: int, together: Connected) -> list[Matter]:
    if not together.tickets:
        return []
    at_home = Accused.lives_with.is_(True) | Accused.relation.in_(("guardian", "relative"))
    complained_of = exists().where(Accused.ticket_id == Ticket.id, at_home)
    harm = Ticket.lane.in_(HARM_LANES) | Ticket.kind.in_(OF_HARM) | visible.is_sensitive() | complained_of
    wanted = select(
        Ticket.id, Ticket.contact_id, Ticket.received_at, Ticket.closed_at, Ticket.erased_at, harm.label("harm")
    ).where(Ticket.id.in_(together.tickets))
    children = await _children(session, together.tickets)
    return [
        Matter(
            harm=row.harm, received_at=row.received_at, closed_at=row.closed_at, children=children.get(row.id, ()),
            ticket_id=row.id, mine=row.contact_id == contact_id and row.erased_at is None,
        )
        for row in await session.execute(wanted)
    ]  # fmt: skip


async def _children(session: AsyncSession, tickets: Collection[int]) -> dict[int, tuple[Seen, ...]]:
    wanted = select(TicketChild.ticket_id, Child.made_at, Child.age).join(Child, Child.id == TicketChild.child_id)
    found: dict[int, list[Seen]] = defaultdict(list)
    for ticket_id, at, age in await session.execute(wanted.where(TicketChild.ticket_id.in_(tickets))):
        found[ticket_id].append(Seen(at, age))
    return {ticket_id: tuple(seen) for ticket_id, seen in found.items()}


async def _calls(session: AsyncSession, calls: Collection[int]) -> list[Matter]:
    """Calls for a person in red and orange; a false alarm too, which may be a child that took it back."""
    if not calls:
        return []
    wanted = select(Escalation.received_at, Escalation.closed_at).where(
        Escalation.id.in_(calls), Escalation.lane.in_(HARM_LANES)
    )
    return [Matter(harm=True, received_at=at, closed_at=closed) for at, closed in await session.execute(wanted)]


async def _texts(session: AsyncSession, threads: Collection[int]) -> list[Matter]:
    """The last red or orange text of each talk: it counts though nobody opened a ticket or a call."""
    wanted = select(func.max(Message.at)).where(Message.thread_id.in_(threads), Message.lane.in_(HARM_LANES))
    return [
        Matter(harm=True, received_at=at, closed_at=at)
        for at in await session.scalars(wanted.group_by(Message.thread_id))
    ]


async def _is_open(session: AsyncSession, together: Connected) -> bool:
    """Tickets and red or orange calls that are open are matters of their own; this is what is open beside them."""
    calls = select(Escalation.id).where(Escalation.thread_id.in_(together.threads), Escalation.closed_at.is_(None))
    talks = select(Thread.id).where(Thread.id.in_(together.threads), Thread.owner.in_(IN_HAND))
    desks = select(DeskMatter.id).where(DeskMatter.thread_id.in_(together.threads), DeskMatter.ended_at.is_(None))
    unmended = (BridgeCall.state == "failed") & BridgeCall.settled_at.is_(None)
    bridges = select(BridgeCall.id).where(
        BridgeCall.thread_id.in_(together.threads), (BridgeCall.state == "requested") | unmended
    )
    return bool(await session.scalar(select(calls.exists() | talks.exists() | desks.exists() | bridges.exists())))


async def _is_followed(session: AsyncSession, together: Connected) -> bool:
    """回看、回访、强制报告、等公安反馈、问了没回、公安调取没做完、该给本人的没给: somebody still has to do something about it."""
    look_backs = select(LookBack.id).where(LookBack.escalation_id.in_(together.calls), LookBack.done_at.is_(None))
    awaited = DutyReport.feedback_due_at.is_not(None) & DutyReport.feedback_at.is_(None)
    duties = select(DutyReport.id).where(
        DutyReport.ticket_id.in_(together.tickets), DutyReport.settled_at.is_(None) | awaited
    )
    follow_ups = select(FollowUp.id).where(FollowUp.ticket_id.in_(together.tickets), FollowUp.state == "planned")
    inquiries = select(Inquiry.id).where(Inquiry.ticket_id.in_(together.tickets), Inquiry.settled_at.is_(None))
    of_ticket = (PoliceRequest.scope == "ticket") & PoliceRequest.ref.in_(together.tickets)
    of_talk = (PoliceRequest.scope == "talk") & PoliceRequest.ref.in_(together.threads)
    letters = select(PoliceRequest.id).where(PoliceRequest.state.in_(UNMADE), of_ticket | of_talk)
    files = select(SubjectRequest.id).where(
        SubjectRequest.contact_id.in_(together.contacts), SubjectRequest.wants == Wants.ACCESS,
        SubjectRequest.outcome == Outcome.GRANTED, SubjectRequest.done_at.is_(None),
    )  # fmt: skip
    parts = (look_backs, duties, follow_ups, inquiries, letters, files)
    return bool(await session.scalar(select(or_(*(part.exists() for part in parts)))))
