"""Events: published in the caller's transaction, pulled by those who would rather ask, sent again when somebody wishes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway.crypto import sealed_for
from sms_gateway.departments.visibility import Facts, Sight
from sms_gateway.errors import Conflict, NotFound

from . import facts as facts_of
from .models import Delivery, HotlineEvent, State, Subscription
from .shaping import Happening, as_json

LOOK_THROUGH = 2_000
"""Events one pull looks at, at most: a page may come back short, or empty, with its cursor moved on."""


class DeliveryNotFound(NotFound):
    sentence = "没有这条推送记录。"


class DeliveryIsNotDead(Conflict):
    sentence = "只有推送失败、已停发的才能重发，请刷新后再看。"


class SubscriptionIsPaused(Conflict):
    sentence = "这个订阅已暂停，请先恢复再重发。"


_WRITE = text(
    "INSERT INTO hotline_events (uid, type, subject, at, ref, facts, data_sealed)"
    " VALUES (:uid, :type, :subject, :at, :ref, CAST(:facts AS jsonb), CAST(:data AS bytea))"
)
"""As text: it is part of opening a ticket, and costs a third less than through the ORM."""


async def publish(
    session: AsyncSession, *, type: str, subject: str, at: datetime, ref: int | None = None,  # noqa: A002 - CloudEvents' word
    facts: Facts | None = None, data: Mapping[str, Any] | None = None,
) -> UUID:  # fmt: skip
    """Write an event of the ticket with number `subject` down in the caller's transaction: one insert. Returns its id.

    Facts and data are given here, or filled in after the commit by the source of this type from `ref` (`filling.py`):
    what a ticket's move does after its event is then in it, and who opens a ticket does not wait for it. `data` holds
    the parts and fields named in `shaping.FULL`; others are never shown. Workers look for new events each second
    (`tasks.sweep`), so no job is deferred.
    """
    uid = uuid4()
    values: dict[str, Any] = {"uid": uid, "type": type, "subject": subject, "at": at, "ref": ref}
    values |= {
        "facts": None if facts is None else json.dumps(facts_of.as_json(facts)),
        "data": None if data is None else sealed_for(HotlineEvent.__tablename__, "data_sealed", uid, dict(data)),
    }
    await session.execute(_WRITE, values)
    return uid


async def forget(session: AsyncSession, *, subject: str, refs: Collection[int]) -> None:
    """Somebody's words were erased: the data of these events goes from here too, and what still waits of it is not sent."""
    gone = update(HotlineEvent).where(HotlineEvent.subject == subject, HotlineEvent.ref.in_(refs))
    gone = gone.where(HotlineEvent.position.is_not(None)).values(data_sealed=None)
    await session.execute(gone, execution_options={"synchronize_session": False})


async def list_latest_facts(session: AsyncSession, subjects: Collection[str]) -> dict[str, Facts]:
    """The newest facts of these tickets, by number."""
    newest = (
        select(HotlineEvent.subject, HotlineEvent.facts)
        .where(HotlineEvent.subject.in_(set(subjects)), HotlineEvent.facts.is_not(None))
        .ext(distinct_on(HotlineEvent.subject))
        .order_by(HotlineEvent.subject, HotlineEvent.id.desc())
    )  # fmt: skip
    return {row.subject: facts_of.from_json(row.facts or {}) for row in await session.execute(newest)}


@dataclass(frozen=True)
class Pulled:
    """A page of events as CloudEvents JSON objects, oldest first, and where the next page begins."""

    events: list[dict[str, Any]]
    after: int
    more: bool
    """Whether there is more to look at now; `events` may be empty although there is."""


async def pull(session: AsyncSession, *, unit: str, after: int, limit: int = 100) -> Pulled:
    """Up to `limit` events after position `after` that this unit may see, as it may see them.

    Ask again with the page's `after` (0 at first) while `more`, later with the last one: nothing is skipped, nothing
    comes twice. An event is there within about a second after its ticket's transaction.
    """
    wanted = select(HotlineEvent).where(HotlineEvent.position > after).order_by(HotlineEvent.position)
    found = (await session.scalars(wanted.limit(LOOK_THROUGH))).all()
    latest = await list_latest_facts(session, {event.subject for event in found})
    page: list[dict[str, Any]] = []
    for event in found:
        if len(page) == limit:
            return Pulled(page, after, more=True)
        after = event.position or after
        if event.facts is None or event.data_sealed is None:
            continue
        sight = facts_of.sight_now(unit, facts_of.from_json(event.facts), latest[event.subject])
        if sight is not Sight.NONE:
            page.append(json.loads(as_json(_happening(event), sight)))
    return Pulled(page, after, more=len(found) == LOOK_THROUGH)


def _happening(event: HotlineEvent) -> Happening:
    assert event.position is not None
    return Happening(
        event.uid, event.position, event.type, event.subject, event.at, event.facts or {}, event.data or {}
    )  # fmt: skip


async def list_after(session: AsyncSession, *, unit: str, after: int, limit: int = 100) -> list[dict[str, Any]]:
    """The events of the first page after `after` that has any; a caller's cursor is the last one's `sequence`, as a number."""
    while not (page := await pull(session, unit=unit, after=after, limit=limit)).events and page.more:
        after = page.after
    return page.events


async def replay(session: AsyncSession, delivery_ids: Sequence[int]) -> int:
    """Send these dead letters once more, before anything that waits; returns how many.

    Each gets one try and is dead again when that fails. Raises `DeliveryNotFound`, `DeliveryIsNotDead` (also when
    somebody else was quicker), `SubscriptionIsPaused`; then nothing changes.
    """
    wanted = select(Delivery).where(Delivery.id.in_(delivery_ids)).order_by(Delivery.id)
    wanted = wanted.options(joinedload(Delivery.subscription)).with_for_update(of=Delivery)
    deliveries = (await session.scalars(wanted)).all()
    if len(deliveries) != len(set(delivery_ids)):
        raise DeliveryNotFound
    for delivery in deliveries:
        if delivery.state != State.DEAD:
            raise DeliveryIsNotDead
        if not delivery.subscription.active:
            raise SubscriptionIsPaused
        delivery.state = State.REPLAYED
    subscriptions = {delivery.subscription_id for delivery in deliveries}
    at_once = update(Subscription).where(Subscription.id.in_(subscriptions)).values(next_at=None)
    await session.execute(at_once, execution_options={"synchronize_session": False})
    return len(deliveries)
