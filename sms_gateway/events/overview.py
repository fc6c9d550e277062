"""What the operators' pages ask of the pushes: how far each subscriber is behind, and what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments.visibility import Sight

from .models import DEAD, WAITS, Delivery, HotlineEvent, State, Subscription


@dataclass(frozen=True)
class Standing:
    """One subscriber and how it keeps up."""

    id: int
    unit: str
    name: str
    url: str
    categories: tuple[str, ...] | None
    """None: all."""
    active: bool
    paused_reason: str | None
    """`asked` or `gone`."""
    created_at: datetime
    waiting: int
    behind: timedelta
    """How long ago the oldest waiting event happened; zero when nothing waits."""
    dead: int
    failures: int
    """Tries in vain in a row."""
    last_status: str | None
    last_delivered_at: datetime | None
    next_at: datetime | None
    """When the next try is, after one in vain."""


async def list_standings(session: AsyncSession, *, units: Sequence[str] | None = None) -> list[Standing]:
    """Every subscription (of these units, when given), by unit and name."""
    waits = await session.execute(
        select(Delivery.subscription_id, func.count(), func.min(HotlineEvent.at))
        .join(HotlineEvent, HotlineEvent.id == Delivery.event_id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        # A batch's rows follow the subscription's position a moment later: what is below it was delivered.
        .where(WAITS)
        .where((Delivery.state == State.REPLAYED) | (Delivery.position > Subscription.delivered_position))
        .group_by(Delivery.subscription_id)
    )
    waiting = {subscription_id: (count, oldest) for subscription_id, count, oldest in waits}
    lost = select(Delivery.subscription_id, func.count()).where(DEAD)
    dead = {row[0]: row[1] for row in await session.execute(lost.group_by(Delivery.subscription_id))}
    wanted = select(Subscription).order_by(Subscription.unit, Subscription.name, Subscription.id)
    if units is not None:
        wanted = wanted.where(Subscription.unit.in_(units))
    found = await session.scalars(wanted)
    return [_standing(row, *waiting.get(row.id, (0, None)), dead=dead.get(row.id, 0)) for row in found]


def _standing(row: Subscription, count: int, oldest: datetime | None, *, dead: int) -> Standing:
    behind = max(clock.now() - oldest, timedelta()) if oldest else timedelta()
    return Standing(
        id=row.id, unit=row.unit, name=row.name, url=row.url, created_at=row.created_at,
        categories=None if row.categories is None else tuple(row.categories), active=row.active,
        paused_reason=row.paused_reason, waiting=count, behind=behind, dead=dead, failures=row.failures,
        last_status=row.last_status, last_delivered_at=row.last_delivered_at, next_at=row.next_at,
    )  # fmt: skip


@dataclass(frozen=True)
class DeadLetter:
    """An event that a subscriber did not take for three days. `id` is what `service.replay` takes."""

    id: int
    subscription_id: int
    unit: str
    name: str
    type: str
    subject: str | None
    """The ticket's number; None where the unit only gets counts."""
    at: datetime
    attempts: int
    first_tried_at: datetime | None
    last_status: str | None


def _dead() -> Select[Delivery, HotlineEvent, Subscription]:
    return (
        select(Delivery, HotlineEvent, Subscription)
        .join(HotlineEvent, HotlineEvent.id == Delivery.event_id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(DEAD)
    )


async def list_dead(
    session: AsyncSession, *, subscription_id: int | None = None, before: int | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Dead letters, the newest first; the next page begins `before` the last one's id."""
    wanted = _dead().order_by(Delivery.id.desc()).limit(limit)
    if subscription_id is not None:
        wanted = wanted.where(Delivery.subscription_id == subscription_id)
    if before is not None:
        wanted = wanted.where(Delivery.id < before)
    return [
        DeadLetter(
            id=delivery.id, subscription_id=row.id, unit=row.unit, name=row.name, type=event.type,
            subject=None if delivery.sight == Sight.COUNTS else event.subject, at=event.at, attempts=delivery.attempts,
            first_tried_at=delivery.first_tried_at, last_status=delivery.last_status,
        )
        for delivery, event, row in await session.execute(wanted)
    ]  # fmt: skip
