"""Committed events get their place in the row, and every subscription its deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments.visibility import Facts, Sight, sight_of

from . import facts as facts_of
from .models import Delivery, HotlineEvent, Subscription

LOCK = 0x12345E7
"""Key of the advisory lock under which positions are given: one process at a time, each to the end of its commit."""
BATCH = 500

_PLACE = text(
    "UPDATE hotline_events SET position = :last + new.nth, fanned_out_at = :now"
    " FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS new (id, nth) WHERE hotline_events.id = new.id"
)


@dataclass(frozen=True)
class Wish:
    """What a subscription asks for: its unit, and the categories it wants (None: all)."""

    subscription_id: int
    unit: str
    categories: frozenset[str] | None

    def wants(self, facts: Facts) -> bool:
        return self.categories is None or facts.category in self.categories


def sights(wishes: Sequence[Wish], facts: Facts) -> dict[int, Sight]:
    """How much of a matter each subscription gets, by its id; those that get nothing are left out. Pure."""
    by_unit: dict[str, Sight] = {}
    found: dict[int, Sight] = {}
    for wish in wishes:
        if not wish.wants(facts):
            continue
        if wish.unit not in by_unit:
            by_unit[wish.unit] = sight_of(wish.unit, facts)
        if by_unit[wish.unit] is not Sight.NONE:
            found[wish.subscription_id] = by_unit[wish.unit]
    return found


async def fan_out(session: AsyncSession) -> int:
    """Give new events their positions and deliveries, paused subscriptions' too; returns how many events (at most 500).

    Positions are given under a lock that is held to the commit, so a reader that has seen position n has seen every
    lower one, though transactions commit in another order than their ids. 0 also while another process is at it.
    """
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return 0
    fresh = select(HotlineEvent.id, HotlineEvent.facts).where(HotlineEvent.position.is_(None))
    events = (await session.execute(fresh.order_by(HotlineEvent.id).limit(BATCH))).all()
    if not events:
        return 0
    last = await session.scalar(select(func.coalesce(func.max(HotlineEvent.position), 0))) or 0
    await session.execute(_PLACE, {"last": last, "now": clock.now(), "ids": [event.id for event in events]})
    wishes = await _list_wishes(session)
    known: dict[Facts, dict[int, Sight]] = {}  # events of one ticket mostly share their facts
    rows: list[dict[str, Any]] = []
    for position, event in enumerate(events, last + 1):
        facts = facts_of.from_json(event.facts)
        if facts not in known:
            known[facts] = sights(wishes, facts)
        rows += [
            {"subscription_id": subscription_id, "event_id": event.id, "position": position, "sight": sight}
            for subscription_id, sight in known[facts].items()
        ]
    if rows:
        await session.execute(insert(Delivery), rows)
    return len(events)


async def _list_wishes(session: AsyncSession) -> list[Wish]:
    found = await session.execute(select(Subscription.id, Subscription.unit, Subscription.categories))
    return [Wish(row.id, row.unit, None if row.categories is None else frozenset(row.categories)) for row in found]
