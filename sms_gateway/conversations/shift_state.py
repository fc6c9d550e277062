"""What stands at the change of shift: open calls, hand-overs to desks, children nobody has seen, what falls due. Read only.

Who reads it is shown nothing of a family they know; the numbers, and the ids that are kept with the hand-over, are of everything:
what somebody may not see must not fall out between two shifts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge import duty_book
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.duty_book import Post
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import shanghai
from sms_gateway.contacts.models import Channel
from sms_gateway.escalations import look_backs
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.look_backs import Look
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Thread
from sms_gateway.operators import presence, roster, shifts
from sms_gateway.operators.models import Operator
from sms_gateway.operators.seats import DANGER
from sms_gateway.tickets import filters, listing
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import Ticket

from . import recusing

LOOKS_WITHIN = timedelta(hours=12)
"""One shift ahead."""
MOST_TICKETS = 50


@dataclass(frozen=True)
class OpenCall:
    """A red or orange call with who has the talk."""

    escalation: Escalation
    holder: Operator | None


@dataclass(frozen=True)
class ShiftState:
    """`lacks`: sentences about who is on; `unseen`: red calls in which nobody has seen the child yet.

    `hidden`: how many of the calls, hand-overs and looks are of families the reader knows; `open_ids`: of everything that stands.
    """

    on: Sequence[Operator]
    lacks: tuple[str, ...]
    calls: Sequence[OpenCall]
    unseen: int
    bridges: Sequence[BridgeCall]
    looks: Sequence[Look]
    late: int
    due_today: int
    posts: Sequence[Post]
    hidden: int
    open_ids: Mapping[str, Sequence[int]]

    def left_open(self) -> dict[str, list[int]]:
        """The ids, as `ShiftHandover.left_open` keeps them."""
        return {kind: list(ids) for kind, ids in self.open_ids.items()}


async def load(session: AsyncSession, operator: Operator) -> ShiftState:
    """Everything of the whole desk; tickets only where this operator's account reaches."""
    there, now = await presence.list_on_duty(session), clock.now()
    calls, posts = await _calls(session), await duty_book.list_red(session)
    bridges = await bridge.list_unsettled(session, Thread.channel != Channel.DRILL)
    looks = await look_backs.list_open(session, until=now + LOOKS_WITHIN)
    theirs = set(await session.scalars(recusing.threads_shut_to(operator.id)))
    shown = [one for one in calls if one.escalation.thread_id not in theirs]
    handed = [one for one in bridges if one.thread_id not in theirs]
    coming = [one for one in looks if one.escalation.thread_id not in theirs]
    reach = filters.reach(operator.role, operator.unit)
    tonight = shanghai(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    late_ids = select(Ticket.id).where(reach, filters.where(Filter(show="late"))).order_by(Ticket.due_at)
    return ShiftState(
        on=there, lacks=shifts.lacks(there, now), calls=shown, bridges=handed, looks=coming, posts=posts,
        unseen=sum(one.escalation.lane == "red" and one.escalation.state != State.CHILD_SEEN for one in calls),
        late=await listing.count(session, Filter(show="late"), within=reach),
        due_today=await listing.count(session, Filter(), within=and_(reach, Ticket.due_at >= now, Ticket.due_at < tonight)),
        hidden=len(calls) + len(bridges) + len(looks) - len(shown) - len(handed) - len(coming),
        open_ids={
            "threads": [one.escalation.thread_id for one in calls], "bridge": [one.id for one in bridges],
            "tickets": (await session.scalars(late_ids.limit(MOST_TICKETS))).all(), "posts": [one.id for one in posts],
            "look_backs": [one.row.id for one in looks],
        },
    )  # fmt: skip


async def _calls(session: AsyncSession) -> list[OpenCall]:
    found = [
        one
        for one in await escalations.list_open(session)
        if one.lane in DANGER and one.contact.channel != Channel.DRILL
    ]
    holding = select(Thread.id, Thread.operator_id).where(Thread.id.in_([one.thread_id for one in found]))
    held_by = dict((await session.execute(holding)).all())
    named = await roster.name_operators(session, {one for one in held_by.values() if one is not None})
    return [OpenCall(one, named.get(held_by.get(one.thread_id) or 0)) for one in found]
