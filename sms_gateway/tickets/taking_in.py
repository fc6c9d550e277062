"""What a matter brings with it when it is opened, told more of, raised or merged: children, who is complained of, whom to tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from . import accused, children, duty_arising, open_harm
from .duty_arising import HARM_LANES
from .models import Ticket


async def opened(session: AsyncSession, ticket: Ticket) -> None:
    """A new ticket: what its answers say; the duty to report runs from the text that told of it."""
    await _note(session, ticket, ticket.answers or {}, since=ticket.received_at)
    await open_harm.mark(session, ticket)


async def told_more(session: AsyncSession, ticket: Ticket, answers: Mapping[str, str]) -> None:
    """The locked ticket got further words (by the form's question)."""
    await _note(session, ticket, answers, since=clock.now())


async def raised(session: AsyncSession, ticket: Ticket, *, since: datetime) -> None:
    """The locked ticket went up a lane at `since`."""
    await accused.take_from_answers(session, ticket, ticket.answers or {})
    await duty_arising.arise(session, ticket, since=since)
    await open_harm.mark(session, ticket)


async def merged(session: AsyncSession, ticket: Ticket, *, into: Ticket) -> None:
    """The locked `ticket` was merged into the locked `into`."""
    await children.bring_along(session, ticket, into=into)
    await accused.bring_along(session, ticket, into=into)
    await duty_arising.take_over(session, ticket, into=into)
    await duty_arising.arise(session, into, since=clock.now())
    await open_harm.mark(session, into)


async def _note(session: AsyncSession, ticket: Ticket, answers: Mapping[str, str], *, since: datetime) -> None:
    await children.take_from_answers(session, ticket, answers)
    if ticket.lane in HARM_LANES:
        await accused.take_from_answers(session, ticket, answers)
        await duty_arising.arise(session, ticket, since=since)
