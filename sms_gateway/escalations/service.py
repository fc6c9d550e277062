"""A call for a human: opened, raised, acknowledged, ended. Every move is an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.messages.models import Message
from sms_gateway.timers import drop_timers, set_timer
from .ladder import MOVES, State
from .models import Escalation, EscalationEvent

RANK = {"red": 3, "orange": 2, "blue": 1}
STEPS_AFTER = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 180))
"""Ring again, everyone, supervisor, bridge suggestion (DESIGN section 5), counted from the text's arrival."""
READ_ORANGE_WITHIN = timedelta(minutes=15)


class EscalationMovesNotSo(BadInput):
    sentence = "这一步现在不能做，请刷新后再看。"


async def open_or_raise(
    session: AsyncSession, *, message: Message, cause: str, lane: str, harm: str | None = None,
    services: list[str] | None = None, reasons: list[str] | None = None,
) -> tuple[Escalation, bool]:  # fmt: skip
    """The open escalation of the message's talk, made if there is none; and whether it is new or its lane went up.

    A lane only goes up here. The clock of a raised escalation runs from the text that raised it.
    """
    found = await find_open(session, message.thread_id, for_update=True)
    if found is None:
        found = Escalation(
            thread_id=message.thread_id, contact_id=message.contact_id, message_id=message.id, cause=cause, lane=lane, harm=harm,
            services=services or [], reasons=reasons, state=State.RINGING, received_at=message.at, opened_at=clock.now(), step=0,
        )  # fmt: skip
        session.add(found)
        await session.flush()
        await _event(session, found, "opened", detail={"lane": lane, "cause": cause, "message": message.id})
        news = True
    else:
        news = RANK[lane] > RANK[found.lane]
        if news or (lane == found.lane == "red"):
            _take_over(found, message, cause, lane, harm, services, reasons, restart=news)
        await _event(session, found, "raised" if news else "again", detail={"lane": lane, "message": message.id})
    if news:
        await _start_clocks(session, found)
    await notify(session, "hotline_escalation", str(found.id))
    return found, news


def _take_over(
    found: Escalation, message: Message, cause: str, lane: str, harm: str | None,
    services: list[str] | None, reasons: list[str] | None, *, restart: bool,
) -> None:  # fmt: skip
    found.lane = lane
    found.harm = harm or found.harm
    found.services = list(dict.fromkeys([*(services or []), *found.services]))
    found.reasons = reasons or found.reasons
    if restart:
        found.cause, found.message_id, found.received_at, found.step = cause, message.id, message.at, 0
        if found.acknowledged_at is None:
            found.state = State.RINGING


async def _start_clocks(session: AsyncSession, escalation: Escalation) -> None:
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    if escalation.acknowledged_at is not None:
        return
    waits = STEPS_AFTER if escalation.lane == "red" else (READ_ORANGE_WITHIN,) if escalation.lane == "orange" else ()
    for wait in waits:
        await set_timer(session, job="escalations.step", subject_id=escalation.id, due_at=escalation.received_at + wait)


async def _event(session: AsyncSession, escalation: Escalation, what: str, *, who: str = "system", detail: dict[str, Any] | None = None) -> None:
    session.add(EscalationEvent(escalation_id=escalation.id, what=what, who=who, at=clock.now(), detail=detail or {}))


async def find_open(session: AsyncSession, thread_id: int, *, for_update: bool = False) -> Escalation | None:
    """The open escalation of that talk."""
    wanted = select(Escalation).where(Escalation.thread_id == thread_id, Escalation.closed_at.is_(None))
    return await session.scalar(wanted.with_for_update() if for_update else wanted)


async def list_open(session: AsyncSession) -> list[Escalation]:
    """Everything that waits for a human: red, orange, the rest; the longest waiting first."""
    order = case(RANK, value=Escalation.lane, else_=0).desc()
    wanted = select(Escalation).where(Escalation.closed_at.is_(None)).options(joinedload(Escalation.contact))
    return list(await session.scalars(wanted.order_by(order, Escalation.received_at)))


async def list_events(session: AsyncSession, escalation_id: int) -> list[EscalationEvent]:
    """What happened to it, oldest first."""
    wanted = select(EscalationEvent).where(EscalationEvent.escalation_id == escalation_id)
    return list(await session.scalars(wanted.order_by(EscalationEvent.id)))


async def acknowledge(session: AsyncSession, escalation: Escalation, *, operator_id: int) -> None:
    """This operator has it: the ringing stops."""
    if escalation.acknowledged_by not in (None, operator_id) and escalation.state != State.RINGING:
        raise Conflict("已经有值班员接了。")
    escalation.acknowledged_at = escalation.acknowledged_at or clock.now()
    escalation.acknowledged_by = operator_id
    if escalation.state == State.RINGING:
        await move(session, escalation, State.ACKNOWLEDGED, who=f"operator:{operator_id}")
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    await notify(session, "hotline_escalation", str(escalation.id))


async def move(session: AsyncSession, escalation: Escalation, to: State, *, who: str, detail: dict[str, Any] | None = None) -> None:
    """Move along `MOVES`; raises `EscalationMovesNotSo`."""
    if to not in MOVES[State(escalation.state)]:
        raise EscalationMovesNotSo
    escalation.state = to
    await _event(session, escalation, str(to), who=who, detail=detail)


async def conclude(session: AsyncSession, escalation: Escalation, *, operator_id: int, outcome: str, note: str) -> None:
    """End it with an outcome and a note. A red one needs someone who has seen the child, or the outcome saying why not."""
    if not note.strip():
        raise BadInput("请写一句结果说明，再结束。")
    escalation.outcome, escalation.note, escalation.closed_at = outcome, note.strip(), clock.now()
    await _event(session, escalation, "closed", who=f"operator:{operator_id}", detail={"outcome": outcome, "state": escalation.state})
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    await notify(session, "hotline_escalation", str(escalation.id))


async def take_step(session: AsyncSession, escalation_id: int) -> int | None:
    """Climb the ladder as far as the clock says; the new step, or None when there is nothing to do."""
    wanted = select(Escalation).where(Escalation.id == escalation_id).with_for_update()
    escalation = await session.scalar(wanted)
    if escalation is None or escalation.closed_at is not None or escalation.acknowledged_at is not None:
        return None
    step = _step_at(escalation.lane, clock.now() - escalation.received_at)
    if step <= escalation.step:
        return None
    for number in range(escalation.step + 1, step + 1):
        await _event(session, escalation, f"step_{number}")
    escalation.step = step
    await notify(session, "hotline_escalation", str(escalation.id))
    return step


def _step_at(lane: str, waited: timedelta) -> int:
    if lane == "red":
        return sum(waited >= after for after in STEPS_AFTER)
    return int(lane == "orange" and waited >= READ_ORANGE_WITHIN)


async def count_recent(session: AsyncSession, contact_id: int, *, since: datetime) -> int:
    """How many red and orange ones this contact had since then."""
    wanted = select(Escalation.id).where(Escalation.contact_id == contact_id, Escalation.opened_at >= since, Escalation.lane != "blue")
    return len((await session.scalars(wanted)).all())
