"""What the operators' pages ask of escalations: what rings now, what did not arrive, who was quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.settings import get_settings

from .ladder import State
from .models import Escalation, EscalationEvent

CALLED_OUT = (
    "text_did_not_arrive",
    "silence_word",
    "ask_desk",
    "unread",
    "bridge_late",
    "bridge_failed",
    "bridge_returned",
    "desk_lost_contact",
)
"""What else is called out, for `alarm_minutes`: a text that did not arrive, a code word …"""
DANGER = ("red", "orange")


@dataclass(frozen=True)
class Alarm:
    """Something an open page must call out. `key` changes with every new reason to ring."""

    key: str
    kind: str
    """`red`, or one of `CALLED_OUT`."""
    thread_id: int
    harm: str | None
    received_at: datetime
    step: int
    holder: int | None
    """The operator who has it."""
    contact_id: int = 0
    county: str | None = None
    lane: str = "red"


async def list_alarms(session: AsyncSession) -> list[Alarm]:
    """Red that nobody has taken (a drill's last), the longest waiting first; then, in the same order, what else is called out."""
    last_ring = select(func.max(EscalationEvent.id)).where(
        EscalationEvent.escalation_id == Escalation.id, EscalationEvent.what == "rung"
    )
    ringing = select(Escalation, last_ring.scalar_subquery(), Contact.region).where(
        Escalation.closed_at.is_(None), Escalation.lane == "red", Escalation.state == State.RINGING
    )
    ringing = ringing.join(Escalation.contact).order_by(Contact.channel == Channel.DRILL, Escalation.received_at)
    found = [
        Alarm(
            f"red-{row.id}-{ring}",
            "red",
            row.thread_id,
            row.harm,
            row.received_at,
            row.step,
            None,
            contact_id=row.contact_id,
            county=region,
        )
        for row, ring, region in await session.execute(ringing)
    ]
    since = clock.now() - timedelta(minutes=get_settings().alarm_minutes)
    told = select(EscalationEvent, Escalation, Contact.region).join(
        Escalation, Escalation.id == EscalationEvent.escalation_id
    )
    told = told.join(Escalation.contact)
    told = told.where(EscalationEvent.what.in_(CALLED_OUT), EscalationEvent.at >= since)
    told = told.where(Escalation.closed_at.is_(None), Escalation.lane.in_(DANGER))
    told = told.order_by(
        Contact.channel == Channel.DRILL, EscalationEvent.id.desc()
    )  # no drill crowds out what is real
    for event, row, region in await session.execute(told.limit(20)):
        if event.what == "unread" and row.acknowledged_by is not None:
            continue
        found.append(
            Alarm(
                f"event-{event.id}",
                event.what,
                row.thread_id,
                row.harm,
                event.at,
                row.step,
                row.acknowledged_by,
                contact_id=row.contact_id,
                county=region,
                lane=row.lane,
            )
        )
    return found


async def count_lanes(session: AsyncSession, contact_id: int, *, since: datetime) -> dict[str, int]:
    """How many red and orange ones this contact had since then: `{"red": 1, "orange": 0}`."""
    counted = select(Escalation.lane, func.count()).where(
        Escalation.contact_id == contact_id, Escalation.opened_at >= since, Escalation.lane.in_(DANGER)
    )
    counts = dict.fromkeys(DANGER, 0)
    for lane, number in await session.execute(counted.group_by(Escalation.lane)):
        counts[lane] = number
    return counts


async def list_of_talk(session: AsyncSession, thread_id: int, *, limit: int = 20) -> Sequence[Escalation]:
    """The talk's escalations, the newest first; an open one is always the first."""
    wanted = select(Escalation).where(Escalation.thread_id == thread_id).order_by(Escalation.id.desc())
    return (await session.scalars(wanted.limit(limit))).all()


async def list_events_of(session: AsyncSession, escalation_ids: Sequence[int]) -> Sequence[EscalationEvent]:
    """What happened to these, oldest first."""
    wanted = select(EscalationEvent).where(EscalationEvent.escalation_id.in_(escalation_ids))
    return (await session.scalars(wanted.order_by(EscalationEvent.id))).all()
