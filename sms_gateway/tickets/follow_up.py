"""回访: after a matter is concluded one text asks how it went, by day and only where it cannot harm; else the reason is kept.

Whether and when is decided when the time has come (`look`), on what is known then. The text itself is put by
`conversations.ask_survey`, since the talk's open question belongs to that room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.jobs import defer
from sms_gateway.messages.delivery import State as Delivery
from sms_gateway.messages.models import Direction, Message, PendingQuestion, Thread
from sms_gateway.timers import drop_timers, set_timer

from . import follow_up_rules as rules
from . import moves
from .actors import SYSTEM
from .decent_hours import by_day, is_decent
from .follow_up_rules import Facts, Purpose, Reason
from .lifecycle import Status
from .models import FollowUp, Ticket
from .record import record_event

JOB = "tickets.follow_up"
SURVEY_JOB = "conversations.ask_survey"
TEXT_KEY = "survey"
NOT_ARRIVED = frozenset({Delivery.UNDELIVERED, Delivery.BLOCKED, Delivery.FAILED})


async def plan(session: AsyncSession, ticket: Ticket) -> FollowUp:
    """The locked ticket is concluded: look at it again when it is day. What was planned before is off."""
    before = select(FollowUp).where(FollowUp.ticket_id == ticket.id, FollowUp.state == "planned")
    for old in await session.scalars(before):
        await _settle(session, old, "skipped", Reason.MOVED_ON)
    row = FollowUp(
        ticket_id=ticket.id, state="planned", due_at=rules.survey_due(clock.now()), contact_id=ticket.contact_id
    )
    session.add(row)
    await session.flush()
    await set_timer(session, job=JOB, subject_id=row.id, due_at=row.due_at)
    return row


async def look(session: AsyncSession, follow_up_id: int) -> None:
    """The time has come: let the survey be put, put it off, or end the loop without one and keep why. Twice is as good as once."""
    claimed = await claim(session, follow_up_id)
    if claimed is None:
        return
    row, ticket = claimed
    reason = rules.why_not(await facts_of(session, ticket), Purpose.SURVEY)
    assert ticket.closed_at is not None  # it is concluded
    if reason is None and rules.gives_up(ticket.closed_at, clock.now()):
        reason = Reason.NO_MOMENT
    if reason is not None:
        await _end_without(session, row, ticket, reason)
    elif not is_decent(clock.now()):  # caught up at night after an outage
        await _look_again(session, row, by_day(clock.now()))
    elif await _waits_for_another_mark(session, row):
        await put_off(session, row)
    else:
        await defer(session, SURVEY_JOB, subject_id=row.id)


async def claim(session: AsyncSession, follow_up_id: int) -> tuple[FollowUp, Ticket] | None:
    """The follow-up that still waits, with its concluded ticket, both locked; None when it is settled or the matter went on."""
    ticket_id = await session.scalar(select(FollowUp.ticket_id).where(FollowUp.id == follow_up_id))
    if ticket_id is None:
        return None
    ticket = await moves.lock(session, ticket_id)
    wanted = select(FollowUp).where(FollowUp.id == follow_up_id, FollowUp.state == "planned").with_for_update()
    row = await session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        return None
    if ticket.status != Status.CONCLUDED:
        await _settle(session, row, "skipped", Reason.MOVED_ON)
        return None
    return row, ticket


async def facts_of(session: AsyncSession, ticket: Ticket) -> Facts:
    """What the rules go by, as it is now."""
    wanted = select(Thread).where(Thread.id == ticket.thread_id).options(joinedload(Thread.contact))
    thread = (await session.scalars(wanted.execution_options(populate_existing=True))).one()
    contact, said = thread.contact, ticket.answers or {}
    return Facts(
        lane=ticket.lane, sealed=ticket.sealed, sensitivity=ticket.sensitivity, anonymous=ticket.anonymous,
        channel=thread.channel, silent=contact.silent_at is not None, opted_out=contact.outreach_opted_out_at is not None,
        open_case=contact.open_case, talk_lane=thread.lane, wish=said.get("contact"), again=said.get("again"),
        writer=await _writer(session, ticket), words=" ".join(said.values()),
    )  # fmt: skip


async def _writer(session: AsyncSession, ticket: Ticket) -> str:
    """`child` once a text of the talk was a child's; else who wrote the text that brought the matter."""
    wrote = select(Message.id).where(Message.thread_id == ticket.thread_id, Message.direction == Direction.IN)
    if await session.scalar(wrote.where(Message.writer == "child").limit(1)) is not None:
        return "child"
    asked_in = select(Message.writer).where(Message.id == ticket.asked_in)
    return await session.scalar(asked_in) or "unknown"


