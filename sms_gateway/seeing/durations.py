"""How long people waited, from the rows of texts and calls: each row tells it once, when its end is written.

The rows are the truth: they outlive every process, and no worker has to be asked. A wait is counted from the moment our
door read the text (`received_at`), drills left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import extract, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message, Thread

LONGEST = timedelta(hours=1)
"""A first reply that took longer is counted by the queue's age, not here: the look stays cheap."""


class Kind(StrEnum):
    TURN = "turn"
    """Any text but red: until the first reply is with the carrier, or on the page."""
    DANGER_REPLY = "danger_reply"
    """A red text: until the safe reply is."""
    DANGER_HUMAN = "danger_human"
    """A red text: until a person has taken it."""


@dataclass(frozen=True)
class Wait:
    kind: Kind
    seconds: float


async def list_ended(session: AsyncSession, *, after: datetime, upto: datetime) -> list[Wait]:
    """Every wait that ended in there (`after` itself not, `upto` too)."""
    return [*await _replies(session, after, upto), *await _humans(session, after, upto)]


async def _replies(session: AsyncSession, after: datetime, upto: datetime) -> list[Wait]:
    reply, asked = aliased(Message), aliased(Message)
    wanted = (
        select(asked.lane, extract("epoch", reply.sent_at - asked.at))
        .join(asked, asked.id == reply.reply_to)
        .join(Thread, Thread.id == reply.thread_id)
        .where(reply.reply_slot == 0, reply.sent_at > after, reply.sent_at <= upto, reply.at > after - LONGEST)
        .where(Thread.channel.not_in((Channel.DRILL, Channel.DESK)))
    )
    return [
        Wait(Kind.DANGER_REPLY if lane == "red" else Kind.TURN, max(0.0, float(seconds)))
        for lane, seconds in await session.execute(wanted)
    ]


async def _humans(session: AsyncSession, after: datetime, upto: datetime) -> list[Wait]:
    wanted = (
        select(extract("epoch", Escalation.acknowledged_at - Escalation.received_at))
        .join(Contact, Contact.id == Escalation.contact_id)
        .where(Escalation.lane == "red", Escalation.acknowledged_at > after, Escalation.acknowledged_at <= upto)
        .where(Contact.channel != Channel.DRILL)
    )
    return [Wait(Kind.DANGER_HUMAN, max(0.0, float(seconds))) for seconds in await session.scalars(wanted)]


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of them do not exceed; None of none. Pure."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
