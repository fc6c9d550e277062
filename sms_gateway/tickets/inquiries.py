"""补充: what the desk asks a person, released by an operator, sent by day; their next words answer it, and the clock runs on.

One question at a time, one reminder at most; when no answer comes the desk is told, the person is left in peace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.errors import Conflict
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Author, Thread
from sms_gateway.timers import set_timer
from sms_gateway.wording import say

from . import follow_up_rules as rules
from . import handling, inquiry_rules, moves, own_changes
from .actors import SYSTEM, Actor
from .decent_hours import by_day, is_decent
from .follow_up import facts_of
from .follow_up_rules import Purpose
from .lifecycle import Status
from .models import Inquiry, Ticket
from .record import record_event

JOB = "tickets.inquiry"
ASK_KEY, REMIND_KEY = "clarify.ask", "clarify.remind"
FURTHER_WITHIN = timedelta(minutes=10)
"""What somebody writes so soon after their answer belongs to it ("是二中")."""
HIS_OWN_TALK = frozenset({"waiting", "operator"})


class MustNotBeTexted(Conflict):
    """`reason`: a `follow_up_rules.Reason`."""

    def __init__(self, reason: rules.Reason) -> None:
        self.reason = reason
        super().__init__("这件事不能发短信去问（安全联系的规定）。请在会话里，或用约好的安全办法问。")


class OneQuestionAtATime(Conflict):
    sentence = "上一句还没有回，一次只问一句。"


async def ask(session: AsyncSession, ticket: Ticket, *, actor: Actor, words: str) -> Inquiry:
    """The desk asks the person about the locked ticket, or releases (reworded) what a unit wants to know.

    Raises `QuestionCannotBeSent`, `MustNotBeTexted`, `OneQuestionAtATime`, and what `moves.move` raises.
    """
    words = inquiry_rules.read_question(words)
    assert actor.id is not None  # an operator: what goes to a person was read by a person
    reason = rules.why_not(await facts_of(session, ticket), Purpose.QUESTION)
    if reason is not None:
        raise MustNotBeTexted(reason)
    if await _find_open(session, ticket.id) is not None:
        raise OneQuestionAtATime
    if ticket.status != Status.CLARIFYING:
        await handling.ask(session, ticket, actor=actor, question=words)
    row = Inquiry(
        ticket_id=ticket.id, contact_id=ticket.contact_id, words=words, asked_by=actor.id, asked_at=clock.now()
    )
    session.add(row)
    await session.flush()
    if is_decent(clock.now()):
        await _send(session, row, ticket)
    else:
        await set_timer(session, job=JOB, subject_id=row.id, due_at=by_day(clock.now()))
    return row


async def _find_open(session: AsyncSession, ticket_id: int) -> Inquiry | None:
    """The ticket's open question; one of before, whose clarification is over, is closed here."""
    row = await session.scalar(select(Inquiry).where(Inquiry.ticket_id == ticket_id, Inquiry.settled_at.is_(None)))
    if row is None:
        return None
    ticket = await moves.lock(session, ticket_id)
    if ticket.status == Status.CLARIFYING:
        return row
    row.settled_at = clock.now()
    await session.flush()
    return None


async def _send(session: AsyncSession, row: Inquiry, ticket: Ticket) -> None:
    thread = await _thread_of(session, ticket)
    body = f"{say(ASK_KEY, tail=ticket.number[-3:])}{row.words}"
    row.message_id = await outbox.queue(
        session, thread=thread, author=Author.OPERATOR, body=body, text_key=ASK_KEY, operator_id=row.asked_by
    )
    row.asked_at = clock.now()
    await set_timer(session, job=JOB, subject_id=row.id, due_at=rules.remind_at(row.asked_at))
    await set_timer(session, job=JOB, subject_id=row.id, due_at=rules.tell_desk_at(row.asked_at))
    detail = {"inquiry": row.id, "message": row.message_id}
    await record_event(session, ticket, "asked_person", who=f"operator:{row.asked_by}", detail=detail)


async def _thread_of(session: AsyncSession, ticket: Ticket) -> Thread:
    wanted = select(Thread).where(Thread.id == ticket.thread_id).options(joinedload(Thread.contact))
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()