async def leave_out_due(session: AsyncSession) -> int:
    """After a restore: end without a survey whose moment has come since the backup, as it may have been put; how many."""
    due = select(FollowUp.id).where(FollowUp.state == "planned", FollowUp.due_at <= clock.now()).order_by(FollowUp.id)
    done = 0
    for follow_up_id in list(await session.scalars(due)):
        if (claimed := await claim(session, follow_up_id)) is not None:
            await _end_without(session, *claimed, Reason.RESTORED)
            done += 1
    return done


async def put_off(session: AsyncSession, row: FollowUp) -> None:
    """Not now: they are being talked with, or have another question open."""
    await _look_again(session, row, rules.survey_again(clock.now()))


async def _look_again(session: AsyncSession, row: FollowUp, due_at: datetime) -> None:
    row.due_at = due_at
    await set_timer(session, job=JOB, subject_id=row.id, due_at=due_at)


async def _waits_for_another_mark(session: AsyncSession, row: FollowUp) -> bool:
    """Whether the answer to another survey may still come: a mark would not say which matter it is for."""
    since = clock.now() - rules.SURVEY_STANDS
    sent = select(FollowUp.id).where(FollowUp.contact_id == row.contact_id, FollowUp.state == "sent")
    return await session.scalar(sent.where(FollowUp.due_at > since).limit(1)) is not None


async def mark_sent(session: AsyncSession, row: FollowUp, ticket: Ticket, *, message_id: int) -> None:
    """The survey is on its way: 已回访."""
    row.state, row.message_id, row.due_at = "sent", message_id, clock.now()
    detail = {"follow_up": row.id, "message": message_id}
    await moves.move(session, ticket, Status.FOLLOWED_UP, actor=SYSTEM, detail=detail)


async def _end_without(session: AsyncSession, row: FollowUp, ticket: Ticket, reason: Reason) -> None:
    await _settle(session, row, "skipped", reason)
    detail = {"follow_up": row.id, "reason": reason.value}
    await moves.move(session, ticket, Status.FOLLOWED_UP, actor=SYSTEM, detail=detail)


async def _settle(session: AsyncSession, row: FollowUp, state: str, reason: str | None = None) -> None:
    row.state, row.reason, row.settled_at = state, reason, clock.now()
    await drop_timers(session, job=JOB, subject_id=row.id)
    await session.flush()


async def note_answer(session: AsyncSession, ticket_id: int) -> None:
    """The person gave a mark, or said that it is not solved."""
    wanted = select(FollowUp).where(FollowUp.ticket_id == ticket_id, FollowUp.state.in_(("sent", "planned", "lost")))
    for row in await session.scalars(wanted.with_for_update()):
        await _settle(session, row, "answered")


async def note_lost(session: AsyncSession, message: Message) -> None:
    """The survey did not arrive: kept, not sent again, and no digit is taken for an answer to it."""
    if message.text_key != TEXT_KEY or message.state not in NOT_ARRIVED:
        return
    found = await session.scalar(select(FollowUp).where(FollowUp.message_id == message.id, FollowUp.state == "sent"))
    if found is None:
        return
    ticket = await moves.lock(session, found.ticket_id)
    await _settle(session, found, "lost", message.state)
    asked = PendingQuestion.contact_id == message.contact_id, PendingQuestion.kind == "survey"
    await session.execute(delete(PendingQuestion).where(*asked))
    detail = {"follow_up": found.id, "message": message.id, "state": message.state}
    await record_event(session, ticket, "survey_lost", who=str(SYSTEM), detail=detail)


async def list_for(session: AsyncSession, ticket_id: int) -> Sequence[FollowUp]:
    """A ticket's follow-ups, oldest first."""
    return (await session.scalars(select(FollowUp).where(FollowUp.ticket_id == ticket_id).order_by(FollowUp.id))).all()
