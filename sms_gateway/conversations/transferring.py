"""A talk passes to a colleague: at once (cold), or when they say yes (warm). It has an owner at every instant.

The person is told nothing and the machine stays silent: for them nobody has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict, HotlineError, NotFound
from sms_gateway.escalations import crew
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.messages.models import Thread
from sms_gateway.operators import seats
from sms_gateway.operators.models import Operator
from sms_gateway.operators.presence import note as audit
from sms_gateway.settings import get_settings
from sms_gateway.timers import drop_timers, set_timer

from . import giving_back, resting, talk
from .models import TalkTransfer
from .ownership import NotYourTalk, Owner

MODES = ("cold", "warm")
LONGEST_NOTE = 1000
OVER = "conversations.transfer_over"


class TransferIsOver(Conflict):
    sentence = "这次转接已经结束了，请刷新后再看。"


class AlreadyOffered(Conflict):
    sentence = "已经在转给同事了，要换人请先收回。"


class TransferNotFound(NotFound):
    sentence = "没有这次转接。"


class NotOfferedToYou(HotlineError):
    status_code = 403
    sentence = "这次转接不是转给你的。"


class CannotTake(Conflict):
    """The colleague cannot have it now; the sentence says why."""

    sentence = "这位同事现在接不了，请换一位。"


def why_not(seat: seats.SeatFacts | None, lane: str, *, shut: bool, capacity: int) -> str | None:
    """Why a talk of that lane cannot be passed to this seat, in a sentence; None: it can. Pure."""
    if shut:
        return "这位同事要回避这家人，请换一位。"
    if seat is None or not seat.there:
        return "这位同事不在线，请换一位。"
    if not seat.on_duty:
        return "这位同事没有在值班，请换一位。"
    if not seats.may_take(seat, lane):
        return "红色、橙色只能转给未保专席。"
    if seat.on_break:
        return "这位同事刚办完重案，正在歇，请换一位。"
    if not seats.may_be_offered(seat, lane, capacity=capacity):
        return "这位同事手上满了，请换一位。"
    return None


async def offer(
    session: AsyncSession, *, thread_id: int, operator: Operator, to_operator_id: int, mode: str, note: str = ""
) -> TalkTransfer:
    """Pass the talk on. Cold: theirs at once. Warm: `operator` keeps it until they accept; it needs a note of `operator`'s own.

    Raises `NotYourTalk`, `CannotTake` (with why), `AlreadyOffered`, `BadInput`.
    """
    note = note.strip()
    if mode not in MODES:
        raise BadInput("请选怎么转。")
    if mode == "warm" and not note:
        raise BadInput("请写一句交代：说到哪里了，接下来要做什么。")
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"交代最多写 {LONGEST_NOTE} 字。")
    if to_operator_id == operator.id:
        raise BadInput("不能转给自己。")
    thread = await talk.get_own(session, thread_id, operator.id)
    await _forget_stale(session, thread)
    await _check_target(session, thread, to_operator_id)
    now = clock.now()
    row = TalkTransfer(
        thread_id=thread.id, from_operator=operator.id, to_operator=to_operator_id, mode=mode, state="offered",
        note=note or None, offered_at=now, due_at=now + timedelta(seconds=get_settings().transfer_within_seconds), ended_at=None,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _tell(session, row, "transfer_offered", who=operator.id, mode=mode)
    if mode == "cold":
        await _pass_on(session, thread, row, who=operator.id)
    else:
        await set_timer(session, job=OVER, subject_id=row.id, due_at=row.due_at)
    await audit(session, operator_id=operator.id, what="transfer_talk", subject=f"thread:{thread.id}")
    return row


async def accept(session: AsyncSession, *, transfer_id: int, operator: Operator) -> Thread:
    """The colleague says yes: the talk is theirs. Raises `TransferIsOver` when it was taken back, timed out or moved on."""
    thread, row = await _offered(session, transfer_id)
    if row.to_operator != operator.id:
        raise NotOfferedToYou
    if not talk.is_held_by(thread, row.from_operator) or clock.now() >= row.due_at:
        raise TransferIsOver
    lane = await lane_of(session, thread)
    if lane in seats.DANGER and not operator.trained:
        raise CannotTake("红色、橙色只有未保专席能接。")
    await _pass_on(session, thread, row, who=operator.id)
    call = await escalations.find_open(session, thread.id, for_update=True)
    if call is not None and call.state == State.RINGING:  # it got worse while it was offered: they have seen that
        await escalations.acknowledge(session, call, operator_id=operator.id)
    await audit(session, operator_id=operator.id, what="accept_talk", subject=f"thread:{thread.id}")
    return thread


async def decline(session: AsyncSession, *, transfer_id: int, operator: Operator) -> None:
    """The colleague says no: the talk stays where it is."""
    _thread, row = await _offered(session, transfer_id)
    if row.to_operator != operator.id:
        raise NotOfferedToYou
    await _end(session, row, "declined", who=operator.id)


async def cancel(session: AsyncSession, *, transfer_id: int, operator: Operator) -> None:
    """Who offered it takes the offer back."""
    _thread, row = await _offered(session, transfer_id)
    if row.from_operator != operator.id:
        raise NotYourTalk
    await _end(session, row, "cancelled", who=operator.id)


async def time_out(session: AsyncSession, transfer_id: int) -> bool:
    """Nobody said yes in time: the talk stays where it is, and both are told. Whether anything was done."""
    try:
        _thread, row = await _offered(session, transfer_id)
    except (TransferIsOver, TransferNotFound):
        return False
    if clock.now() < row.due_at:  # this worker's clock is behind
        await set_timer(session, job=OVER, subject_id=row.id, due_at=row.due_at)
        return False
    await _end(session, row, "timed_out", who=None)
    return True


async def back_to_queue(session: AsyncSession, *, thread_id: int, operator: Operator, why: str = "given_back") -> None:
    """Give it back: danger rings again at once, the rest waits in line. `why`: a plain word of ours for the event."""
    thread = await talk.get_own(session, thread_id, operator.id)
    await end_offers(session, thread.id, who=operator.id)
    call = await escalations.find_open(session, thread.id, for_update=True)
    if call is not None:
        await resting.after(session, thread, call, operator_id=operator.id)
    if not await giving_back.give_back(session, thread, holder=operator.id, why=why, who=f"operator:{operator.id}"):
        raise Conflict
    await audit(session, operator_id=operator.id, what="give_back_talk", subject=f"thread:{thread.id}")


async def end_offers(session: AsyncSession, thread_id: int, *, who: int | None) -> None:
    """Every open offer of that talk is off."""
    open_ones = select(TalkTransfer).where(TalkTransfer.thread_id == thread_id, TalkTransfer.state == "offered")
    for row in await session.scalars(open_ones.with_for_update()):
        await _end(session, row, "cancelled", who=who)


async def list_offers(session: AsyncSession, operator_id: int | None = None) -> Sequence[TalkTransfer]:
    """Open offers that still hold (who offered has the talk), oldest first; only those to `operator_id` if given."""
    wanted = select(TalkTransfer).join(Thread, Thread.id == TalkTransfer.thread_id)
    wanted = wanted.where(TalkTransfer.state == "offered", TalkTransfer.due_at > clock.now())
    wanted = wanted.where(Thread.owner == Owner.OPERATOR, Thread.operator_id == TalkTransfer.from_operator)
    if operator_id is not None:
        wanted = wanted.where(TalkTransfer.to_operator == operator_id)
    return (await session.scalars(wanted.order_by(TalkTransfer.id))).all()


async def list_ended(session: AsyncSession, *, within: timedelta) -> Sequence[TalkTransfer]:
    """Offers that came to nothing a moment ago: those who offered are told."""
    wanted = select(TalkTransfer).where(TalkTransfer.state.in_(("declined", "timed_out")))
    return (await session.scalars(wanted.where(TalkTransfer.ended_at >= clock.now() - within))).all()


async def list_of_talk(session: AsyncSession, thread_id: int, *, limit: int = 5) -> Sequence[TalkTransfer]:
    """The talk's transfers, the newest first."""
    wanted = select(TalkTransfer).where(TalkTransfer.thread_id == thread_id).order_by(TalkTransfer.id.desc())
    return (await session.scalars(wanted.limit(limit))).all()


