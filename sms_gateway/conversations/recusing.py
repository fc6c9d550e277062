"""“我认识这家人”: the talk goes to others at once, and this operator sees nothing of this person any more.

One rule for every list, page and file: `shut_to` names the contacts, `threads_shut_to`, `tickets_shut_to` and `audit_open_to` are made
of it, `check` asks it of one row. A ticket is shut where it is this person's, carries what they told (merged, their talk or call
linked to it), or is about a child that one of theirs is about: another reporter's ticket names the same family. That reporter's
talk stays open, for it holds their own words, and a talk in hand never closes in the middle of danger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    any_,
    cast,
    column,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    table,
    union,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload

from sms_gateway import clock
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.database import notify
from sms_gateway.errors import HotlineError
from sms_gateway.escalations.models import Escalation, LookBack
from sms_gateway.handbook.models import Asked
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import AuditRow, Operator, Recusal
from sms_gateway.operators.presence import note as audit
from sms_gateway.tickets.models import Ticket, TicketChild, TicketLink
from sms_gateway.tickets.police_models import PoliceRequest

from . import talk, transferring
from .models import Review, TalkTransfer
from .ownership import Owner

REQUESTS = table("subject_requests", column("id", BigInteger), column("contact_id", BigInteger))
"""People's requests about their own data (`retention.models.SubjectRequest`): a room above this one."""


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
    """Ids of the contacts that are shut to this operator, for `in_` and `not_in`."""
    return select(Recusal.contact_id).where(Recusal.operator_id == operator_id)


def threads_shut_to(operator_id: int) -> Select[int]:
    """Ids of their talks."""
    return select(Thread.id).where(Thread.contact_id.in_(shut_to(operator_id)))


def tickets_shut_to(operator_id: int) -> CompoundSelect[int]:
    """Ids of the tickets that tell of them."""
    told, shared, other = aliased(Ticket), aliased(TicketChild), aliased(TicketChild)
    theirs = told.contact_id.in_(shut_to(operator_id))
    calls = select(Escalation.id).where(Escalation.contact_id.in_(shut_to(operator_id)))
    linked = select(TicketLink.ticket_id)
    talks_there = linked.where(TicketLink.kind == "thread", TicketLink.ref.in_(threads_shut_to(operator_id)))
    same_child = select(other.ticket_id).join(shared, shared.child_id == other.child_id)
    return union(
        select(told.id).where(theirs),
        select(told.merged_into).where(theirs, told.merged_into.is_not(None)),
        talks_there,
        linked.where(TicketLink.kind == "escalation", TicketLink.ref.in_(calls)),
        same_child.join(told, told.id == shared.ticket_id).where(theirs),
    )


def tickets_open_to(operator_id: int) -> ColumnElement[bool]:
    """Condition over `Ticket`: it tells of nobody this operator knows. An array made once, as in `tickets.filters`."""
    return not_(Ticket.id == any_(func.array(tickets_shut_to(operator_id).scalar_subquery())))


def audit_open_to(operator_id: int) -> ColumnElement[bool]:
    """Condition over `AuditRow`: no act on such a talk, ticket or request for data, whose reason may tell of them."""
    tickets = tickets_shut_to(operator_id).subquery()
    subjects = union(
        select(literal("thread:") + cast(Thread.id, String)).where(Thread.contact_id.in_(shut_to(operator_id))),
        select(literal("ticket:") + cast(tickets.c[0], String)),
        select(literal("request:") + cast(REQUESTS.c.id, String)).where(
            REQUESTS.c.contact_id.in_(shut_to(operator_id))
        ),
    )
    return AuditRow.subject.not_in(subjects)


def police_open_to(operator_id: int) -> ColumnElement[bool]:
    """Condition over `PoliceRequest`: it asks for nothing of anybody this operator knows."""
    about_ticket = and_(PoliceRequest.scope == "ticket", PoliceRequest.ref.in_(tickets_shut_to(operator_id)))
    about_talk = and_(PoliceRequest.scope == "talk", PoliceRequest.ref.in_(threads_shut_to(operator_id)))
    return not_(or_(about_ticket, about_talk))


