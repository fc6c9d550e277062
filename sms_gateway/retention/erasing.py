"""What erasing does: words and personal values go, the statutory record stays (number, kind, times, states, hashes).

A ticket's chain goes on verifying: its words go through `tickets.erasing`, which keeps their digests and names them in an
event. Called by the purge and by a granted request only, after `standing` has said that nothing keeps it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bot_trackers import BotTracker
from sms_gateway.bridge.models import BridgeCall, BridgeEvent, DeskMatter
from sms_gateway.calls.models import Call
from sms_gateway.calls.words import Purpose
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations.models import Review, TalkTransfer, Whisper
from sms_gateway.crypto import blind_index, sealed_for
from sms_gateway.escalations.models import Escalation, LookBack
from sms_gateway.events import service as events
from sms_gateway.handbook.models import Asked
from sms_gateway.messages.models import Message, Thread
from sms_gateway.operators.models import Recusal
from sms_gateway.tickets import moves
from sms_gateway.tickets.actors import SYSTEM
from sms_gateway.tickets.erasing import erase_why
from sms_gateway.tickets.models import (
    Accused,
    Attachment,
    Child,
    Dispatch,
    DutyReport,
    Extension,
    Inquiry,
    Ticket,
    TicketChild,
    TicketEvent,
    Transfer,
)
from sms_gateway.tickets.sealed_models import SealedImage

from .blanking import GONE, blank

MOST_TEXTS = 2_000
"""Of one person in one transaction; the rest comes next."""
OF_A_BRIDGE = (Purpose.DESK, Purpose.OPERATOR, Purpose.PERSON)
"""Calls whose subject is a bridge call."""
NUMBER_GOES_AFTER = timedelta(minutes=10)
"""A text that was on its way when the person was forgotten is answered still: the number goes after this."""


async def erase_texts(session: AsyncSession, contact_id: int, before: datetime) -> int:
    """The words of this person's texts older than `before`, and what colleagues wrote beside them; how many texts."""
    now = clock.now()
    old = (Message.contact_id == contact_id) & Message.erased_at.is_(None) & (Message.at < before)
    texts = await blank(
        session, Message, old, "body", "reasons", "vector", instead={"body": GONE},
        also={"erased_at": now, "carrier_id": None, "client_token": None}, limit=MOST_TEXTS,
    )  # fmt: skip
    threads = list(await session.scalars(select(Thread.id).where(Thread.contact_id == contact_id)))
    await _erase_beside(session, contact_id, threads, before)
    gone = Asked.thread_id.in_(threads), Asked.at < before, Asked.settled_at.is_(None)
    settled = update(Asked).where(*gone).values(settled_at=now)
    await session.execute(settled, execution_options={"synchronize_session": False})
    senders = [f"thread-{thread}" for thread in threads]
    await session.execute(delete(BotTracker).where(BotTracker.sender.in_(senders), BotTracker.updated_at < before))
    return texts


async def _erase_beside(session: AsyncSession, contact_id: int, threads: Collection[int], before: datetime) -> None:
    """What stands beside the texts of these talks: notes of calls, hand-overs, whispers, second readings."""
    if not await _has_beside(session, contact_id, threads):
        return
    of = Escalation.thread_id.in_(threads) & (Escalation.received_at < before)
    await blank(session, Escalation, of & Escalation.closed_at.is_not(None), "reasons", "note")
    seen = (LookBack.contact_id == contact_id) & (LookBack.due_at < before)
    await blank(session, LookBack, seen & LookBack.done_at.is_not(None), "words")
    await blank(session, Review, Review.thread_id.in_(threads) & (Review.read_at < before), "words")
    await blank(session, TalkTransfer, TalkTransfer.thread_id.in_(threads) & (TalkTransfer.offered_at < before), "note")
    await blank(session, Whisper, Whisper.thread_id.in_(threads) & (Whisper.at < before), "words")
    calls = BridgeCall.thread_id.in_(threads) & (BridgeCall.requested_at < before)
    ids = list(await session.scalars(select(BridgeCall.id).where(calls)))
    await blank(session, BridgeCall, BridgeCall.id.in_(ids), "incident", instead={"incident": {}})
    await blank(session, BridgeEvent, BridgeEvent.call_id.in_(ids), "words")
    await blank(session, Call, Call.purpose.in_(OF_A_BRIDGE) & Call.subject_id.in_(ids), "to")
    desk = DeskMatter.thread_id.in_(threads) & (DeskMatter.at < before)
    await blank(session, DeskMatter, desk, "said", instead={"said": {}})


async def _has_beside(session: AsyncSession, contact_id: int, threads: Collection[int]) -> bool:
    """Most people have texts only: one look instead of nine."""
    of = (Escalation, Review, TalkTransfer, Whisper, BridgeCall, DeskMatter)
    parts = [select(one.id).where(one.thread_id.in_(threads)).exists() for one in of]
    looked = select(LookBack.id).where(LookBack.contact_id == contact_id).exists()
    return bool(await session.scalar(select(or_(looked, *parts))))


