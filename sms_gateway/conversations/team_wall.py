"""What the supervisor's wall shows beside the queue: texts that did not arrive, children nobody has seen, offers, bridges. Read only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.bridge import duty_book
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.bridge.said import Said
from sms_gateway.escalations import crew, look_backs
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.operators import roster
from sms_gateway.operators.models import Operator
from sms_gateway.operators.seats import DANGER, SeatFacts

from . import recusing, transferring
from .models import TalkTransfer

NOT_ARRIVED = ("undelivered", "blocked", "failed")
LATELY = timedelta(hours=12)
"""One shift: a text that did not arrive longer ago is history of its talk."""
MOST = 20


@dataclass(frozen=True)
class Wall:
    """Talks are by id; `unseen`: since when the child of a handed-over red call was seen by nobody."""

    seats: Mapping[int, SeatFacts]
    not_arrived: Sequence[tuple[Thread, int, datetime]]
    unseen: Sequence[tuple[Thread, Escalation, datetime]]
    transfers: Sequence[TalkTransfer]
    bridges: Sequence[tuple[BridgeCall, Thread]]
    said: Mapping[int, tuple[BridgeCall, Said]]
    """What the desk that has it said last, by escalation."""
    recusals: Sequence[tuple[datetime, Operator, int]]
    looks_overdue: int
    red_counties: Mapping[str, int]
    named: Mapping[int, Operator]


async def load(session: AsyncSession, *, operator_id: int) -> Wall:
    """Everything but the queue; nothing of a person this supervisor knows."""
    shut = recusing.shut_to(operator_id)
    theirs = set(await session.scalars(recusing.threads_shut_to(operator_id)))
    transfers = [row for row in await transferring.list_offers(session) if row.thread_id not in theirs]
    recused = await recusing.list_talks(session, limit=6)
    ids = {row.from_operator for row in transfers} | {row.to_operator for row in transfers}
    unseen = await _unseen(session, operator_id)
    return Wall(
        seats={one.operator_id: one for one in await crew.load_seats(session)},
        not_arrived=await _not_arrived(session, operator_id), unseen=unseen, transfers=transfers,
        bridges=await _bridges(session, operator_id),
        said=await bridge.list_said(session, [call.id for _thread, call, _at in unseen]),
        recusals=[(row.at, who, thread.id) for row, who, thread in recused if who.id != operator_id],
        looks_overdue=await look_backs.overdue_count(session, without=shut), red_counties=await duty_book.red_counties(session),
        named=await roster.name_operators(session, ids),
    )  # fmt: skip


async def _not_arrived(session: AsyncSession, operator_id: int) -> list[tuple[Thread, int, datetime]]:
    """Open danger talks with texts out that did not arrive: how many, the newest's time."""
    wanted = select(Thread, func.count(Message.id), func.max(Message.at)).join(Message, Message.thread_id == Thread.id)
    wanted = wanted.join(Escalation, (Escalation.thread_id == Thread.id) & Escalation.closed_at.is_(None))
    wanted = wanted.where(Escalation.lane.in_(DANGER), Message.at >= clock.now() - LATELY)
    wanted = wanted.where(Message.direction == Direction.OUT, Message.state.in_(NOT_ARRIVED))
    wanted = wanted.where(Thread.contact_id.not_in(recusing.shut_to(operator_id))).group_by(Thread.id)
    found = await session.execute(wanted.order_by(func.max(Message.at).desc()).limit(MOST))
    return [(thread, count, at) for thread, count, at in found]


async def _unseen(session: AsyncSession, operator_id: int) -> list[tuple[Thread, Escalation, datetime]]:
    """Red ones that were handed over and in which nobody has seen the child yet, the longest first."""
    since = select(func.max(EscalationEvent.at)).where(
        EscalationEvent.escalation_id == Escalation.id, EscalationEvent.what == "handed_over"
    )
    handed = func.coalesce(since.scalar_subquery(), Escalation.received_at)
    wanted = select(Thread, Escalation, handed).join(Escalation, Escalation.thread_id == Thread.id)
    wanted = wanted.where(Escalation.closed_at.is_(None), Escalation.lane == "red")
    wanted = wanted.where(Escalation.state.in_((State.HANDED_OVER, State.LOST_CONTACT)))
    wanted = wanted.where(Thread.contact_id.not_in(recusing.shut_to(operator_id))).order_by(handed)
    found = await session.execute(wanted.options(joinedload(Thread.contact)).limit(MOST))
    return [(thread, call, at) for thread, call, at in found]


async def _bridges(session: AsyncSession, operator_id: int) -> list[tuple[BridgeCall, Thread]]:
    """Hand-overs that nobody accepted yet, and failed ones nobody settled."""
    calls = await bridge.list_unsettled(session, Thread.contact_id.not_in(recusing.shut_to(operator_id)), limit=MOST)
    wanted = select(Thread).where(Thread.id.in_([call.thread_id for call in calls]))
    threads = {thread.id: thread for thread in await session.scalars(wanted)}
    return [(call, threads[call.thread_id]) for call in calls]
