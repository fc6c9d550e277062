"""What a desk is told of an incident it has from us: a better place, that the child was seen, that it was a false alarm.

Each is an event of the hand-over with its job; while the desk does not answer it is tried again, ever more slowly, for a day.
Only desks on linkage are told so; on the telephone and by text an operator tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.jobs import defer
from sms_gateway.timers import set_timer

from . import record
from .models import WITH_DESK, BridgeCall, BridgeEvent

PLACE, CHILD_SEEN, FALSE_ALARM = "place", "child_seen", "false_alarm"
TO_TELL = "to_tell_"
"""An event of this beginning is told to the desk: `to_tell_place`."""
TELL = "bridge.tell_incident"
BY_LINKAGE = ("linkage", "simulator")
FIRST_PAUSE = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class News:
    """`name`: the same for each try; `state`: `place`, `child_seen` or `false_alarm`; `words`: the place, else empty."""

    name: str
    desk: str
    driver: str
    reference: str
    state: str
    words: str


async def list_told(session: AsyncSession, escalation_id: int) -> Sequence[BridgeCall]:
    """The hand-overs of that call for a person whose desks hear news: asked or taken, on linkage."""
    wanted = select(BridgeCall).where(BridgeCall.escalation_id == escalation_id, BridgeCall.driver.in_(BY_LINKAGE))
    has = BridgeCall.state.in_(("requested", *WITH_DESK))
    return (await session.scalars(wanted.where(has).order_by(BridgeCall.id).with_for_update())).all()


def _of(call: BridgeCall, state: str) -> Select[BridgeEvent]:
    known = select(BridgeEvent).where(BridgeEvent.call_id == call.id, BridgeEvent.what == TO_TELL + state)
    return known.order_by(BridgeEvent.id.desc()).limit(1)


async def known_place(session: AsyncSession, call: BridgeCall) -> tuple[str, bool]:
    """What the desk knows of where it is: the region's adcode ("": none), and whether something below the county was named."""
    last = await session.scalar(_of(call, PLACE))
    if last is not None:
        return str(last.detail.get("region", "")), bool(last.detail.get("spot"))
    return str(call.incident.get("region", "")), bool(call.incident.get("below_county"))


async def queue(
    session: AsyncSession, call: BridgeCall, state: str, *, words: str = "", detail: dict[str, Any] | None = None
) -> bool:
    """The locked call's desk is to hear this; False when the same was its last news of that kind. `detail`: no words in it."""
    last = await session.scalar(_of(call, state))
    said = str(call.incident.get("place", "")) if last is None and state == PLACE else None
    if words == said or (last is not None and (last.words or "") == words):
        return False
    await record.note(session, call, TO_TELL + state, words=words or None, detail=detail)
    await session.flush()
    event = (await session.scalars(_of(call, state))).one()
    await defer(session, TELL, subject_id=event.id)
    return True


async def begin(session: AsyncSession, event_id: int) -> News | None:
    """What that event tells; None where the desk has given the matter up."""
    event, call = await _read(session, event_id)
    if call.state in ("failed", "returned"):
        return None
    state = event.what.removeprefix(TO_TELL)
    return News(f"{call.uid.hex[:20]}-{event.id}", call.desk, call.driver, call.uid.hex, state, event.words or "")


async def note_told(session: AsyncSession, event_id: int) -> None:
    """The desk has heard it."""
    event, call = await _read(session, event_id)
    await record.note(session, call, event.what.replace(TO_TELL, "told_"), detail={"event": event.id})


async def try_again(session: AsyncSession, event_id: int) -> bool:
    """The desk did not answer: the next try has its time; False when it is given up."""
    event, call = await _read(session, event_id)
    age = clock.now() - event.at
    if age >= GIVEN_UP_AFTER:
        await record.note(session, call, "never_told", detail={"event": event.id})
        return False
    await set_timer(session, job=TELL, subject_id=event.id, due_at=clock.now() + max(FIRST_PAUSE, age / 2))
    return True


async def _read(session: AsyncSession, event_id: int) -> tuple[BridgeEvent, BridgeCall]:
    event = (await session.scalars(select(BridgeEvent).where(BridgeEvent.id == event_id))).one()
    return event, await record.lock(session, event.call_id)
