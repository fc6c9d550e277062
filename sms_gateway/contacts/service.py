"""What a person wishes: outreach or none, silence or not."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index, sealed_for

from .models import Channel, Contact


async def opt_out(session: AsyncSession, contact_id: int) -> None:
    """No more outreach. Help is not touched by it."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(outreach_opted_out_at=clock.now()))


async def opt_out_number(session: AsyncSession, number: str) -> None:
    """No more outreach to the E.164 `number`, whether we know them yet or not: they told the carrier."""
    contact = Contact(
        channel=Channel.SMS, address=number, address_index=blind_index(number, f"contacts.address.{Channel.SMS}"),
        created_at=clock.now(), outreach_opted_out_at=clock.now(), open_case=False,
    )  # fmt: skip
    known = {"uid", "channel", "address_sealed", "address_index", "created_at", "outreach_opted_out_at", "open_case"}
    row = insert(Contact).values({name: getattr(contact, name) for name in known})
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[Contact.channel, Contact.address_index],
            set_={
                "outreach_opted_out_at": func.coalesce(
                    Contact.outreach_opted_out_at, row.excluded.outreach_opted_out_at
                )
            },
        )
    )


async def opt_in(session: AsyncSession, contact_id: int) -> None:
    """Outreach again."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(outreach_opted_out_at=None))


async def set_silent(session: AsyncSession, contact_id: int, *, silent: bool) -> None:
    """Somebody else may be reading this phone: send nothing, or speak again."""
    await session.execute(
        update(Contact).where(Contact.id == contact_id).values(silent_at=clock.now() if silent else None)
    )


async def find(session: AsyncSession, *, channel: Channel, address: str) -> Contact | None:
    """The person at that address, if we know any."""
    index = blind_index(address, f"contacts.address.{channel}")
    return await session.scalar(select(Contact).where(Contact.channel == channel, Contact.address_index == index))


async def mark_open_case(session: AsyncSession, number: str) -> None:
    """Red or orange is open for whoever has this mobile (E.164): known from now on, so that outreach leaves them out."""
    uid, channel = uuid4(), Channel.SMS
    row = insert(Contact).values(
        uid=uid, channel=channel, address_index=blind_index(number, f"contacts.address.{channel}"),
        address_sealed=sealed_for("contacts", "address_sealed", uid, number), created_at=clock.now(), open_case=True,
    )  # fmt: skip
    await session.execute(
        row.on_conflict_do_update(index_elements=["channel", "address_index"], set_={"open_case": True})
    )


async def set_open_case(session: AsyncSession, contact_id: int, *, open_case: bool) -> None:
    """Red or orange is open for this person (broadcasts leave them out)."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(open_case=open_case))