async def erase_ticket(session: AsyncSession, ticket_id: int, *, why: str) -> None:
    """The contents of one ticket. `why` stands in its chain; no personal value in it."""
    ticket = await moves.lock(session, ticket_id)
    ticket.answers = None
    words = select(TicketEvent.seq).where(TicketEvent.ticket_id == ticket_id, TicketEvent.why_sealed.is_not(None))
    spoken = list(await session.scalars(words.where(TicketEvent.what != "erased")))
    if spoken:
        await erase_why(session, ticket, spoken, actor=SYSTEM, reason=why)
    await _erase_beside_ticket(session, ticket_id)
    refs = list(await session.scalars(select(TicketEvent.id).where(TicketEvent.ticket_id == ticket_id)))
    await events.forget(session, subject=ticket.number, refs=refs)
    ticket.erased_at = clock.now()
    await session.flush()
    await _erase_children(session, ticket_id)


async def _erase_beside_ticket(session: AsyncSession, ticket_id: int) -> None:
    await blank(session, Dispatch, Dispatch.ticket_id == ticket_id, "copy")
    await blank(session, Extension, Extension.ticket_id == ticket_id, "reason")
    await blank(session, DutyReport, DutyReport.ticket_id == ticket_id, "receipt", "why_not")
    await blank(session, Inquiry, Inquiry.ticket_id == ticket_id, "words")
    await blank(session, Transfer, Transfer.ticket_id == ticket_id, "words")
    await blank(session, DeskMatter, DeskMatter.ticket_id == ticket_id, "said", instead={"said": {}})
    await blank(session, Accused, Accused.ticket_id == ticket_id, "about", also={"name_index": None})
    await erase_media(session, ticket_id)


async def erase_media(session: AsyncSession, ticket_id: int) -> int:
    """Names and contents of a ticket's files; size and digest stay. How many."""
    pictures = delete(SealedImage).where(SealedImage.ticket_id == ticket_id)  # and who asked to see them with it
    await session.execute(pictures, execution_options={"synchronize_session": False})
    files = (Attachment.ticket_id == ticket_id) & Attachment.erased_at.is_(None)
    return await blank(session, Attachment, files, "name", "content", also={"erased_at": clock.now()})


async def _erase_children(session: AsyncSession, ticket_id: int) -> None:
    """What is known of a child goes with the last of its tickets, also of those its record was merged into or from."""
    here = select(TicketChild.child_id).where(TicketChild.ticket_id == ticket_id)
    elsewhere = (
        exists()
        .where(TicketChild.child_id == Child.id, TicketChild.ticket_id == Ticket.id, Ticket.erased_at.is_(None))
    )  # fmt: skip
    of = Child.id.in_(here) | Child.merged_into.in_(here)
    await blank(session, Child, of & ~elsewhere, "about", also={"name_index": None, "school_index": None})


async def forget_person(session: AsyncSession, contact: Contact) -> bool:
    """Nobody is found under this address any more, if nothing hangs on it; whether it was done. The row must be locked.

    Who opted out of outreach, wants silence, or is known to an operator (recusal) stays known by number: each of these
    protects them. The sealed number itself goes in a second step (`forget_number`).
    """
    kept = (
        select(Message.id).where(Message.contact_id == contact.id, Message.erased_at.is_(None)).exists()
        | select(Ticket.id).where(Ticket.contact_id == contact.id, Ticket.erased_at.is_(None)).exists()
        | select(Recusal.contact_id).where(Recusal.contact_id == contact.id).exists()
    )
    if contact.outreach_opted_out_at or contact.silent_at or contact.open_case or await session.scalar(select(kept)):
        return False
    contact.erased_at, contact.keep_until = clock.now(), clock.now() + NUMBER_GOES_AFTER
    contact.address_index = secrets.token_bytes(32)
    return True


async def forget_number(session: AsyncSession, contact: Contact) -> bool:
    """The second step: the number goes, unless they wrote meanwhile; whether it went. The row must be locked.

    A person who wrote while they were being forgotten is found again under their number, where nobody else is by now.
    """
    wrote = select(Message.id).where(Message.contact_id == contact.id, Message.erased_at.is_(None))
    if await session.scalar(wrote.limit(1)) is not None:
        await _find_again(session, contact)
        return False
    contact.address_sealed = sealed_for(Contact.__tablename__, "address_sealed", contact.uid, "")
    contact.keep_until = None
    return True


async def _find_again(session: AsyncSession, contact: Contact) -> None:
    index = blind_index(contact.address, f"contacts.address.{contact.channel}")
    taken = select(Contact.id).where(Contact.channel == contact.channel, Contact.address_index == index)
    if await session.scalar(taken) is None:
        contact.address_index = index
    contact.erased_at = contact.keep_until = None
