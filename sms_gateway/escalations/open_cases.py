"""Whether red or orange is open for a person: what outreach goes by (`contacts.open_case`). Raised at once, lowered only when nothing is.

Open is a call, a ticket of harm (also one merged into another's), or a matter of harm that an emergency desk handed to us with
that person's number.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge import matters
from sms_gateway.contacts import phone
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.operators.seats import DANGER
from sms_gateway.tickets import open_harm
from sms_gateway.tickets.models import Ticket

from .models import Escalation


async def opened(session: AsyncSession, contact_id: int, *, lane: str) -> None:
    """A call was opened, or raised, to that lane."""
    if lane in DANGER:
        await contacts.set_open_case(session, contact_id, open_case=True)


async def ended(session: AsyncSession, contact_id: int, *, lane: str) -> None:
    """A call of that lane is over."""
    if lane in DANGER:
        await settle(session, contact_id)


async def settle(session: AsyncSession, contact_id: int) -> None:
    """The flag as it is now. Of a desk's matter also for the number the desk gave."""
    contact = await session.get_one(Contact, contact_id, with_for_update={"key_share": True})
    await contacts.set_open_case(session, contact_id, open_case=await _is_open(session, contact))
    if contact.channel == Channel.DESK:
        for number in await _numbers_of_desk(session, contact_id):
            known = await contacts.find(session, channel=Channel.SMS, address=number)
            if known is not None:
                await settle(session, known.id)


async def settle_ticket(session: AsyncSession, ticket_id: int) -> None:
    """That ticket was closed: the flag of everybody who told of its matter."""
    for contact_id in await open_harm.list_contacts(session, ticket_id):
        await settle(session, contact_id)


async def mark_number(session: AsyncSession, said: str) -> None:
    """A desk handed on danger with this number: whoever has it is left out, also if they never wrote to us."""
    number = mobile(said)
    if number is not None:
        await contacts.mark_open_case(session, number)


def mobile(said: str) -> str | None:
    """The mainland mobile that was written, as E.164; outreach goes to no other number. Pure."""
    try:
        number = phone.parse(said)
    except phone.NotAPhoneNumber:
        return None
    return number if phone.is_mainland_mobile(number) else None


async def _is_open(session: AsyncSession, contact: Contact) -> bool:
    calls = select(Escalation.id).where(Escalation.contact_id == contact.id, Escalation.closed_at.is_(None))
    if await session.scalar(calls.where(Escalation.lane.in_(DANGER)).limit(1)) is not None:
        return True
    if await open_harm.is_open(session, contact.id):
        return True
    return contact.channel == Channel.SMS and await _is_in_open_matter(session, contact.address)


async def _is_in_open_matter(session: AsyncSession, number: str) -> bool:
    """Desks' matters of harm that are open are few: their sealed numbers are read one by one."""
    harm = select(Ticket.id).where(Ticket.closed_at.is_(None), Ticket.lane.in_(DANGER))
    return any(mobile(found) == number for found in await matters.list_phones(session, of_tickets=harm))


async def _numbers_of_desk(session: AsyncSession, contact_id: int) -> set[str]:
    theirs = select(Ticket.id).where(Ticket.contact_id == contact_id)
    found = {mobile(said) for said in await matters.list_phones(session, of_tickets=theirs)}
    return {number for number in found if number is not None}
