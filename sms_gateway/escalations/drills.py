"""Calls of a drill: told from real ones, put behind them, and ended without anybody's signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.database import notify
from sms_gateway.timers import drop_timers

from .models import Escalation, EscalationEvent

OUTCOME = "drill"


@dataclass(frozen=True)
class Course:
    """How a call went: when it first rang, was first taken, was first handed over. None: never."""

    escalation_id: int
    received_at: datetime
    rung_at: datetime | None
    acknowledged_at: datetime | None
    handed_over_at: datetime | None
    at_bridge: bool
    """The ladder came to its last step: the bridge was suggested to whoever sits there, or used."""
    steps: tuple[tuple[int, datetime], ...] = ()
    """The ladder's steps that were taken since the call was received, with their time."""


async def courses(session: AsyncSession, thread_ids: Sequence[int]) -> dict[int, Course]:
    """By thread, the course of its first call."""
    wanted = select(Escalation).where(Escalation.thread_id.in_(thread_ids)).order_by(Escalation.id)
    found: dict[int, Escalation] = {}
    for row in await session.scalars(wanted):
        found.setdefault(row.thread_id, row)
    ids = [row.id for row in found.values()]
    events = select(EscalationEvent).where(EscalationEvent.escalation_id.in_(ids)).order_by(EscalationEvent.id)
    said: dict[int, list[EscalationEvent]] = {}
    for event in await session.scalars(events):
        said.setdefault(event.escalation_id, []).append(event)
    calls = select(BridgeCall.escalation_id, BridgeCall.requested_at).where(BridgeCall.escalation_id.in_(ids))
    bridged: dict[int, datetime] = {}
    for escalation_id, at in await session.execute(calls.order_by(BridgeCall.id)):
        bridged.setdefault(escalation_id, at)
    return {
        thread_id: _course(row, said.get(row.id, []), bridged.get(row.id)) for thread_id, row in found.items()
    }  # fmt: skip


def _course(row: Escalation, events: Sequence[EscalationEvent], bridged_at: datetime | None) -> Course:
    def first(what: str) -> datetime | None:
        return next((event.at for event in events if event.what == what), None)

    climbed = [event for event in events if event.what == "rung" and not event.detail.get("again")]
    steps = tuple((int(event.detail["step"]), event.at) for event in climbed)
    taken = [at for at in (first("acknowledged"), row.acknowledged_at) if at is not None]
    handed = [at for at in (first("handed_over"), bridged_at) if at is not None]
    at_bridge = bridged_at is not None or any(
        event.what == "rung" and event.detail.get("audience") == "bridge" for event in events
    )
    return Course(
        row.id, row.received_at, first("rung"), min(taken, default=None), min(handed, default=None), at_bridge, steps
    )  # fmt: skip


async def end(session: AsyncSession, thread_id: int) -> bool:
    """End the open call of that drill talk, by the system: no child has to be seen. Whether there was one.

    The caller answers for the talk being one of the drill channel.
    """
    wanted = select(Escalation).where(Escalation.thread_id == thread_id, Escalation.closed_at.is_(None))
    row = await session.scalar(wanted.with_for_update())
    if row is None:
        return False
    row.closed_at, row.outcome, row.note = clock.now(), OUTCOME, row.note or "演练结束。"
    detail = {"outcome": OUTCOME, "state": row.state}
    session.add(EscalationEvent(escalation_id=row.id, what="closed", who="system", at=row.closed_at, detail=detail))
    for job in (
        "escalations.step",
        "escalations.ask_desk",
    ):  # by name: other jobs' subjects are texts, with numbers of their own
        await drop_timers(session, job=job, subject_id=row.id)
    asked = BridgeCall.escalation_id == row.id, BridgeCall.ended_at.is_(None)  # nothing of it stays red on the wall
    over = {"state": "concluded", "ended_at": row.closed_at, "settled_at": row.closed_at}
    await session.execute(update(BridgeCall).where(*asked).values(over))
    await notify(session, "hotline_escalation", str(row.id))
    return True
