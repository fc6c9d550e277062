"""What a visitor may read: the texts of their own talk, nobody else's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.clock import shanghai
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.crypto import blind_index
from sms_gateway.messages.models import Author, Direction, Message, Thread

SHOWN_STATES = ("sent", "delivered")
LONGEST_TALK = 500
"""Texts a page is given at most; the newest."""

OVERLAP = 20
"""Texts repeated after a reconnect: one that was queued earlier may have left later. The page knows each by its id."""


@dataclass(frozen=True)
class Line:
    """One text as the page shows it. `at` is Yunnan's time, ISO 8601."""

    id: int
    who: Literal["me", "machine", "operator"]
    body: str
    at: str


def carrier_id(token: str, text_id: str) -> str:
    """The id a text is stored under once: the browser's own, bound to its visitor (at most 61 characters)."""
    return f"{hashlib.sha256(token.encode()).hexdigest()[:24]}-{text_id}"


async def find_thread(session: AsyncSession, token: str) -> Thread | None:
    """The talk of that visitor."""
    index = blind_index(token, f"contacts.address.{Channel.WEB}")
    found = select(Thread).join(Contact, Contact.id == Thread.contact_id)
    found = found.where(Contact.channel == Channel.WEB, Contact.address_index == index, Thread.channel == Channel.WEB)
    return await session.scalar(found)


async def list_lines(
    session: AsyncSession, thread_id: int, *, after: int = 0, known: frozenset[int] | set[int] = frozenset()
) -> list[Line]:
    """The talk's texts with an id over `after` that are not among `known`, oldest first."""
    shown = or_(Message.direction == Direction.IN, Message.state.in_(SHOWN_STATES))
    wanted = select(Message).where(Message.thread_id == thread_id, Message.id > after, shown)
    newest = await session.scalars(wanted.order_by(Message.id.desc()).limit(LONGEST_TALK))
    return [_line(message) for message in reversed(newest.all()) if message.id not in known]


async def find_text(session: AsyncSession, carrier: str, carrier_id: str) -> int | None:
    """The id of a text that was stored by an earlier try."""
    stored = select(Message.id).where(Message.carrier == carrier, Message.carrier_id == carrier_id)
    return await session.scalar(stored.where(Message.direction == Direction.IN))


async def start_after(session: AsyncSession, thread_id: int, last_id: int) -> int:
    """The id to read on from, for a page that has seen `last_id`: `OVERLAP` texts earlier."""
    earlier = select(Message.id).where(Message.thread_id == thread_id, Message.id <= last_id)
    return await session.scalar(earlier.order_by(Message.id.desc()).offset(OVERLAP).limit(1)) or 0


def _line(message: Message) -> Line:
    at = message.at if message.direction == Direction.IN else message.sent_at or message.at
    return Line(id=message.id, who=_who(message), body=message.body, at=shanghai(at).isoformat(timespec="seconds"))


def _who(message: Message) -> Literal["me", "machine", "operator"]:
    if message.direction == Direction.IN:
        return "me"
    return "operator" if message.author == Author.OPERATOR else "machine"
