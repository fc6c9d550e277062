"""The desk as it is right now: who is there, for where, and what they have in hand."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.messages.models import Thread
from sms_gateway.operators import seats
from sms_gateway.operators.models import Operator, Recusal, Role
from sms_gateway.operators.presence import seen_since
from sms_gateway.operators.reach import region_of
from sms_gateway.operators.seats import SeatFacts
from sms_gateway.settings import get_settings

from .models import Escalation

DESK = (Role.OPERATOR, Role.SUPERVISOR)


async def load_seats(session: AsyncSession) -> list[SeatFacts]:
    """Everybody of the desk who is on duty or has a console open. A drill in hand weighs nothing: what is real comes first."""
    now, since = clock.now(), seen_since()
    lane = func.coalesce(Escalation.lane, Thread.lane)
    held = select(Thread.operator_id, lane).outerjoin(
        Escalation, (Escalation.thread_id == Thread.id) & Escalation.closed_at.is_(None)
    )
    held = held.where(Thread.owner == "operator", Thread.channel != Channel.DRILL)
    in_hand: dict[int, list[str]] = defaultdict(list)
    for operator_id, its_lane in await session.execute(held):
        if operator_id is not None:
            in_hand[operator_id].append(its_lane)
    desk = select(Operator).where(Operator.role.in_(DESK), Operator.disabled_at.is_(None))
    desk = desk.where(Operator.on_duty | (Operator.last_seen_at >= since))
    return [
        SeatFacts(
            operator_id=one.id, region=region_of(one.unit), supervisor=one.role == Role.SUPERVISOR, trained=one.trained,
            on_duty=one.on_duty, there=one.last_seen_at is not None and one.last_seen_at >= since,
            on_break=one.break_until is not None and one.break_until > now, load=seats.load_of(in_hand[one.id]),
        )
        for one in await session.scalars(desk)
    ]  # fmt: skip


async def is_county_staffed(session: AsyncSession, escalation: Escalation) -> bool:
    """Whether the desk of the county where the person is has somebody who could take this now."""
    county = await session.scalar(select(Contact.region).where(Contact.id == escalation.contact_id))
    found = await load_seats(session)
    return bool(seats.crew_of_county(found, county, escalation.lane, capacity=get_settings().seat_capacity))


async def shut_out(session: AsyncSession, contact_ids: set[int]) -> dict[int, set[int]]:
    """By contact, the operators who know the family and may see nothing of it."""
    found: dict[int, set[int]] = defaultdict(set)
    if contact_ids:
        for row in await session.scalars(select(Recusal).where(Recusal.contact_id.in_(contact_ids))):
            found[row.contact_id].add(row.operator_id)
    return found