def drafts_shut_to(operator_id: int) -> Select[int | None]:
    """Ids of the handbook's drafts that begin with their words."""
    asked = select(Asked.draft_id).where(Asked.draft_id.is_not(None))
    return asked.where(Asked.thread_id.in_(threads_shut_to(operator_id)))


def _of_contact(contact: Select[int]) -> Callable[[int], ColumnElement[bool]]:
    """Whether the contact that `contact` finds is shut."""
    return lambda operator_id: contact.scalar_subquery().in_(shut_to(operator_id))


_ROWS: Mapping[str, Callable[[int], Callable[[int], ColumnElement[bool]]]] = {
    "talk": lambda id_: _of_contact(select(Thread.contact_id).where(Thread.id == id_)),
    "ticket": lambda id_: lambda operator_id: literal(id_).in_(tickets_shut_to(operator_id)),
    "child": lambda id_: (
        lambda operator_id: literal(id_).in_(
            select(TicketChild.child_id).where(TicketChild.ticket_id.in_(tickets_shut_to(operator_id)))
        )
    ),
    "draft": lambda id_: lambda operator_id: literal(id_).in_(drafts_shut_to(operator_id)),
    "police": lambda id_: (
        lambda operator_id: exists().where(PoliceRequest.id == id_, not_(police_open_to(operator_id)))
    ),
    "privacy": lambda id_: _of_contact(select(REQUESTS.c.contact_id).where(REQUESTS.c.id == id_)),
    "review": lambda id_: _of_contact(
        select(Thread.contact_id).join(Review, Review.thread_id == Thread.id).where(Review.id == id_)
    ),
    "look_back": lambda id_: _of_contact(select(LookBack.contact_id).where(LookBack.id == id_)),
    "bridge": lambda id_: _of_contact(
        select(Thread.contact_id).join(BridgeCall, BridgeCall.thread_id == Thread.id).where(BridgeCall.id == id_)
    ),
    "transfer": lambda id_: _of_contact(
        select(Thread.contact_id).join(TalkTransfer, TalkTransfer.thread_id == Thread.id).where(TalkTransfer.id == id_)
    ),
}
"""What tells of a person, by the word a page's address uses."""
KINDS: Collection[str] = _ROWS.keys()


async def is_shut(session: AsyncSession, operator_id: int, kind: str, row_id: int) -> bool:
    """Whether that row (one of `KINDS`) tells of somebody this operator knows. Most operators know nobody: one look at an index."""
    if await session.scalar(shut_to(operator_id).limit(1)) is None:
        return False
    return bool(await session.scalar(select(_ROWS[kind](row_id)(operator_id))))


async def check(session: AsyncSession, operator_id: int, kind: str, row_id: int) -> None:
    """Raises `YouKnowThisFamily`."""
    if await is_shut(session, operator_id, kind, row_id):
        raise YouKnowThisFamily


async def check_talk(session: AsyncSession, operator_id: int, thread_id: int) -> None:
    """Raises `YouKnowThisFamily`."""
    await check(session, operator_id, "talk", thread_id)


async def open_of(session: AsyncSession, operator_id: int, tickets: Sequence[Ticket]) -> list[Ticket]:
    """Those of `tickets` that are not shut, in their order."""
    shut = set(await session.scalars(tickets_shut_to(operator_id))) if tickets else set()
    return [ticket for ticket in tickets if ticket.id not in shut]


async def list_of_contact(session: AsyncSession, contact_id: int) -> Sequence[Operator]:
    """Who is shut out from this person, by badge: for supervisors."""
    wanted = select(Operator).join(Recusal, Recusal.operator_id == Operator.id)
    return (await session.scalars(wanted.where(Recusal.contact_id == contact_id).order_by(Operator.badge))).all()


async def list_talks(session: AsyncSession, *, limit: int = 20) -> Sequence[tuple[Recusal, Operator, Thread]]:
    """The newest recusals with who and which talk, for the supervisor's wall."""
    wanted = select(Recusal, Operator, Thread).join(Operator, Operator.id == Recusal.operator_id)
    wanted = wanted.join(Thread, Thread.contact_id == Recusal.contact_id).options(joinedload(Thread.contact))
    return (await session.execute(wanted.order_by(Recusal.at.desc()).limit(limit))).all()
