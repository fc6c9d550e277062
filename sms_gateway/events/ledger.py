"""What was sent to a subscriber and what waits: one run holds a subscriber at a time, and writes each success down.

A run notes each event that arrived in its journal, moves the subscription's `delivered_position` four times a second, and
settles the deliveries' own rows once a batch: what waits up to that position was delivered, also after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, bindparam, case, exists, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sms_gateway import clock
from sms_gateway.crypto import opened_from
from sms_gateway.departments.visibility import Sight

from . import facts as facts_of
from . import journal
from .journal import Progress
from .models import WAITS, Delivery, HotlineEvent, State, Subscription
from .pace import Answer, is_given_up, pause_after
from .shaping import Happening

LEASE = timedelta(seconds=30)
"""Three times what one try may take: a living run renews it as it goes on, a dead one is taken over after it."""
WRITE_EVERY = timedelta(seconds=0.25)
"""How long what arrived may stand in the journal only, and how long a pause may be overlooked."""
BATCH = 250


@dataclass(frozen=True)
class Run:
    """One run's hold on one subscriber."""

    subscription_id: int
    holder: UUID
    url: str
    secret: str
    progress: Progress
    after: UUID | None
    """Whom it took the subscriber over from, if that one did not let go by itself."""


@dataclass(frozen=True)
class Parcel:
    """One event as this subscriber gets it."""

    delivery_id: int
    position: int
    sight: Sight
    row: Any
    """As it was loaded, its data still sealed."""
    replayed: bool
    """Asked for again by a person: it has one try, and moves no position."""

    def opened(self) -> Happening:
        """The event, its data opened: one at a time, just before it leaves."""
        row = self.row
        data = opened_from(HotlineEvent.__tablename__, "data_sealed", row.uid, row.data_sealed)
        return Happening(row.uid, row.position, row.type, row.subject, row.at, row.facts or {}, data)


def _is_ready() -> ColumnElement[bool]:
    """Active, not in a pause between tries, and held by no living run."""
    now = clock.now()
    rested = or_(Subscription.next_at.is_(None), Subscription.next_at <= now)
    free = or_(Subscription.leased_until.is_(None), Subscription.leased_until <= now)
    return Subscription.active & rested & free


async def list_due(session: AsyncSession) -> Sequence[int]:
    """Subscriptions that something waits for and that a run could be started for now."""
    waits = exists().where(Delivery.subscription_id == Subscription.id, WAITS)
    return (await session.scalars(select(Subscription.id).where(_is_ready(), waits).order_by(Subscription.id))).all()


async def claim(session: AsyncSession, subscription_id: int) -> Run | None:
    """Hold this subscriber; None when another run was quicker, or it is not its time any more."""
    ready = select(Subscription).where(Subscription.id == subscription_id, _is_ready())
    subscription = await session.scalar(ready.with_for_update(skip_locked=True))
    if subscription is None:
        return None
    dead = subscription.leased_by
    if (position := journal.left_by(dead)) > subscription.delivered_position:
        subscription.delivered_position, subscription.last_delivered_at = position, clock.now()
    subscription.leased_by, subscription.leased_until = uuid4(), clock.now() + LEASE
    progress = Progress(subscription.leased_by)
    return Run(subscription.id, subscription.leased_by, subscription.url, subscription.secret, progress, dead)


async def _held(session: AsyncSession, run: Run) -> Subscription | None:
    """The locked row with what arrived written down and the hold renewed; None when `run` has lost it."""
    mine = select(Subscription).where(Subscription.id == run.subscription_id, Subscription.leased_by == run.holder)
    subscription = await session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if subscription is None:
        return None
    if run.progress.position > subscription.delivered_position:
        subscription.delivered_position, subscription.last_delivered_at = run.progress.position, clock.now()
        subscription.last_status, subscription.failures, subscription.next_at = run.progress.status, 0, None
    subscription.leased_until = clock.now() + LEASE
    return subscription


async def write_down(session: AsyncSession, run: Run) -> bool:
    """Let the database know how far the run has come; False when it must stop: paused, or taken over by another."""
    subscription = await _held(session, run)
    return subscription is not None and subscription.active


async def next_batch(session: AsyncSession, run: Run) -> list[Parcel]:
    """What comes next, in order, at most 250; empty when nothing waits, it was paused, or the hold was lost.

    What a person asked for again comes first. What this unit may no longer see is set aside, never sent.
    """
    subscription = await _held(session, run)
    if subscription is None:
        return []
    await _settle(session, subscription)
    if not subscription.active:
        return []
    while rows := (await session.execute(_WAITING, {"subscription": run.subscription_id})).all():
        if parcels := await _parcels(session, subscription.unit, rows):
            return parcels
    return []  # a whole batch may have been set aside


