"""A place that is told in the talk reaches the matter opened from it: whom to send it to, and whom the duty is addressed to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Contact
from sms_gateway.messages.models import Thread

from . import mending, service
from .actors import PERSON, Actor
from .finer import is_finer
from .lifecycle import Who


async def follow(session: AsyncSession, *, thread_id: int, actor: Actor = PERSON) -> bool:
    """Put the talk's open disclosure where its person was last known to be; whether anything changed.

    What a person or the machine tells only makes a place finer: a county the desk has set stays. An operator's word stands.
    """
    wanted = select(Contact.region).join(Thread, Thread.contact_id == Contact.id).where(Thread.id == thread_id)
    told = await session.scalar(wanted)
    ticket = await service.find_disclosure(session, thread_id)
    if told is None or ticket is None:
        return False
    if actor.who in (Who.PERSON, Who.SYSTEM) and not is_finer(ticket.place, told):
        return False
    return await mending.set_place(session, ticket, actor=actor, place=told) is not None
