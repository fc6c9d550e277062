"""What was told before is laid beside what is told now: by the same person, or of the same child by another."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.clock import shanghai
from sms_gateway.messages.models import Author, Direction, Message
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Lane

from .harm_talks import QUIET, WITHIN, Said, is_of_harm, raising_talks

LONGEST = 2000
"""Texts of a week that are looked at."""


async def find_raising(session: AsyncSession, message: Message) -> tuple[Said, ...]:
    """The talks that raise the lane with this judged text; empty when it stays as it is."""
    wrote = or_(
        Message.direction == Direction.IN,
        and_(Message.direction == Direction.OUT, Message.author == Author.OPERATOR),
    )
    wanted = select(Message.id, Message.at, Message.direction, Message.lane, Message.harm).where(
        Message.contact_id == message.contact_id, Message.at > message.at - WITHIN - QUIET, wrote,
        Message.at <= message.at,
    )  # fmt: skip
    rows = (await session.execute(wanted.order_by(Message.at.desc(), Message.id.desc()).limit(LONGEST))).all()
    texts = [
        Said(id_, at, direction == Direction.IN and is_of_harm(lane, harm))
        for id_, at, direction, lane, harm in reversed(rows)
        if id_ <= message.id
    ]
    return raising_talks(texts)


async def raise_ticket(session: AsyncSession, ticket: Ticket, talks: Sequence[Said], *, message: Message) -> None:
    """The locked ticket goes to red, and names the talks and tickets of before."""
    since = message.at - WITHIN
    others = select(Ticket.id).where(Ticket.contact_id == ticket.contact_id, Ticket.id != ticket.id)
    earlier = list(await session.scalars(others.where(Ticket.received_at > since).order_by(Ticket.id)))
    detail = {"talks": [said.message_id for said in talks], "tickets": earlier}
    await tickets.raise_one(
        session, ticket, lane=Lane.RED, who="system", reason="third_talk", detail=detail, since=message.at
    )


def reason_of(talks: Sequence[Said]) -> str:
    """For the operator: how often, and when before."""
    before = "、".join(f"{shanghai(said.at):%m-%d %H:%M}" for said in talks[:-1])
    return f"7 天内第 {len(talks)} 次另起一谈说到疑似侵害（前几次：{before}）"