_newest = aliased(HotlineEvent)
_latest = (
    select(_newest.facts)
    .where(_newest.subject == HotlineEvent.subject, _newest.facts.is_not(None))
    .order_by(_newest.id.desc()).limit(1).lateral("latest")
)  # fmt: skip
_WAITING = (  # columns, and facts only where they are needed: loading is much of what a push costs
    select(
        Delivery.id.label("delivery"), Delivery.state, Delivery.sight, Delivery.position, HotlineEvent.uid, HotlineEvent.type,
        HotlineEvent.subject, HotlineEvent.at, HotlineEvent.data_sealed,
        case(((Delivery.sight == Sight.COUNTS) | (_latest.c.facts != HotlineEvent.facts), HotlineEvent.facts)).label("facts"),
        case((_latest.c.facts != HotlineEvent.facts, _latest.c.facts)).label("newer_facts"),
    )
    .join(HotlineEvent, HotlineEvent.id == Delivery.event_id)
    .join(_latest, true())
    .where(Delivery.subscription_id == bindparam("subscription"), WAITS)
    .order_by(Delivery.state.desc(), Delivery.position)  # replayed, then pending
    .limit(BATCH)
)  # fmt: skip


async def _parcels(session: AsyncSession, unit: str, rows: Sequence[Any]) -> list[Parcel]:
    """What may be sent of these rows; the rest is set aside."""
    parcels, withheld = [], []
    for row in rows:
        sight = Sight(row.sight)
        if row.newer_facts is not None:
            now = facts_of.sight_now(unit, facts_of.from_json(row.facts), facts_of.from_json(row.newer_facts))
            sight = min(sight, now, key=lambda each: each.rank)
        if sight is Sight.NONE or row.data_sealed is None:  # None: erased
            withheld.append(row.delivery)
            continue
        parcels.append(Parcel(row.delivery, row.position, sight, row, row.state == State.REPLAYED))
    if withheld:
        await session.execute(update(Delivery).where(Delivery.id.in_(withheld)).values(state=State.WITHHELD))
    return parcels


async def _settle(session: AsyncSession, subscription: Subscription) -> None:
    delivered = (
        Delivery.subscription_id == subscription.id,
        WAITS,
        Delivery.state == State.PENDING,
        Delivery.position <= subscription.delivered_position,
    )
    settled = {
        "state": State.DELIVERED,
        "attempts": Delivery.attempts + 1,
        "delivered_at": subscription.last_delivered_at,
        "last_status": subscription.last_status,
    }
    await session.flush()
    done = update(Delivery).where(*delivered).values(settled)
    await session.execute(done, execution_options={"synchronize_session": False})


async def note_failure(session: AsyncSession, run: Run, parcel: Parcel, answer: Answer) -> None:
    """The try was in vain: the next one has a time, or the event is dead, or the subscriber wants no more (410)."""
    subscription = await _held(session, run)
    if subscription is None:
        return
    await _settle(session, subscription)
    now = clock.now()
    delivery = await session.get_one(Delivery, parcel.delivery_id)
    delivery.attempts, delivery.last_status = delivery.attempts + 1, answer.status
    delivery.first_tried_at = delivery.first_tried_at or now
    subscription.failures, subscription.last_status = subscription.failures + 1, answer.status
    if answer.is_gone:
        subscription.active, subscription.paused_reason = False, "gone"
    if parcel.replayed:
        delivery.state = State.DEAD
        if answer.is_silence or answer.is_gone:
            await _give_up_replays(session, run)
    elif is_given_up(first_tried_at=delivery.first_tried_at, now=now):
        delivery.state = State.DEAD  # the next one goes on at once: it has never been tried
    else:
        subscription.next_at = now + pause_after(subscription.failures)


async def _give_up_replays(session: AsyncSession, run: Run) -> None:
    """Nobody is there: what else was asked for again is dead as before, so that it does not hold up what is new."""
    waiting = Delivery.subscription_id == run.subscription_id, Delivery.state == State.REPLAYED
    dead = update(Delivery).where(*waiting).values(state=State.DEAD)
    await session.execute(dead, execution_options={"synchronize_session": False})


async def note_replayed(session: AsyncSession, parcel: Parcel, answer: Answer) -> None:
    """What was asked for again has arrived."""
    delivery = await session.get_one(Delivery, parcel.delivery_id, with_for_update=True)
    delivery.state, delivery.delivered_at, delivery.last_status = State.DELIVERED, clock.now(), answer.status
    delivery.attempts += 1


async def release(session: AsyncSession, run: Run) -> None:
    """Let go of the subscriber, with everything delivered written down."""
    subscription = await _held(session, run)
    if subscription is not None:
        await _settle(session, subscription)
        subscription.leased_by = subscription.leased_until = None