async def lane_of(session: AsyncSession, thread: Thread) -> str:
    """The lane of the open call, else the talk's."""
    call = await escalations.find_open(session, thread.id)
    return call.lane if call is not None else thread.lane


async def _check_target(session: AsyncSession, thread: Thread, to_operator_id: int) -> None:
    """Two offers to one colleague at once: the second waits here and sees what the first added."""
    await session.scalar(select(Operator.id).where(Operator.id == to_operator_id).with_for_update(key_share=True))
    shut = to_operator_id in (await crew.shut_out(session, {thread.contact_id})).get(thread.contact_id, set())
    seat = next((one for one in await crew.load_seats(session) if one.operator_id == to_operator_id), None)
    why = why_not(seat, await lane_of(session, thread), shut=shut, capacity=get_settings().seat_capacity)
    if why is not None:
        raise CannotTake(why)


async def _forget_stale(session: AsyncSession, thread: Thread) -> None:
    """An offer of somebody who no longer has the talk is off; one that still runs stands in the way."""
    open_ones = select(TalkTransfer).where(TalkTransfer.thread_id == thread.id, TalkTransfer.state == "offered")
    for row in await session.scalars(open_ones.with_for_update()):
        if talk.is_held_by(thread, row.from_operator) and clock.now() < row.due_at:
            raise AlreadyOffered
        await _end(session, row, "cancelled" if clock.now() < row.due_at else "timed_out", who=None)
    await session.flush()


