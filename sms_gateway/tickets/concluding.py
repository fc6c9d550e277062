"""办结、不予受理、撤回、并单、重办: how a matter leaves the loop, and how it comes back."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import Conflict
from sms_gateway.triage.judgement import LANE_RANK

from . import deadlines, dispatching, follow_up, links, moves, near_ones, near_ones_rules, reporter, taking_in
from .actors import Actor
from .lifecycle import Evidence, Status, may_withdraw
from .models import Ticket, TicketEvent
from .near_ones_rules import Near
from .record import record_event


class CannotMergeIntoItself(Conflict):
    sentence = "这两单合不到一起：并入的那一单要还开着，也不能是它自己。"


async def conclude(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str, near: Near | None = None
) -> TicketEvent:
    """办结: the desk accepts the reply (or answered on the spot). The units' hands are empty from here.

    Self-harm in red says in `near` whom the desk told (`SayWhoWasTold`, `GuardianIsTheHarm`); it stands behind `why` in the chain.
    """
    if why.strip() and await near_ones.asks(session, ticket):
        harms = await near_ones.guardian_harms(session, ticket.contact_id)
        why = f"{why}（{near_ones_rules.checked(near or Near(), guardian_harms=harms)}）"
    event = await moves.move(session, ticket, Status.CONCLUDED, actor=actor, why=why)
    await dispatching.take_back(session, ticket)
    await follow_up.plan(session, ticket)
    await reporter.plan(session, ticket)
    return event


async def decline(session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str) -> TicketEvent:
    """不予受理: the reason, and where to go instead."""
    event = await moves.move(session, ticket, Status.DECLINED, actor=actor, why=why)
    await dispatching.take_back(session, ticket)
    return event


async def withdraw(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, message_id: int | None = None
) -> TicketEvent:
    """The person takes a complaint or request back; for suspected harm the wish is noted and the matter goes on."""
    detail = {"message": message_id} if message_id is not None else {}
    if not may_withdraw(ticket.kind, ticket.lane):
        return await record_event(session, ticket, "wish_noted", who=str(actor), detail=detail)
    event = await moves.move(session, ticket, Status.WITHDRAWN, actor=actor, detail=detail)
    await dispatching.take_back(session, ticket)
    return event


async def merge(session: AsyncSession, ticket: Ticket, *, into: Ticket, actor: Actor, why: str | None = None) -> TicketEvent:  # fmt: skip
    """并单: `ticket` is a further report of the matter of `into`, which takes its talk along. Both must be locked."""
    if ticket.id == into.id or into.closed_at is not None:
        raise CannotMergeIntoItself
    event = await moves.move(
        session, ticket, Status.MERGED, actor=actor, evidence=frozenset({Evidence.TARGET}), why=why,
        detail={"into": into.id},
    )  # fmt: skip
    ticket.merged_into = into.id
    await dispatching.take_back(session, ticket)
    await links.link(session, ticket_id=into.id, kind=links.Linked.THREAD, ref=ticket.thread_id)
    if LANE_RANK[ticket.lane] > LANE_RANK[into.lane]:
        into.lane = ticket.lane
        into.due_at = min(into.due_at, ticket.due_at)
        into.warned_at, into.supervised, into.next_clock_at = None, 0, clock.now()
    await record_event(session, into, "took_in", who=str(actor), detail={"ticket": ticket.id})
    await taking_in.merged(session, ticket, into=into)
    return event


async def rework(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str | None = None, message_id: int | None = None,
    stars: int | None = None,
) -> TicketEvent:  # fmt: skip
    """重办: the person is not satisfied, or the desk is not. A new term runs from now; the unit gets it back in hand."""
    detail = {"message": message_id, "stars": stars}
    event = await moves.move(session, ticket, Status.REWORKED, actor=actor, why=why, detail=detail)
    ticket.due_at = deadlines.due_at(ticket.lane, clock.now(), kind=ticket.kind, urgent=ticket.urgent)
    ticket.supervised, ticket.warned_at, ticket.next_clock_at = 0, None, clock.now()
    await dispatching.give_again(session, ticket)
    return event
