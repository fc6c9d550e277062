"""What a person wishes: outreach or none, silence or not."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import Contact


async def opt_out(session: AsyncSession, contact_id: int) -> None:
    """No more outreach. Help is not touched by it."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(outreach_opted_out_at=clock.now()))


async def opt_in(session: AsyncSession, contact_id: int) -> None:
    """Outreach again."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(outreach_opted_out_at=None))


async def set_silent(session: AsyncSession, contact_id: int, *, silent: bool) -> None:
    """Somebody else may be reading this phone: send nothing, or speak again."""
    await session.execute(
        update(Contact).where(Contact.id == contact_id).values(silent_at=clock.now() if silent else None)
    )


async def set_open_case(session: AsyncSession, contact_id: int, *, open_case: bool) -> None:
    """Red or orange is open for this person (broadcasts leave them out)."""
    await session.execute(update(Contact).where(Contact.id == contact_id).values(open_case=open_case))