async def _offered(session: AsyncSession, transfer_id: int) -> tuple[Thread, TalkTransfer]:
    """The talk, then its offer, both locked in this order as everywhere."""
    thread_id = await session.scalar(select(TalkTransfer.thread_id).where(TalkTransfer.id == transfer_id))
    if thread_id is None:
        raise TransferNotFound
    thread = await talk.get_talk(session, thread_id, for_update=True)
    row = await session.get_one(TalkTransfer, transfer_id, with_for_update=True, populate_existing=True)
    if row.state != "offered":
        raise TransferIsOver
    return thread, row


async def _pass_on(session: AsyncSession, thread: Thread, row: TalkTransfer, *, who: int) -> None:
    detail = {"colleague": row.from_operator, "transfer": row.id}
    moved = await talk.move(
        session, thread, Owner.OPERATOR, who=f"operator:{who}", operator_id=row.to_operator, detail=detail
    )
    if not moved:
        raise Conflict
    call = await escalations.find_open(session, thread.id, for_update=True)
    if call is not None and call.state != State.RINGING:
        call.acknowledged_by = row.to_operator
        await resting.after(session, thread, call, operator_id=row.from_operator)
    await _end(session, row, "accepted", who=who)


async def _end(session: AsyncSession, row: TalkTransfer, state: str, *, who: int | None) -> None:
    row.state, row.ended_at = state, clock.now()
    await drop_timers(session, job=OVER, subject_id=row.id)
    await _tell(session, row, f"transfer_{state}", who=who)


async def _tell(session: AsyncSession, row: TalkTransfer, what: str, *, who: int | None, **more: str) -> None:
    by = f"operator:{who}" if who is not None else "system"
    detail = {"transfer": row.id, "from": row.from_operator, "to": row.to_operator, **more}
    await talk.note(session, row.thread_id, what, who=by, detail=detail)
    await notify(session, "hotline_thread", str(row.thread_id))
    await notify(session, "hotline_escalation", "0")  # the pages' alarms are looked at again
