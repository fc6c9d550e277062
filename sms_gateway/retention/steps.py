"""What a day's purge does, step after step: people first, then every other kind. Each batch is its own transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.broadcasts import forgetting
from sms_gateway.clock import shanghai
from sms_gateway.contacts.models import Contact
from sms_gateway.errors import Conflict
from sms_gateway.operators import audit_anchors
from sms_gateway.operators.models import AuditRow

from . import people, sweeps
from .dates import cutoff
from .periods import Periods


@dataclass(frozen=True)
class Step:
    """`act`: one batch, by kind what went; empty: nothing is left. `due`: by kind what would go, nothing changed."""

    name: str
    act: Callable[[AsyncSession, Periods], Awaitable[Counter[str]]]
    due: Callable[[AsyncSession, Periods], Awaitable[Counter[str]]]


async def _people_due(session: AsyncSession, periods: Periods) -> Counter[str]:
    done: Counter[str] = Counter()
    after = 0
    while found := await people.list_due(session, periods, after=after):
        after = found[-1]
        for contact_id in found:
            contact = await session.get_one(Contact, contact_id)
            if contact.erased_at is not None:
                done["numbers"] += 1
                continue
            plan = await people.planned(session, contact, periods)
            done["looked_at"] += 1
            done[f"kept_{plan.keeps}"] += plan.keeps is not None
            done["tickets"] += len(plan.tickets)
            done["people_with_old_texts"] += plan.texts_before is not None
        session.expunge_all()
    return +done


def _sweep(one: sweeps.Deleting | sweeps.Blanking) -> Step:
    async def act(session: AsyncSession, periods: Periods) -> Counter[str]:
        before = cutoff(clock.now(), periods.keep(one.kind))
        return +Counter({one.table: await one.act(session, before, await sweeps.load_held(session))})

    async def due(session: AsyncSession, periods: Periods) -> Counter[str]:
        before = cutoff(clock.now(), periods.keep(one.kind))
        return +Counter({one.table: await one.count(session, before, await sweeps.load_held(session))})

    return Step(one.table, act, due)


def _partitions(
    kind: str,
    name: str,
    find: Callable[..., Awaitable[Sequence[int]]],
    drop: Callable[[AsyncSession, int], Awaitable[None]],
) -> Step:
    """One partition a batch: dropping locks every one of them, shortly. Where one is being read, all of them wait for tomorrow:
    behind a waiting lock everything that is being sent would stand in line, once for each."""

    def before(periods: Periods) -> datetime:
        return cutoff(clock.now(), periods.keep(kind))

    async def act(session: AsyncSession, periods: Periods) -> Counter[str]:
        for row_id in await find(session, before=before(periods)):
            try:
                async with session.begin_nested():
                    await drop(session, row_id)
            except Conflict:
                break
            return Counter({name: 1})
        return Counter()

    async def due(session: AsyncSession, periods: Periods) -> Counter[str]:
        return +Counter({name: len(await find(session, before=before(periods)))})

    return Step(name, act, due)


def _last_day_of_audit(periods: Periods) -> date:
    return shanghai(cutoff(clock.now(), periods.keep("audit"))).date() - timedelta(days=1)


async def _blank_audit(session: AsyncSession, periods: Periods) -> Counter[str]:
    """Through the chain's own door, which keeps every chain whole; whole days only."""
    return +Counter({"audit": await audit_anchors.blank_through(session, _last_day_of_audit(periods))})


async def _audit_due(session: AsyncSession, periods: Periods) -> Counter[str]:
    worded = select(func.count()).select_from(AuditRow).where(
        AuditRow.at < audit_anchors.end_of(_last_day_of_audit(periods)), AuditRow.detail_sealed.is_not(None)
    )  # fmt: skip
    return +Counter({"audit": await session.scalar(worded) or 0})


STEPS = (
    Step("people", people.purge_batch, _people_due),
    *map(_sweep, sweeps.SWEEPS),
    Step("audit", _blank_audit, _audit_due),
    _partitions("outreach", "ledgers", forgetting.list_ledgers, forgetting.forget_ledger),
    _partitions("rolls", "rolls", forgetting.list_rolls, forgetting.forget_roll),
)
"""In this order; a run remembers how far it has come."""
