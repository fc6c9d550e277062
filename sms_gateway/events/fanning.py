"""Committed events get their place in the row, and every subscription its deliveries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.crypto import sealed_for
from sms_gateway.departments.visibility import Facts, Sight, sight_of

from . import facts as facts_of
from .filling import Filled, Source, source_of
from .models import HotlineEvent, Subscription

log = logs.get("events")

LOCK = 0x12345E7
"""Key of the advisory lock under which positions are given: one process at a time, each to the end of its commit."""
BATCH = 500

_PLACE = text(
    "UPDATE hotline_events SET position = new.position, fanned_out_at = :now,"
    " facts = coalesce(CAST(new.facts AS jsonb), hotline_events.facts), data_sealed = coalesce(new.data, data_sealed)"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:positions AS bigint[]), CAST(:facts AS text[]), CAST(:data AS bytea[]))"
    " AS new (id, position, facts, data) WHERE hotline_events.id = new.id"
)


_DELIVERIES = text(
    "INSERT INTO event_deliveries (subscription_id, event_id, position, sight, state, attempts)"
    " SELECT *, 'pending', 0 FROM unnest(CAST(:subscriptions AS bigint[]), CAST(:events AS bigint[]),"
    " CAST(:positions AS bigint[]), CAST(:sights AS text[]))"
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
    fresh = select(
        HotlineEvent.id,
        HotlineEvent.uid,
        HotlineEvent.type,
        HotlineEvent.ref,
        cast(HotlineEvent.facts, Text).label("facts"),
    ).where(HotlineEvent.position.is_(None))
    events = (await session.execute(fresh.order_by(HotlineEvent.id).limit(BATCH))).all()
    if not events:
        return 0
    last = await session.scalar(select(func.coalesce(func.max(HotlineEvent.position), 0))) or 0
    filled = await _fill(session, events)
    await _place(session, events, filled, last)
    wishes = await _list_wishes(session)
    known: dict[str | Facts, dict[int, Sight]] = {}  # events of one ticket mostly share their facts
    rows: list[tuple[int, int, int, str]] = []
    for position, event in enumerate(events, last + 1):
        facts = filled[event.id].facts if event.id in filled else event.facts
        if facts is None:
            log.error("event_is_empty", event_id=event.id)
            continue
        if facts not in known:
            known[facts] = sights(wishes, facts_of.from_json(json.loads(facts)) if isinstance(facts, str) else facts)
        rows += [(subscription_id, event.id, position, sight.value) for subscription_id, sight in known[facts].items()]
    if rows:
        columns = zip(
            ("subscriptions", "events", "positions", "sights"), map(list, zip(*rows, strict=True)), strict=True
        )
        await session.execute(_DELIVERIES, dict(columns))
    return len(events)


async def _fill(session: AsyncSession, events: Sequence[Any]) -> dict[int, Filled]:
    """What those without facts are about, by event id."""
    by_source: dict[Source, dict[int, int]] = {}
    for event in events:
        if event.facts is None and event.ref is not None:
            by_source.setdefault(source_of(event.type), {})[event.ref] = event.id
    filled: dict[int, Filled] = {}
    for source, ids in by_source.items():
        filled |= {ids[ref]: one for ref, one in (await source(session, list(ids))).items()}
    return filled


async def _place(session: AsyncSession, events: Sequence[Any], filled: dict[int, Filled], last: int) -> None:
    facts: list[str | None] = []
    data: list[bytes | None] = []
    for event in events:
        one = filled.get(event.id)
        facts.append(json.dumps(facts_of.as_json(one.facts)) if one else None)
        data.append(sealed_for(HotlineEvent.__tablename__, "data_sealed", event.uid, one.data) if one else None)
    values = {
        "now": clock.now(), "ids": [event.id for event in events],
        "positions": list(range(last + 1, last + 1 + len(events))), "facts": facts, "data": data,
    }  # fmt: skip
    await session.execute(_PLACE, values)


async def _list_wishes(session: AsyncSession) -> list[Wish]:
    found = await session.execute(select(Subscription.id, Subscription.unit, Subscription.categories))
    return [Wish(row.id, row.unit, None if row.categories is None else frozenset(row.categories)) for row in found]
