"""The purge of people's own data: whose turn it is, what `decision.plan` says of them, and doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.contacts.models import Channel, Contact

from . import connected, decision, erasing, standing
from .dates import cutoff
from .decision import SOONEST, Keeps, Plan
from .periods import Periods

log = logs.get("retention")

BATCH = 50
WHY = "保存期限已到，按规定清除内容；单号、时间、状态和指纹保留"


def _to_be_looked_at(periods: Periods) -> object:
    """Condition over `Contact`: their time has come, or nobody has looked at them yet and their first text may be due."""
    now = clock.now()
    drill = (Contact.channel == Channel.DRILL) & (Contact.created_at < cutoff(now, periods.keep("drills")))
    first = drill | (Contact.created_at < cutoff(now, periods.keep("talks")))
    return or_(Contact.keep_until <= now, Contact.keep_until.is_(None) & Contact.erased_at.is_(None) & first)


async def list_due(session: AsyncSession, periods: Periods, *, after: int = 0, limit: int = BATCH) -> Sequence[int]:
    """Ids of people to be looked at now, beyond the id `after`."""
    wanted = select(Contact.id).where(_to_be_looked_at(periods), Contact.id > after)  # type: ignore[arg-type]
    return (await session.scalars(wanted.order_by(Contact.id).limit(limit))).all()


async def planned(session: AsyncSession, contact: Contact, periods: Periods) -> Plan:
    """What goes of this person now; nothing is changed."""
    together = await connected.load(session, contact.id)
    keep = {kind: period.keep for kind, period in periods.items()}
    return decision.plan(await standing.load(session, contact, together), keep, clock.now())


async def purge_batch(session: AsyncSession, periods: Periods) -> Counter[str]:
    """Look at the next people; by kind what went, `looked_at` how many were looked at (none: no one is left)."""
    done: Counter[str] = Counter()
    for contact_id in await list_due(session, periods):
        done["looked_at"] += 1
        try:
            async with session.begin_nested():
                done += await _purge_one(session, contact_id, periods)
        except Exception:  # one person's broken row must not keep everybody's data for ever
            log.exception("person_not_purged", contact_id=contact_id)
            done["failed"] += 1
            later = update(Contact).where(Contact.id == contact_id).values(keep_until=clock.now() + SOONEST)
            await session.execute(later, execution_options={"synchronize_session": False})
    return done


async def forget_numbers(session: AsyncSession) -> int:
    """The second step of forgetting people whose rows were forgotten a while ago; how many numbers went."""
    waits = select(Contact).where(Contact.erased_at.is_not(None), Contact.keep_until <= clock.now())
    rows = (await session.scalars(waits.order_by(Contact.id).limit(BATCH).with_for_update(skip_locked=True))).all()
    return sum([await erasing.forget_number(session, contact) for contact in rows])


async def _purge_one(session: AsyncSession, contact_id: int, periods: Periods) -> Counter[str]:
    """Under the person's lock, which a text that comes in waits for."""
    locked = select(Contact).where(Contact.id == contact_id).with_for_update()
    contact = (await session.scalars(locked.execution_options(populate_existing=True))).one()
    if contact.erased_at is not None:
        return Counter(numbers=int(await erasing.forget_number(session, contact)))
    return await carry_out(session, contact, await planned(session, contact, periods))


async def carry_out(session: AsyncSession, contact: Contact, plan: Plan, *, why: str = WHY) -> Counter[str]:
    """Do what the plan says of this locked person; by kind what went."""
    if plan.keeps is not None:
        contact.keep_until = plan.look_at
        return Counter({f"kept_{plan.keeps}": 1})
    done: Counter[str] = Counter()
    for ticket_id in sorted(plan.tickets):
        await erasing.erase_ticket(session, ticket_id, why=why)
        done["tickets"] += 1
    for ticket_id in sorted(plan.media):
        done["media"] += await erasing.erase_media(session, ticket_id)
    if plan.texts_before is not None:
        done["texts"] = await erasing.erase_texts(session, contact.id, plan.texts_before)
    if done["texts"] == erasing.MOST_TEXTS:
        contact.keep_until = clock.now()  # more of them in the next batch
    elif await erasing.forget_person(session, contact):
        done["people"] += 1
    else:
        contact.keep_until = plan.look_at
    return +done


async def look_again(session: AsyncSession, together: connected.Connected) -> None:
    """What kept these people has gone, or come: the next purge decides anew."""
    theirs = update(Contact).where(Contact.id.in_(together.contacts), Contact.erased_at.is_(None))
    await session.execute(theirs.values(keep_until=clock.now()), execution_options={"synchronize_session": False})


KEPT = {Keeps.HOLD: "证据保全", Keeps.OPEN: "还没办结", Keeps.FOLLOWED: "还在跟进", Keeps.HARM: "侵害类，期限没到"}
"""Why something is kept, for people."""
