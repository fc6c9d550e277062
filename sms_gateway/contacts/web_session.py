"""The end of a web visitor's session: the talk stays for the hotline, the browser's token opens nothing any more."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.crypto import blind_index

from .models import Channel, Contact


async def end_web_session(session: AsyncSession, *, token: str) -> int | None:
    """Give the contact another address, known to nobody; its id, or None when there was no such visitor."""
    index = blind_index(token, f"contacts.address.{Channel.WEB}")
    found = select(Contact).where(Contact.channel == Channel.WEB, Contact.address_index == index)
    contact = await session.scalar(found.with_for_update())
    if contact is None:
        return None
    contact.address = f"left:{secrets.token_urlsafe(24)}"
    contact.address_index = blind_index(contact.address, f"contacts.address.{Channel.WEB}")
    return contact.id
