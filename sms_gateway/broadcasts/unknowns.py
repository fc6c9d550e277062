"""Texts that may have left: asked for at the carrier, sent again only when proven absent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sealing import SealBroken
from sms_gateway import logs
from sms_gateway.carriers.carrier import Found, SendError
from sms_gateway.carriers.registry import carrier
from sms_gateway.database import transaction
from sms_gateway.messages.unclaimed import Lost

from . import addresses, drafting, ledger, references, taking
from .handing import UNREADABLE, is_broken
from .lifecycle import ENDED
from .models import Broadcast, BroadcastChunk, BroadcastRecipient, BroadcastUnknown
from .recipients import State
from .running import Running, running_of

log = logs.get("broadcasts")

AT_ONCE = 20
AGAIN_AFTER = (60.0, 300.0, 1800.0, 7200.0)
"""Seconds until the next look-up while a carrier cannot say; then it stays `unknown`."""
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
IN_HAND = timedelta(seconds=60)
LONGEST_RUN = timedelta(days=1)
"""Broadcasts that ended this long before a text was handed over are not asked for it."""


@dataclass(frozen=True)
class _Lost:
    number: int
    wave: int
    region: str
    carrier: str
    to: str
    body: str
    since: datetime
    tries: int


async def look_up_due(worker: str) -> int:
    """Look up all that are due, twenty at a time; how many. Any number of workers may: a row is looked up by one."""
    total = 0
    while True:
        async with transaction() as session:
            lost = await _claim_due(session)
        await asyncio.gather(*(_look_up(broadcast_id, one) for broadcast_id, one in lost))
        total += len(lost)
        if len(lost) < AT_ONCE:
            break
    if total:
        log.info("outreach_looked_up", worker=worker, texts=total)
    return total


async def _look_up(broadcast_id: int, one: _Lost) -> None:
    reference = references.reference_of(broadcast_id, one.number)
    try:
        found, carrier_id = await carrier(one.carrier).find(
            to=one.to, body=one.body, reference=reference, since=one.since
        )
    except SendError:
        found, carrier_id = Found.CANNOT_SAY, None
    async with transaction() as session:
        await _note(session, broadcast_id, one, found, carrier_id)


async def _claim_due(session: AsyncSession) -> list[tuple[int, _Lost]]:
    U, R = BroadcastUnknown, BroadcastRecipient  # noqa: N806 - two tables, named often below
    due = select(U.broadcast_id, U.number).where(U.look_up_at <= ledger.NOW).order_by(U.look_up_at).limit(AT_ONCE)
    keys = (await session.execute(due.with_for_update(skip_locked=True))).all()
    words: dict[int, Running] = {}
    found = []
    for broadcast_id, number in keys:
        mine = U.broadcast_id == broadcast_id, U.number == number
        row = (
            await session.execute(
                select(R, U.tries).join(U, (U.broadcast_id == R.broadcast_id) & (U.number == R.number)).where(*mine)
            )
        ).one()
        recipient, tries = row
        if recipient.state != State.UNKNOWN:  # a receipt was quicker
            await session.execute(delete(U).where(*mine))
            continue
        await session.execute(update(U).where(*mine).values(look_up_at=ledger.NOW + IN_HAND, tries=tries + 1))
        if broadcast_id not in words:
            words[broadcast_id] = await running_of(session, await session.get_one(Broadcast, broadcast_id))
        try:
            to = addresses.open_sealed(recipient.address_sealed, recipient.address_index)
        except SealBroken as broken:  # the others must be asked for all the same
            if is_broken(broadcast_id, broken):
                await ledger.settle(session, broadcast_id, [ledger.Outcome(number, State.FAILED, error=UNREADABLE)])
                await session.execute(delete(U).where(*mine))
            continue
        found.append((broadcast_id, _Lost(
            number, recipient.wave, recipient.region, recipient.carrier or "", to,
            words[broadcast_id].text(recipient.region), recipient.claimed_at or ALWAYS, tries,
        )))  # fmt: skip
    return found


async def _note(session: AsyncSession, broadcast_id: int, one: _Lost, found: Found, carrier_id: str | None) -> None:
    mine = BroadcastUnknown.broadcast_id == broadcast_id, BroadcastUnknown.number == one.number
    if found is Found.CANNOT_SAY:
        wait = AGAIN_AFTER[one.tries] if one.tries < len(AGAIN_AFTER) else None
        later = None if wait is None else ledger.NOW + timedelta(seconds=wait)
        await session.execute(update(BroadcastUnknown).where(*mine).values(look_up_at=later))
        return
    await session.execute(delete(BroadcastUnknown).where(*mine))
    if found is Found.SENT:
        await ledger.settle(session, broadcast_id, [ledger.Outcome(one.number, State.SENT, carrier_id)])
        return
    status = await session.scalar(
        select(Broadcast.status).where(Broadcast.id == broadcast_id).with_for_update(read=True)
    )
    over = status in ENDED
    back = ledger.Outcome(one.number, State.CANCELLED if over else State.CREATED)
    if await ledger.settle(session, broadcast_id, [back], returnable=(State.UNKNOWN,)) and not over:
        again = {"wave": one.wave, "region": one.region, "first": one.number, "last": one.number, "beat_at": ledger.NOW}
        await session.execute(insert(BroadcastChunk).values(broadcast_id=broadcast_id, **again))


async def list_lost(
    session: AsyncSession,
    *,
    carrier: str,
    address_index: bytes,
    handed_over: tuple[datetime, datetime],
    extension: str | None,
) -> list[Lost]:
    """Texts of outreach to that number that `carrier` may have taken in that time, without our knowing under which id."""
    since, upto = handed_over
    ids = [
        one for one in await taking.list_recent(session, since=since - LONGEST_RUN)
        if extension is None or one % 10 ** len(extension) == int(extension)
    ]  # fmt: skip
    row = BroadcastRecipient
    wanted = select(row.broadcast_id, row.number, row.state).where(
        row.broadcast_id.in_(ids), row.address_index == address_index
    )
    wanted = wanted.where(
        row.carrier == carrier, row.state.in_((State.CLAIMED, State.UNKNOWN)), row.claimed_at.between(since, upto)
    )
    found = []
    for broadcast_id, number, state in (await session.execute(wanted)).all() if ids else []:
        body = await session.scalar(select(Broadcast.body).where(Broadcast.id == broadcast_id))
        whole = drafting.composed_of(body or "").segments == 1
        found.append(Lost(references.reference_of(broadcast_id, number), in_flight=state == State.CLAIMED, whole=whole))
    return found


async def count_open(session: AsyncSession, broadcast_id: int) -> int:
    """Texts that are still to be looked up."""
    mine = select(func.count()).select_from(BroadcastUnknown).where(BroadcastUnknown.broadcast_id == broadcast_id)
    return (await session.scalar(mine.where(BroadcastUnknown.look_up_at.is_not(None)))) or 0
