"""Calls queued with their job, and what the exchange tells about them, by rank."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import Conflict
from sms_gateway.jobs import defer
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

from .models import Call
from .states import ENDED, NUMBERS, PICKED_UP, State, is_news
from .words import TOLD, Purpose

MAX_ATTEMPTS = 4
RING_SECONDS = 30
"""How long a phone rings."""
NO_WORD_AFTER = timedelta(seconds=75)
"""A call that was neither answered nor ended by then is given up: its exchange has gone silent."""
DEAD_AFTER = timedelta(seconds=4)
"""A job that finds its call already in `dialling` was taken from a worker that stopped beating 5 s ago."""


class NoTelephone(Conflict):
    sentence = "没有接通话线路，请用自己的值班电话拨。"


@dataclass(frozen=True)
class Dialling:
    """One call about to be placed."""

    call_id: int
    to: str
    reference: str
    purpose: Purpose
    conference: str | None
    attempts: int


async def place(
    session: AsyncSession, *, purpose: Purpose, subject_id: int, to: str, conference: str | None = None
) -> Call:
    """Queue a call. Raises `NoTelephone` where calls are switched off."""
    if get_settings().voice_driver == "none":
        raise NoTelephone
    now = clock.now()
    call = Call(
        purpose=purpose, subject_id=subject_id, to=to, conference=conference, state=State.QUEUED, made_at=now, changed_at=now,
    )  # fmt: skip
    session.add(call)
    await session.flush()
    await defer(session, "calls.dial", call_id=call.id)
    await set_timer(session, job="calls.give_up", subject_id=call.id, due_at=now + NO_WORD_AFTER)
    return call


async def claim(session: AsyncSession, call_id: int) -> Dialling | None:
    """Take a queued call for dialling; None when it was dialled or called off.

    One left in `dialling` by a dead worker may have gone out: it is dialled again, except to the person, whose phone must
    not ring once more than was promised.
    """
    call = await session.scalar(select(Call).where(Call.id == call_id).with_for_update())
    if call is None:
        return None
    left_behind = call.state == State.DIALLING and clock.now() - call.changed_at >= DEAD_AFTER
    if left_behind and call.purpose == Purpose.PERSON:
        await _change(session, call, State.FAILED, error="worker_died")
        return None
    if call.state != State.QUEUED and not left_behind:
        return None
    call.state, call.changed_at, call.attempts = State.DIALLING, clock.now(), call.attempts + 1
    return Dialling(call.id, call.to, call.uid.hex, Purpose(call.purpose), call.conference, call.attempts)


async def mark_placed(session: AsyncSession, call_id: int, exchange_id: str) -> bool:
    """The exchange took it; False when it was called off meanwhile, and has to be hung up."""
    call = (await session.scalars(select(Call).where(Call.id == call_id).with_for_update())).one()
    call.exchange_id = call.exchange_id or exchange_id
    if call.state == State.CANCELLED:
        return False
    if is_news(call.state, State.INITIATED):
        await _change(session, call, State.INITIATED)
    return True


async def mark_failed(session: AsyncSession, call_id: int, error: str | None, *, again: bool) -> None:
    """It could not be placed; `again`: its job tries once more."""
    call = (await session.scalars(select(Call).where(Call.id == call_id).with_for_update())).one()
    if call.state != State.DIALLING:  # its own callbacks were quicker: it went out after all
        return
    if again:
        call.state, call.changed_at, call.error = State.QUEUED, clock.now(), error
    else:
        await _change(session, call, State.FAILED, error=error)


async def find(session: AsyncSession, uid: UUID, *, for_update: bool = False) -> Call | None:
    """The call of that random id."""
    wanted = select(Call).where(Call.uid == uid)
    return await session.scalar(wanted.with_for_update() if for_update else wanted)


async def get(session: AsyncSession, call_id: int) -> Call:
    """The call of that number of ours."""
    return (await session.scalars(select(Call).where(Call.id == call_id))).one()


async def list_of(session: AsyncSession, purposes: Collection[Purpose], subject_id: int) -> Sequence[Call]:
    """Calls for that subject, the newest last."""
    wanted = select(Call).where(Call.purpose.in_(purposes), Call.subject_id == subject_id)
    return (await session.scalars(wanted.order_by(Call.id))).all()


async def hear(session: AsyncSession, call: Call, state: State, *, exchange_id: str, error: str | None = None) -> bool:
    """The exchange's word about a locked call; whether it was news. What it says of an earlier try of it does not count."""
    call.exchange_id = call.exchange_id or exchange_id
    if call.exchange_id != exchange_id or not is_news(call.state, state):
        return False
    await _change(session, call, state, error=error)
    return True


async def press(session: AsyncSession, call: Call, key: str) -> None:
    """Somebody pressed `key` on a locked call."""
    if call.key is None and len(key) == 1 and key in "0123456789*#":
        call.key = key
        await _tell(session, call)


async def give_up(session: AsyncSession, call_id: int) -> None:
    """Its time is over: neither answered nor ended."""
    call = await session.scalar(select(Call).where(Call.id == call_id).with_for_update())
    if call is not None and call.state != State.ANSWERED and State(call.state) not in ENDED:
        await _change(session, call, State.FAILED, error="no_word")
        if call.exchange_id:
            await defer(session, "calls.hang_up", call_id=call.id)


async def hang_up(session: AsyncSession, call: Call) -> None:
    """End it, or call it off before it is dialled."""
    if State(call.state) in ENDED:
        return
    if State(call.state) in (State.QUEUED, State.DIALLING):
        await _change(session, call, State.CANCELLED)
    else:
        await defer(session, "calls.hang_up", call_id=call.id)


async def _change(session: AsyncSession, call: Call, state: State, *, error: str | None = None) -> None:
    call.state, call.changed_at, call.error = state, clock.now(), error
    if state in PICKED_UP:
        call.answered_at = call.answered_at or clock.now()
    await _tell(session, call)


async def _tell(session: AsyncSession, call: Call) -> None:
    await defer(session, TOLD[Purpose(call.purpose)], call_id=call.id, number=NUMBERS[State(call.state)])
