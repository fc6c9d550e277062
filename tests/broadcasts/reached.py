"""Somebody who was texted by a broadcast, as tests of replies need it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text

from sms_gateway import clock
from sms_gateway.broadcasts import addresses
from sms_gateway.broadcasts.models import Broadcast, BroadcastMinute, BroadcastRecipient, BroadcastReply
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from tests.broadcasts.making import REGION, make_broadcast
from tests.telling import Person


async def reach(
    *numbers: str, at: datetime | None = None, state: str = "delivered", title: str = "开学提醒", region: str = REGION
) -> int:
    """A broadcast that texted these numbers at that moment (now by default); its id."""
    when = at or clock.now()
    broadcast_id = await make_broadcast(title=title, started_at=when)
    async with transaction() as session:
        partition = f"CREATE TABLE broadcast_recipients_{broadcast_id} PARTITION OF broadcast_recipients"
        await session.execute(text(f"{partition} FOR VALUES IN ({broadcast_id})"))
        for number, phone in enumerate(numbers, start=1):
            index = addresses.index_of(phone)
            session.add(
                BroadcastRecipient(
                    broadcast_id=broadcast_id, number=number, wave=0, region=region, state=state, address_index=index,
                    address_sealed=addresses.seal(phone, index), claimed_at=when, sent_at=when,
                )
            )  # fmt: skip
    return broadcast_id


async def end(broadcast_id: int, *, at: datetime | None = None) -> None:
    async with transaction() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        broadcast.status, broadcast.ended_at = "completed", at or clock.now()


async def replies_to(broadcast_id: int) -> list[tuple[str, str]]:
    """Lane and kind of each reply, in the order they came."""
    wanted = select(BroadcastReply).where(BroadcastReply.broadcast_id == broadcast_id)
    async with transaction() as session:
        found = await session.scalars(wanted.order_by(BroadcastReply.message_id))
        return [(row.lane, row.kind) for row in found]


async def minutes_of(broadcast_id: int) -> dict[str, int]:
    """What was counted of that broadcast, over all minutes."""
    wanted = select(BroadcastMinute).where(BroadcastMinute.broadcast_id == broadcast_id)
    counts: dict[str, int] = {}
    async with transaction() as session:
        for row in await session.scalars(wanted):
            counts[row.what] = counts.get(row.what, 0) + row.count
    return counts


async def contact_of(person: Person) -> Contact:
    talk = await person.talk()
    async with transaction() as session:
        return (await session.scalars(select(Contact).where(Contact.id == talk.contact_id))).one()
