"""“我认识这家人”: the talk goes to others at once, and this operator sees nothing of this person any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import HotlineError
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator, Recusal
from sms_gateway.operators.presence import note as audit
from sms_gateway.tickets.models import Ticket

from . import talk, transferring
from .models import TalkTransfer
from .ownership import Owner


class YouKnowThisFamily(HotlineError):
    status_code = 403
    sentence = "你说过认识这家人，这里就不再给你看了，同事已经接着办。谢谢你说出来。"


async def recuse(session: AsyncSession, *, thread_id: int, operator: Operator) -> None:
    """Shut this person to `operator`, for good; the talk they hold goes back: danger rings for others, blue waits."""
    thread = await talk.get_talk(session, thread_id, for_update=True)
    row = insert(Recusal).values(operator_id=operator.id, contact_id=thread.contact_id, at=clock.now())
    await session.execute(row.on_conflict_do_nothing())
    await talk.note(session, thread.id, "recused", who=f"operator:{operator.id}")
    await audit(session, operator_id=operator.id, what="recuse", subject=f"thread:{thread.id}")
    if thread.owner == Owner.OPERATOR and thread.operator_id == operator.id:
        await transferring.back_to_queue(session, thread_id=thread.id, operator=operator, why="knows_family")
    mine = select(TalkTransfer.id).where(TalkTransfer.thread_id == thread.id, TalkTransfer.state == "offered")
    if await session.scalar(mine.where(TalkTransfer.to_operator == operator.id)) is not None:
        await transferring.end_offers(session, thread.id, who=operator.id)
    await notify(session, "hotline_thread", str(thread.id))
    await notify(session, "hotline_escalation", "0")


def shut_to(operator_id: int) -> Select[int]:
    """Ids of the contacts that are shut to this operator, for `not_in`."""
    return select(Recusal.contact_id).where(Recusal.operator_id == operator_id)


def tickets_open_to(operator_id: int) -> ColumnElement[bool]:
    """Condition over `Ticket`: it is of nobody this operator knows."""
    return ~exists().where(Recusal.operator_id == operator_id, Recusal.contact_id == Ticket.contact_id)


async def check_talk(session: AsyncSession, operator_id: int, thread_id: int) -> None:
    """Raises `YouKnowThisFamily`."""
    await _check(session, operator_id, select(Thread.contact_id).where(Thread.id == thread_id))


async def check_ticket(session: AsyncSession, operator_id: int, ticket_id: int) -> None:
    """Raises `YouKnowThisFamily`."""
    await _check(session, operator_id, select(Ticket.contact_id).where(Ticket.id == ticket_id))


async def _check(session: AsyncSession, operator_id: int, contact: Select[int]) -> None:
    shut = exists().where(Recusal.operator_id == operator_id, Recusal.contact_id == contact.scalar_subquery())
    if await session.scalar(select(shut)):
        raise YouKnowThisFamily


async def list_of_contact(session: AsyncSession, contact_id: int) -> Sequence[Operator]:
    """Who is shut out from this person, by badge: for supervisors."""
    wanted = select(Operator).join(Recusal, Recusal.operator_id == Operator.id)
    return (await session.scalars(wanted.where(Recusal.contact_id == contact_id).order_by(Operator.badge))).all()


async def list_talks(session: AsyncSession, *, limit: int = 20) -> Sequence[tuple[Recusal, Operator, Thread]]:
    """The newest recusals with who and which talk, for the supervisor's wall."""
    wanted = select(Recusal, Operator, Thread).join(Operator, Operator.id == Recusal.operator_id)
    wanted = wanted.join(Thread, Thread.contact_id == Recusal.contact_id).options(joinedload(Thread.contact))
    return (await session.execute(wanted.order_by(Recusal.at.desc()).limit(limit))).all()
