"""A call for a human: opened, raised, acknowledged, ended. Every move is an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from sms_gateway import clock
from sms_gateway.bridge import service as bridge
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.jobs import defer
from sms_gateway.messages.models import Message
from sms_gateway.settings import get_settings
from sms_gateway.timers import drop_timers, set_timer
from sms_gateway.triage.judgement import LANE_RANK

from . import crew, ladder, look_backs, notices, open_cases, receipts, unread
from .ladder import Audience, State
from .models import Escalation, EscalationEvent

SEEN_BY_NOBODY = frozenset({State.HANDED_OVER, State.LOST_CONTACT})
"""States in which the desk that has it is asked again and again, until somebody saw the child."""


async def open_or_raise(
    session: AsyncSession, *, message: Message, cause: str, lane: str, harm: str | None = None,
    services: list[str] | None = None, reasons: list[str] | None = None, since: datetime | None = None,
) -> tuple[Escalation, bool]:  # fmt: skip
    """The open escalation of the message's talk, made if there is none; and whether it is new or its lane went up.

    A lane only goes up here. The clock of a raised escalation runs from the text that raised it, or from `since` where
    it was no text of this talk.
    """
    found = await find_open(session, message.thread_id, for_update=True)
    if found is None:
        found = Escalation(
            thread_id=message.thread_id, contact_id=message.contact_id, message_id=message.id, cause=cause, lane=lane, harm=harm,
            services=services or [], reasons=reasons, state=State.RINGING, received_at=since or message.at, opened_at=clock.now(), step=-1,
        )  # fmt: skip
        session.add(found)
        await session.flush()
        await _event(session, found, "opened", detail={"lane": lane, "cause": cause, "message": message.id})
        news = True
    else:
        news = LANE_RANK[lane] > LANE_RANK[found.lane]
        graver = lane == found.lane and (lane == "red" or harm == "sexual_abuse")  # abuse keeps the machine silent
        if news or graver:
            _take_over(
                found, message, cause=cause, lane=lane, harm=harm, services=services, reasons=reasons,
                restart_at=(since or message.at) if news else None,
            )  # fmt: skip
        await _event(session, found, "raised" if news else "again", detail={"lane": lane, "message": message.id})
    await open_cases.opened(session, found.contact_id, lane=lane)
    if news:
        await _start_clocks(session, found)
        if lane == "red":
            await receipts.expect(session, found.thread_id)
    await notify(session, "hotline_escalation", str(found.id))
    return found, news


def _take_over(
    found: Escalation, message: Message, *, cause: str, lane: str, harm: str | None,
    services: list[str] | None, reasons: list[str] | None, restart_at: datetime | None,
) -> None:  # fmt: skip
    found.lane = lane
    found.harm = harm or found.harm
    found.services = list(dict.fromkeys([*(services or []), *found.services]))
    found.reasons = reasons or found.reasons
    if restart_at is not None:
        found.cause, found.message_id, found.received_at, found.step = cause, message.id, restart_at, -1
        found.ring_from = None  # of the lesser matter
        # It rings again also for the operator who has the talk: what they answered was less than this.
        found.state, found.acknowledged_at, found.acknowledged_by = State.RINGING, None, None


async def _start_clocks(session: AsyncSession, escalation: Escalation) -> None:
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    if escalation.lane == "red":
        await _climb(session, escalation)
    elif escalation.lane == "orange" and escalation.acknowledged_at is None:
        await unread.watch(session, escalation)


def _rungs() -> tuple[ladder.Rung, ...]:
    now = get_settings()
    return ladder.rungs(
        again=now.ring_again_seconds, everyone=now.ring_everyone_seconds, supervisor=now.ring_supervisor_seconds,
        bridge=now.bridge_after_seconds,
    )  # fmt: skip


async def _climb(session: AsyncSession, escalation: Escalation) -> int:
    """Take every step of the ladder that is due, and set the timer of the next; returns how many were taken."""
    since, state, lane = escalation.ring_from or escalation.received_at, escalation.state, escalation.lane
    in_county = await crew.is_county_staffed(session, escalation)
    steps = ladder.due_steps(
        received_at=since, now=clock.now(), taken=escalation.step, state=state, lane=lane, on_duty_in_county=in_county,
        ladder=_rungs(),
    )  # fmt: skip
    for step in steps:
        await _event(session, escalation, "rung", detail={"step": step.number, "audience": step.audience})
        escalation.step = step.number
        await session.flush()
        if step.audience is Audience.SUPERVISOR:
            await notices.ring_phone(session, escalation)
        elif step.audience is Audience.BRIDGE:
            await defer(session, "conversations.bridge_due", subject_id=escalation.id)
    following = ladder.next_due(received_at=since, taken=escalation.step, state=state, lane=lane, ladder=_rungs())
    if following is None and escalation.step == ladder.LAST and state == State.RINGING:
        following = await _ring_on(session, escalation)
    if following is not None:
        await drop_timers(session, job="escalations.step", subject_id=escalation.id)  # one chain, whatever ran twice
        await set_timer(session, job="escalations.step", subject_id=escalation.id, due_at=following)
    return len(steps)


async def _ring_on(session: AsyncSession, escalation: Escalation) -> datetime:
    """Nobody answered the whole ladder: everybody is rung a pause after the last ring, once if this runs twice. When next."""
    pause, now = timedelta(seconds=get_settings().ring_everyone_seconds), clock.now()
    rung = select(func.max(EscalationEvent.at)).where(
        EscalationEvent.escalation_id == escalation.id, EscalationEvent.what == "rung"
    )
    last = await session.scalar(rung)
    if last is not None and now < last + pause:
        return last + pause
    detail = {"step": ladder.LAST, "audience": Audience.ALL_OPERATORS, "again": True}
    await _event(session, escalation, "rung", detail=detail)
    return now + pause


async def _event(
    session: AsyncSession,
    escalation: Escalation,
    what: str,
    *,
    who: str = "system",
    detail: dict[str, Any] | None = None,
) -> None:
    session.add(EscalationEvent(escalation_id=escalation.id, what=what, who=who, at=clock.now(), detail=detail or {}))


async def find_open(session: AsyncSession, thread_id: int, *, for_update: bool = False) -> Escalation | None:
    """The open escalation of that talk."""
    wanted = select(Escalation).where(Escalation.thread_id == thread_id, Escalation.closed_at.is_(None))
    if for_update:  # fresh: this session may have read it before somebody else moved it
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(wanted)


async def list_open(session: AsyncSession) -> list[Escalation]:
    """All that waits for a human: red, orange, the rest; in each what is real before a drill, the longest waiting first."""
    order = case(LANE_RANK, value=Escalation.lane, else_=0).desc()
    wanted = select(Escalation).where(Escalation.closed_at.is_(None)).join(Escalation.contact)
    wanted = wanted.options(contains_eager(Escalation.contact))
    return list(await session.scalars(wanted.order_by(order, Contact.channel == Channel.DRILL, Escalation.received_at)))


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
        # A desk took it while it rang, or before it was given back.
        if await bridge.is_with_desk(session, escalation.id):
            await move(session, escalation, State.HANDED_OVER, who="desk")
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    await notify(session, "hotline_escalation", str(escalation.id))


async def give_back(
    session: AsyncSession, escalation: Escalation, *, operator_id: int | None, why: str, anew: bool = True
) -> None:
    """Who had it is gone, steps back or knows the family: it is nobody's again.

    The stopwatch goes on from the text. `anew`: the steps count from now, else the bridge would be asked before a colleague;
    without it every step that is due comes at once, since somebody is writing and nobody reads.
    """
    escalation.ring_from = clock.now() if anew else None
    escalation.acknowledged_at = escalation.acknowledged_by = None
    escalation.step = -1
    await _event(session, escalation, "given_back", detail={"operator": operator_id, "why": why})
    if escalation.state != State.RINGING:
        await move(session, escalation, State.RINGING, who="system", detail={"why": why})
    await _start_clocks(session, escalation)
    await notify(session, "hotline_escalation", str(escalation.id))


async def move(
    session: AsyncSession,
    escalation: Escalation,
    to: State,
    *,
    who: str,
    signatures: int = 1,
    detail: dict[str, Any] | None = None,
) -> None:
    """Move as `ladder.move` allows; raises `EscalationCannotMove`."""
    escalation.state = ladder.move(escalation.state, to, lane=escalation.lane, signatures=signatures)
    await _event(session, escalation, str(to), who=who, detail=detail)
    if to is State.CHILD_SEEN:
        await look_backs.plan(session, escalation)
    if to in SEEN_BY_NOBODY:
        await ask_desk_later(session, escalation)
    await notify(session, "hotline_escalation", str(escalation.id))


async def ask_desk_later(session: AsyncSession, escalation: Escalation) -> None:
    """In red a desk has the matter, or contact is lost: whoever has the talk asks again, until somebody saw the child."""
    if escalation.lane == "red":
        due_at = clock.now() + timedelta(minutes=get_settings().ask_desk_minutes)
        await drop_timers(session, job="escalations.ask_desk", subject_id=escalation.id)  # one question at a time
        await set_timer(session, job="escalations.ask_desk", subject_id=escalation.id, due_at=due_at)


async def ask_desk(session: AsyncSession, escalation_id: int) -> bool:
    """Nobody has seen the child yet: whoever has the talk is told to ask the desk again. The child is not asked."""
    escalation = await session.scalar(select(Escalation).where(Escalation.id == escalation_id).with_for_update())
    if escalation is None or escalation.closed_at is not None or escalation.state == State.CHILD_SEEN:
        return False
    if escalation.state not in SEEN_BY_NOBODY and not await bridge.is_with_desk(session, escalation.id):
        return False
    await _event(session, escalation, "ask_desk")
    await ask_desk_later(session, escalation)
    await notify(session, "hotline_escalation", str(escalation.id))
    return True


async def conclude(
    session: AsyncSession, escalation: Escalation, *, operator_id: int, outcome: str, note: str, signatures: int = 1,
    signed_off_by: int | None = None,
) -> None:  # fmt: skip
    """End it with an outcome and a note; in red only once somebody saw the child, or two people sign a false alarm."""
    if not note.strip():
        raise BadInput("请写一句结果说明，再结束。")
    to = State.FALSE_ALARM if outcome == "false_alarm" else State.RESOLVED
    await move(session, escalation, to, who=f"operator:{operator_id}", signatures=signatures)
    escalation.outcome, escalation.note, escalation.closed_at = outcome, note.strip(), clock.now()
    detail = {"outcome": outcome, "state": escalation.state, "signed_off_by": signed_off_by}
    await _event(session, escalation, "closed", who=f"operator:{operator_id}", detail=detail)
    escalation.signed_off_by = signed_off_by
    await open_cases.ended(session, escalation.contact_id, lane=escalation.lane)
    await drop_timers(session, job="escalations.step", subject_id=escalation.id)
    await notify(session, "hotline_escalation", str(escalation.id))


async def take_step(session: AsyncSession, escalation_id: int) -> bool:
    """A timer of this escalation is due: climb as far as the clock says; whether anything was done."""
    escalation = await session.scalar(select(Escalation).where(Escalation.id == escalation_id).with_for_update())
    if escalation is None or escalation.closed_at is not None or escalation.acknowledged_at is not None:
        return False
    done = await (_climb if escalation.lane == "red" else unread.watch)(session, escalation) > 0
    await notify(session, "hotline_escalation", str(escalation.id))
    return done


async def note_undelivered(session: AsyncSession, escalation: Escalation, message: Message) -> None:
    """A text to this person did not arrive, or nobody knows that it did: ring for it, whoever has the talk. Once a text."""
    known = select(EscalationEvent.id).where(
        EscalationEvent.escalation_id == escalation.id, EscalationEvent.what == "text_did_not_arrive",
        EscalationEvent.detail["message"].as_integer() == message.id,
    )  # fmt: skip
    if await session.scalar(known.limit(1)) is not None:
        return
    detail = {"message": message.id, "state": message.state}
    await _event(session, escalation, "text_did_not_arrive", detail=detail)
    await notify(session, "hotline_escalation", str(escalation.id))


async def note_bridge(
    session: AsyncSession, escalation: Escalation, what: str, *, bridge_id: int, **detail: Any
) -> None:
    """`bridge_late`, `bridge_failed`, `bridge_returned`, `bridge_suggested`, `bridge_accepted`: rings where it is bad news."""
    await _event(session, escalation, what, detail={"bridge": bridge_id, **detail})
    await notify(session, "hotline_escalation", str(escalation.id))


async def note_silence(session: AsyncSession, escalation: Escalation, message_id: int) -> None:
    """The person asked for silence, or used a code word: the operator is told, the phone is not."""
    await _event(session, escalation, "silence_word", detail={"message": message_id})
    await notify(session, "hotline_escalation", str(escalation.id))