async def look(session: AsyncSession, inquiry_id: int) -> None:
    """The time has come: send what waited for the day, remind once, or tell the desk. Twice is as good as once."""
    ticket_id = await session.scalar(select(Inquiry.ticket_id).where(Inquiry.id == inquiry_id))
    if ticket_id is None:
        return
    ticket = await moves.lock(session, ticket_id)
    wanted = select(Inquiry).where(Inquiry.id == inquiry_id, Inquiry.settled_at.is_(None))
    row = await session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        return
    if ticket.status != Status.CLARIFYING:
        row.settled_at = clock.now()
        return
    if row.message_id is None:
        await _send_late(session, row, ticket)
    elif clock.now() >= rules.tell_desk_at(row.asked_at):
        await _tell_desk(session, row, ticket, why="no_answer")
    elif row.reminded_at is None and clock.now() >= rules.remind_at(row.asked_at):
        await _remind(session, row, ticket)


async def _send_late(session: AsyncSession, row: Inquiry, ticket: Ticket) -> None:
    reason = rules.why_not(await facts_of(session, ticket), Purpose.QUESTION)
    if reason is not None:
        await _tell_desk(session, row, ticket, why=reason.value)
    elif is_decent(clock.now()):
        await _send(session, row, ticket)
    else:
        await set_timer(session, job=JOB, subject_id=row.id, due_at=by_day(clock.now()))


async def _remind(session: AsyncSession, row: Inquiry, ticket: Ticket) -> None:
    """Once, by day, and not into a talk. A reminder that does not fit is left out: the desk is told soon after."""
    row.reminded_at = clock.now()
    thread = await _thread_of(session, ticket)
    allowed = rules.why_not(await facts_of(session, ticket), Purpose.QUESTION) is None
    if not allowed or not is_decent(clock.now()) or thread.owner in HIS_OWN_TALK:
        return
    message_id = await outbox.queue_fixed(session, thread=thread, key=REMIND_KEY)
    detail = {"inquiry": row.id, "message": message_id}
    await record_event(session, ticket, "reminded_person", who=str(SYSTEM), detail=detail)


async def _tell_desk(session: AsyncSession, row: Inquiry, ticket: Ticket, *, why: str) -> None:
    """An event in the ticket, by which it stands in the desk's list of questions without an answer."""
    if row.desk_told_at is None:
        row.desk_told_at = clock.now()
        detail = {"inquiry": row.id, "reason": why}
        await record_event(session, ticket, "unanswered", who=str(SYSTEM), detail=detail)


async def find_waiting(session: AsyncSession, *, contact_id: int) -> Inquiry | None:
    """The question this contact may be answering: sent and open, or answered just now."""
    open_now = Inquiry.settled_at.is_(None) & (Ticket.status == Status.CLARIFYING)
    just_now = Inquiry.answered_at > clock.now() - FURTHER_WITHIN
    wanted = (
        select(Inquiry)
        .join(Ticket, Ticket.id == Inquiry.ticket_id)
        .where(Inquiry.contact_id == contact_id, Inquiry.message_id.is_not(None), Ticket.closed_at.is_(None))
        .where(or_(open_now, just_now))
    )
    return await session.scalar(wanted.order_by(Inquiry.settled_at.is_(None).desc(), Inquiry.id.desc()).limit(1))


async def take_answer(session: AsyncSession, inquiry_id: int, *, message_id: int) -> bool:
    """Message `message_id` answers the question: the matter goes on. False when it had been answered before (it is added)."""
    ticket_id = await session.scalar(select(Inquiry.ticket_id).where(Inquiry.id == inquiry_id))
    assert ticket_id is not None
    ticket = await moves.lock(session, ticket_id)
    row = (
        await session.scalars(select(Inquiry).where(Inquiry.id == inquiry_id).execution_options(populate_existing=True))
    ).one()
    first = row.answered_at is None
    await own_changes.add_words(session, ticket, message_id=message_id)
    if first:
        row.answered_at = row.settled_at = clock.now()
    return first


async def list_for(session: AsyncSession, ticket_id: int) -> Sequence[Inquiry]:
    """A ticket's questions, oldest first."""
    return (await session.scalars(select(Inquiry).where(Inquiry.ticket_id == ticket_id).order_by(Inquiry.id))).all()
